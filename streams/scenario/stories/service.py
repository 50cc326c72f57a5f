"""What the company does with a contact: answers late or never, guides, reopens, calls back or does not."""

from __future__ import annotations

from streams.scenario.scene import Scene
from streams.scenario.stories.parts import answers_survey, calls, waits_in_queue

__all__ = [
    "call_back_missed",
    "guided_elsewhere",
    "help_offered",
    "late_reply",
    "never_answered",
    "ticket_reopened",
]


def _writes(scene: Scene, channel: str) -> None:
    scene.contact(channel, journey="delivery", step="ask", intent="delivery_date", team="delivery")
    scene.say("conversation.started")
    scene.pause(2, 10)
    scene.say("message.sent")


def late_reply(scene: Scene) -> None:
    """The answer comes, much later than anybody waits; some return, some do not."""
    _writes(scene, scene.chance.choice(["chat", "messaging"]))
    scene.pause(900, 1_800)
    scene.say("message.received", agent_id=f"adv-{scene.chance.randint(1, 24):02d}")
    if scene.likely(0.3):
        scene.pause(60, 200)
        scene.say("message.sent")
        scene.pause(20, 60)
        scene.say("message.received")
        scene.pause(10, 60)
        scene.say("conversation.ended", result="resolved")


def never_answered(scene: Scene) -> None:
    """Nobody replies; they ask once more and are gone."""
    _writes(scene, "chat")
    scene.pause(90, 240)
    scene.say("message.sent")


def guided_elsewhere(scene: Scene) -> None:
    """The chat cannot explain an invoice and says who can; they follow."""
    scene.contact("chat", journey="billing", step="ask", intent="explain_invoice", team="billing")
    scene.say("conversation.started")
    scene.pause(5, 15)
    scene.say("message.sent")
    scene.pause(15, 45)
    scene.say("message.received")
    scene.pause(10, 30)
    scene.say("channel.suggested", to_channel="phone")
    scene.pause(5, 20)
    scene.say("conversation.ended", result="guided")
    scene.pause(30, 90)
    calls(scene)
    waits_in_queue(scene, 5, 30, announced_s=30, queue="billing")
    scene.pause(90, 200)
    scene.say("call.ended", talk_s=140, result="resolved")
    answers_survey(scene, 5, 7)


def ticket_reopened(scene: Scene) -> None:
    """Declared solved; it is not."""
    case = f"T-{scene.prefix}"
    scene.contact(
        "ticket", journey="repair", step="report", intent="router_down", case_id=case, team="repair"
    )
    scene.say("ticket.created", priority="normal")
    scene.pause(120, 300)
    scene.say("ticket.assignment_changed", from_team="service", to_team="repair")
    scene.pause(200, 500)
    scene.say("ticket.assignment_changed", from_team="repair", to_team="network")
    scene.pause(200, 500)
    scene.say("ticket.solved", result="resolved")
    scene.pause(120, 400)
    scene.say("ticket.reopened")
    scene.pause(20, 60)
    scene.say("ticket.comment_added", emotion=-0.4)
    scene.pause(400, 900)
    scene.say("ticket.solved", result="resolved")
    answers_survey(scene, 2, 4)


def call_back_missed(scene: Scene) -> None:
    """A call-back is promised; it comes while they are out, and the line is busy when they call."""
    calls(scene, journey="repair", intent="book_technician")
    scene.step("queue", queue="repair")
    scene.say("call.queued", announced_wait_s=600)
    scene.pause(30, 60)
    scene.say("callback.requested")
    scene.pause(300, 700)
    scene.say("callback.missed")
    scene.pause(60, 200)
    calls(scene)
    waits_in_queue(scene, 200, 400, announced_s=300, queue="repair")
    scene.pause(100, 200)
    scene.say("call.ended", talk_s=150, result="resolved")


def help_offered(scene: Scene) -> None:
    """Stuck in a form; help is offered, and taken or not."""
    scene.contact("web", journey="claim", step="details", intent="file_claim", device="desktop")
    scene.say("form_start")
    scene.pause(20, 50)
    scene.say("form_error", 2, field="iban")
    scene.pause(5, 15)
    scene.say("help.offered", to_channel="chat")
    scene.pause(5, 20)
    if not scene.likely(0.6):
        scene.say("help.declined")
        scene.pause(30, 90)
        scene.say("form_submit")
        return
    scene.say("help.accepted")
    scene.contact("chat", step="talk", team="digital")
    scene.say("conversation.started")
    scene.pause(20, 60)
    scene.say("message.received")
    scene.pause(30, 90)
    scene.say("conversation.ended", result="resolved")
    scene.pause(20, 60)
    scene.contact("web", step="details", device="desktop")
    scene.say("form_submit")
    scene.say("step.completed")
