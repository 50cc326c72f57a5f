"""When emotion outweighs the rest, and when a need for care was declared: a human leads."""

from __future__ import annotations

from streams.scenario.scene import Scene
from streams.scenario.stories.parts import calls, waits_in_queue

__all__ = ["bereaved", "complains_in_public", "vulnerable_in_arrears"]


def bereaved(scene: Scene) -> None:
    """Somebody has died, and the form asks for their signature."""
    scene.contact("web", journey="estate", step="bereavement", intent="report_death", device="desktop")
    scene.say("page_view", 2, problem=True)
    scene.pause(10, 30)
    scene.say("form_error", field="signature")
    scene.pause(10, 30)
    scene.contact("chat", step="talk", team="care")
    scene.say("conversation.started", emotion=-0.9, first_time=True)
    scene.pause(5, 15)
    scene.say("message.sent", emotion=-0.9)
    scene.pause(60, 200)
    scene.say("message.received", agent_id=f"adv-{scene.chance.randint(1, 24):02d}")
    scene.pause(60, 160)
    scene.say("conversation.ended", result="resolved")


def vulnerable_in_arrears(scene: Scene) -> None:
    """Told the company once that they need care; the payment plan in the app breaks off."""
    scene.person(vulnerable=True)
    scene.contact("app", journey="arrears", step="plan", intent="payment_plan", device="phone")
    scene.say("page_view", 2, problem=True)
    scene.pause(10, 30)
    scene.say("form_error", field="monthly_amount")
    scene.pause(10, 25)
    scene.say("step.failed", reason="not_eligible")
    scene.pause(60, 160)
    calls(scene)
    waits_in_queue(scene, 40, 150, announced_s=60, queue="care")
    scene.pause(200, 400)
    scene.say("call.ended", talk_s=300, result="resolved")


def complains_in_public(scene: Scene) -> None:
    """Waited long enough in private; now everybody reads it."""
    calls(scene, journey="delivery", intent="refund")
    scene.step("queue", queue="service")
    scene.say("call.queued", announced_wait_s=60)
    before = scene.now
    scene.pause(200, 500)
    scene.say("call.abandoned", where="queue", wait_s=(scene.now - before) / 1000)
    scene.pause(60, 200)
    scene.person(emotion=-0.8)
    scene.contact("social", step="public")
    scene.say("social.mention")
    scene.pause(30, 120)
    scene.say("complaint.opened")
