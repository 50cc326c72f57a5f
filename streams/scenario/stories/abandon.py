"""Attempts given up: said so, or just stopped; some come back."""

from __future__ import annotations

from streams.scenario.scene import Scene
from streams.scenario.stories.parts import calls

__all__ = [
    "comes_back_to_cart",
    "hangs_up_in_menu",
    "hangs_up_waiting",
    "leaves_bot",
    "leaves_cart",
    "leaves_form",
    "stops_at_cart",
    "stops_at_form",
]


def _fills_cart(scene: Scene) -> None:
    scene.contact("web", journey="order", step="basket", intent="buy", device="phone")
    scene.say("session.start")
    scene.pause(5, 20)
    scene.say("page_view", 2)
    scene.pause(10, 30)
    scene.step("address")
    scene.say("checkout_step")
    scene.pause(10, 30)
    scene.step("payment")
    scene.say("checkout_step")


def leaves_cart(scene: Scene) -> None:
    """Shipping turns out dear; they close the cart."""
    _fills_cart(scene)
    scene.pause(10, 40)
    scene.say("journey.abandoned", where="cart", reason="shipping_cost")


def stops_at_cart(scene: Scene) -> None:
    """Card refused twice, and then nothing more is heard."""
    _fills_cart(scene)
    scene.pause(5, 15)
    scene.say("form_error", 2, field="card")


def comes_back_to_cart(scene: Scene) -> None:
    """Interrupted; buys after all, long after the cart was taken for lost."""
    _fills_cart(scene)
    scene.pause(3_900, 5_400)
    scene.contact("web", step="payment", device="phone")
    scene.say("page_view")
    scene.pause(10, 30)
    scene.say("checkout_step")
    scene.pause(10, 30)
    scene.say("purchase", amount=scene.chance.randint(20, 90))


def _starts_form(scene: Scene) -> None:
    scene.contact("web", journey="quote", step="household", intent="get_quote", device="desktop")
    scene.say("form_start")
    for field in ("address", "rooms", "value"):
        scene.pause(5, 20)
        scene.say("form_change", field=field)


def leaves_form(scene: Scene) -> None:
    """One question too many, and they leave the page."""
    _starts_form(scene)
    scene.pause(3, 10)
    scene.say("form_error", field="value")
    scene.pause(5, 20)
    scene.say("form_abandoned")


def stops_at_form(scene: Scene) -> None:
    """The form stays open in a forgotten tab."""
    _starts_form(scene)


def leaves_bot(scene: Scene) -> None:
    """The assistant does not understand; they go without a word."""
    scene.contact("bot", journey="billing", step="assistant", intent="dispute_invoice")
    scene.say("bot.message")
    for _ in range(3):
        scene.pause(3, 8)
        scene.say("bot.fallback")
        scene.pause(4, 10)
        scene.say("bot.message")
    scene.pause(5, 15)
    scene.say("bot.ended", result="left")


def hangs_up_waiting(scene: Scene) -> None:
    """Some hang up at once (a short abandon), most after more than was announced."""
    calls(scene, journey="account", intent="change_tariff")
    scene.step("queue", queue="service")
    scene.say("call.queued", announced_wait_s=90)
    before = scene.now
    if scene.likely(0.3):
        scene.pause(1, 4)
    else:
        scene.pause(80, 260)
    scene.say("call.abandoned", where="queue", wait_s=(scene.now - before) / 1000)


def hangs_up_in_menu(scene: Scene) -> None:
    """Nine options, none of them theirs."""
    scene.contact("phone", journey="account", step="menu", intent="change_tariff")
    scene.say("ivr.enter")
    scene.pause(10, 20)
    scene.say("ivr.menu", 3)
    scene.pause(5, 15)
    scene.say("call.abandoned", where="ivr")
