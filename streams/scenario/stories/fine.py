"""People who get on well: what must never raise an alert."""

from __future__ import annotations

from streams.scenario.scene import Scene
from streams.scenario.stories.parts import answers_survey, calls, waits_in_queue

__all__ = [
    "bot_knows",
    "buys_in_three_steps",
    "collects_in_store",
    "goes_on_in_the_app",
    "mail_answered_in_time",
    "searches_and_buys",
    "short_call",
]


def _checks_out(scene: Scene, amount: float) -> None:
    for step in ("address", "payment"):
        scene.step(step)
        scene.say("checkout_step")
        scene.pause(8, 30)
        scene.say("step.completed")
        scene.pause(1, 4)
    scene.step("confirm")
    scene.say("purchase", amount=amount)


def buys_in_three_steps(scene: Scene) -> None:
    """Basket, address, payment, done."""
    scene.contact("web", journey="order", step="basket", intent="buy", device="desktop")
    scene.say("session.start")
    scene.pause(5, 25)
    scene.say("page_view", 2)
    scene.pause(4, 12)
    _checks_out(scene, scene.chance.randint(15, 180))
    scene.pause(3, 10)
    scene.say("session.end")
    answers_survey(scene, 6, 7, 0.2)


def goes_on_in_the_app(scene: Scene) -> None:
    """Looks at the desk, buys on the phone's app: hopping that is not failure."""
    scene.contact("web", journey="order", step="product", intent="buy", device="desktop")
    scene.say("session.start")
    scene.pause(5, 15)
    scene.say("page_view", 3)
    scene.pause(60, 240)
    scene.contact("app", step="basket", device="phone")
    scene.say("session.start")
    scene.pause(4, 12)
    scene.say("button_click", 2)
    _checks_out(scene, scene.chance.randint(20, 90))


def searches_and_buys(scene: Scene) -> None:
    """Finds it by name."""
    scene.contact("app", journey="order", step="search", intent="buy", device="phone")
    scene.say("search", results=scene.chance.randint(3, 40))
    scene.pause(4, 12)
    scene.say("page_view")
    scene.pause(10, 40)
    scene.step("basket")
    scene.say("button_click")
    _checks_out(scene, scene.chance.randint(10, 60))


def mail_answered_in_time(scene: Scene) -> None:
    """A question by mail, and the answer well before it was promised."""
    scene.contact("email", journey="billing", step="question", intent="explain_invoice", team="billing")
    scene.say("email.received")
    scene.pause(300, 900)
    scene.say("email.replied", agent_id=f"adv-{scene.chance.randint(1, 24):02d}")
    answers_survey(scene, 5, 7)


def bot_knows(scene: Scene) -> None:
    """The assistant answers at once."""
    scene.contact("bot", journey="delivery", step="ask", intent="where_is_my_parcel")
    scene.say("bot.message")
    scene.pause(3, 8)
    scene.say("bot.message", actor="machine", direction="outbound")
    scene.pause(5, 20)
    scene.say("bot.ended", result="resolved")


def short_call(scene: Scene) -> None:
    """Half a minute in the queue, one advisor, done."""
    calls(scene, journey="account", intent="change_address")
    waits_in_queue(scene, 4, 25, announced_s=30)
    talk = scene.chance.randint(60, 200)
    scene.pause(talk, talk)
    scene.say("call.ended", talk_s=talk, result="resolved")
    answers_survey(scene, 5, 7)


def collects_in_store(scene: Scene) -> None:
    """Ordered on the web, collected in the store, as the company proposed."""
    scene.contact("web", journey="order", step="basket", intent="collect", device="tablet")
    scene.say("page_view", 2)
    scene.pause(5, 20)
    _checks_out(scene, scene.chance.randint(30, 120))
    scene.pause(2, 5)
    scene.say("channel.suggested", to_channel="store")
    scene.pause(200, 500)
    scene.contact("store", step="collect")
    scene.say("store.visit")
    scene.pause(20, 60)
    scene.say("store.assisted", wait_s=30)
