"""Human contact by preference: nothing failed; the step is new, risky or close to the heart."""

from __future__ import annotations

from streams.scenario.scene import Scene
from streams.scenario.stories.parts import answers_survey, calls, waits_in_queue

__all__ = ["cancels_by_call_back", "first_mortgage", "risky_transfer", "sees_it_in_store"]


def first_mortgage(scene: Scene) -> None:
    """A first home: much money, no habit; they ask for a person at once."""
    scene.person(
        engagement={"financial": 0.95, "sentimental": 0.7, "expertise": 0.8},
        first_time=True,
        risk=0.6,
    )
    scene.contact("web", journey="mortgage", step="discover", intent="advice", device="desktop")
    scene.say("session.start")
    scene.pause(5, 15)
    scene.say("page_view", 3)
    scene.pause(15, 45)
    scene.say("human.requested", prefers="human")
    scene.pause(10, 30)
    scene.say("callback.requested", announced_wait_s=300)
    scene.pause(180, 420)
    scene.contact("phone", step="advice")
    scene.say("callback.completed", agent_id=f"adv-{scene.chance.randint(1, 24):02d}")
    answers_survey(scene, 6, 7)


def sees_it_in_store(scene: Scene) -> None:
    """A wedding ring: looked at on the web, chosen in the store, by choice."""
    scene.person(engagement={"financial": 0.6, "sentimental": 0.95}, first_time=True, prefers="store")
    scene.contact("web", journey="jewellery", step="discover", intent="buy_ring", device="tablet")
    scene.say("page_view", 4)
    scene.pause(120, 400)
    scene.contact("store", step="try_on")
    scene.say("store.visit")
    scene.pause(60, 200)
    scene.say("store.wait", wait_s=90)
    scene.say("store.assisted", agent_id=f"adv-{scene.chance.randint(1, 24):02d}")
    scene.pause(300, 600)
    scene.say("purchase", amount=1900)


def cancels_by_call_back(scene: Scene) -> None:
    """A last contact: they want to say it to somebody."""
    scene.person(last_contact=True, emotion=-0.3)
    scene.contact("app", journey="contract", step="cancel", intent="cancel", device="phone")
    scene.say("page_view", 2)
    scene.pause(8, 25)
    scene.say("human.requested", prefers="human")
    scene.pause(20, 60)
    calls(scene)
    waits_in_queue(scene, 20, 90, announced_s=60, queue="retention")
    scene.pause(120, 300)
    scene.say("call.ended", talk_s=220, result="resolved")


def risky_transfer(scene: Scene) -> None:
    """A large transfer abroad, for the first time: they would rather hear a voice."""
    scene.person(engagement={"financial": 0.9, "expertise": 0.6}, first_time=True, risk=0.9)
    scene.contact("app", journey="payments", step="amount", intent="transfer_abroad", device="phone")
    scene.say("page_view", 2)
    scene.pause(20, 60)
    scene.say("human.requested", prefers="human")
    scene.pause(15, 40)
    calls(scene)
    waits_in_queue(scene, 15, 60, announced_s=60, queue="payments")
    scene.pause(100, 240)
    scene.say("call.ended", talk_s=170, result="resolved")
    answers_survey(scene, 5, 7)
