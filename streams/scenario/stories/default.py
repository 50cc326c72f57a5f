"""Human contact by default: the digital service did not meet the need, so people call."""

from __future__ import annotations

from streams.scenario.scene import Scene
from streams.scenario.stories.parts import answers_survey, calls, waits_in_queue

__all__ = [
    "form_breaks_then_phone",
    "login_loops_then_chat",
    "mail_unanswered_then_call",
    "sent_back_and_forth",
]


def _form_fails(scene: Scene) -> None:
    scene.contact(
        "web", journey="claim", step="details", intent="file_claim", device="desktop", release="web-2026.47"
    )
    scene.say("session.start")
    scene.pause(4, 10)
    scene.say("form_start")
    scene.pause(6, 15)
    scene.say("form_change", field="policy_number")
    scene.pause(2, 6)
    scene.say("form_change", field="damage_date")
    scene.pause(3, 8)
    for _ in range(scene.chance.randint(2, 4)):
        scene.say("form_submit")
        scene.pause(1, 2)
        scene.say("form_error", field=scene.chance.choice(["damage_date", "iban"]))
        scene.pause(4, 12)
    scene.say("rage_click", scene.chance.randint(1, 3))
    scene.pause(1, 3)
    scene.say("step.failed", reason="validation")


def form_breaks_then_phone(scene: Scene) -> None:
    """A form that refuses, a bot that does not follow, a queue, another queue, and the story told again."""
    _form_fails(scene)
    scene.pause(5, 20)
    scene.contact("bot", step="assistant")
    scene.say("bot.message")
    for _ in range(2):
        scene.pause(3, 8)
        scene.say("bot.fallback")
        scene.pause(4, 10)
        scene.say("bot.message")
    scene.pause(3, 8)
    scene.say("bot.ended", result="handed_over" if scene.likely(0.4) else "left")
    scene.pause(10, 40)
    calls(scene)
    scene.step("queue", queue="claims")
    scene.say("call.queued", announced_wait_s=120)
    before = scene.now
    scene.pause(90, 240)
    scene.say("call.abandoned", where="queue", wait_s=(scene.now - before) / 1000)
    scene.pause(30, 150)
    calls(scene)
    waits_in_queue(scene, 120, 420, announced_s=120, queue="claims")
    scene.pause(30, 60)
    scene.say("info.repeated", field="policy_number")
    scene.pause(10, 30)
    scene.say("call.transferred", kind="blind", from_team="service", to_team="claims")
    scene.pause(20, 70)
    scene.say("info.repeated", 2, field="damage_date")
    scene.pause(120, 300)
    scene.say("call.ended", talk_s=360, result="resolved" if scene.likely(0.6) else "open")
    answers_survey(scene, 1, 3)


def login_loops_then_chat(scene: Scene) -> None:
    """The app will not let them in; the chat asks what they typed already."""
    scene.contact(
        "app", journey="account", step="login", intent="sign_in", device="phone", release="app-9.2.0"
    )
    scene.say("session.start")
    scene.pause(2, 5)
    for _ in range(scene.chance.randint(2, 3)):
        scene.say("form_submit")
        scene.pause(1, 2)
        scene.say("js_error")
        scene.say("error_click")
        scene.pause(5, 12)
    scene.say("quick_back")
    scene.pause(2, 4)
    scene.say("step.failed", reason="blocked")
    scene.pause(15, 50)
    scene.contact("chat", step="queue", team="digital")
    scene.say("conversation.started")
    scene.pause(2, 5)
    scene.say("conversation.enqueued", announced_wait_s=60)
    before = scene.now
    scene.pause(70, 260)
    scene.step("talk", agent_id=f"adv-{scene.chance.randint(1, 24):02d}")
    scene.say("conversation.assigned", wait_s=(scene.now - before) / 1000)
    scene.pause(10, 25)
    scene.say("info.repeated", field="user_name")
    scene.say("message.sent")
    scene.pause(20, 50)
    scene.say("message.received")
    scene.pause(30, 90)
    scene.say("conversation.ended", result="resolved")
    answers_survey(scene, 2, 4)


def mail_unanswered_then_call(scene: Scene) -> None:
    """The invoice explains nothing, nor does the search; the mail stays unanswered, so they call, twice."""
    scene.contact("web", journey="billing", step="invoice", intent="explain_invoice", device="desktop")
    scene.say("page_view", 2)
    scene.pause(10, 30)
    scene.say("search_no_results", 2, results=0)
    scene.pause(3, 9)
    scene.say("dead_click")
    scene.pause(30, 90)
    scene.contact("email", step="question", team="billing")
    scene.say("email.received")
    scene.pause(600, 1500)
    calls(scene)
    waits_in_queue(scene, 60, 200, announced_s=60, queue="billing")
    scene.pause(20, 40)
    scene.say("info.repeated", field="invoice_number")
    scene.pause(60, 150)
    scene.say("call.ended", talk_s=200, result="open")
    scene.pause(240, 600)
    calls(scene)
    waits_in_queue(scene, 60, 200, announced_s=60, queue="billing")
    scene.pause(120, 240)
    scene.say("call.ended", talk_s=180, result="resolved")
    answers_survey(scene, 1, 4)


def sent_back_and_forth(scene: Scene) -> None:
    """A parcel is lost: chat says call, the line says chat, and each asks everything again."""
    scene.contact("web", journey="delivery", step="tracking", intent="parcel_lost", device="phone")
    scene.say("page_view", 2)
    scene.pause(4, 12)
    scene.say("step.failed", reason="no_status")
    for channel in ("chat", "phone", "chat"):
        scene.pause(40, 160)
        if channel == "phone":
            calls(scene)
            waits_in_queue(scene, 60, 180, announced_s=90, queue="delivery")
            scene.say("info.repeated", field="parcel_number")
            scene.pause(30, 60)
            scene.say("call.transferred", kind="blind", from_team="service", to_team="delivery")
            scene.pause(40, 90)
            scene.say("step.failed", reason="not_in_charge")
            scene.say("call.ended", talk_s=140, result="open")
            continue
        scene.contact("chat", step="talk", team="delivery")
        scene.say("conversation.started")
        scene.pause(10, 30)
        scene.say("message.sent")
        scene.pause(30, 90)
        scene.say("message.received")
        scene.pause(10, 30)
        scene.say("info.repeated", field="parcel_number")
        scene.pause(30, 60)
        scene.say("step.failed", reason="not_in_charge")
        scene.say("conversation.ended", result="open")
