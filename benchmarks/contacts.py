"""What one customer does in one contact with a bot or with people: the other stories of the workload."""

from __future__ import annotations

from benchmarks.visits import INTENTS, Visit

__all__ = ["bot", "chat", "email", "phone", "store", "ticket"]

QUEUES = ("billing", "service", "sales")


def bot(v: Visit) -> None:
    """A talk with the assistant; what it cannot solve goes on in a chat."""
    intent = v.rng.choice(INTENTS)
    v.on("bot", journey="account", intent=intent, conversation_id=f"b{v.number:08x}")
    for _ in range(2 + int(v.rng.expovariate(1 / 2))):
        v.say("bot.message", 15)
        if v.chance(0.15):
            v.say("bot.fallback", 1)
    result = v.rng.choices(("resolved", "left", "handed_over"), (45, 30, 25))[0]
    if result == "handed_over":
        v.say("human.requested", 5)
    v.say("bot.ended", 5, result=result)
    if result == "handed_over":
        _talk(v, "chat", intent)


def chat(v: Visit) -> None:
    """A chat, or messages over some hours."""
    _talk(v, "messaging" if v.chance(0.3) else "chat", v.rng.choice(INTENTS))


def _talk(v: Visit, channel: str, intent: str) -> None:
    slow = 600 if channel == "messaging" else 25
    v.on(channel, journey="account", intent=intent, conversation_id=f"c{v.number:08x}", case_id=v.case)
    v.say("conversation.started", 1)
    v.say("message.sent", 10)
    v.say("conversation.enqueued", 1, queue=v.rng.choice(QUEUES), announced_wait_s=60)
    if v.chance(0.12):
        if v.chance(0.5):
            v.say("conversation.abandoned", slow * 3, where="queue")
        return
    v.say("conversation.assigned", slow * 2, agent_id=f"a{v.rng.randrange(200)}", team="service")
    for _ in range(1 + int(v.rng.expovariate(1 / 3))):
        v.say("message.received", slow)
        v.say("message.sent", slow, **({"emotion": -0.4} if v.chance(0.1) else {}))
    if v.chance(0.1):
        kind = v.rng.choice(("blind", "warm", "consult"))
        v.say("conversation.transferred", slow, kind=kind, from_team="service", to_team="billing")
    if v.chance(0.05):
        v.say("info.repeated", slow)
    if v.chance(0.9):
        v.say("conversation.ended", slow, result="resolved" if v.chance(0.75) else "open")
    _survey(v, 0.1)


def phone(v: Visit) -> None:
    """A call: menu, queue, person; waits and shares near those of a real call centre (Anonymous Bank)."""
    v.on("phone", journey="account", intent=v.rng.choice(INTENTS), conversation_id=f"p{v.number:08x}")
    if v.chance(0.4):
        v.about["case_id"] = v.case
    v.say("ivr.enter", 0)
    for _ in range(v.rng.randrange(1, 4)):
        v.say("ivr.menu", 8, step=v.rng.choice(("main", "billing", "other")))
    if v.chance(0.15):
        v.say("ivr.exit", 5, result=v.rng.choice(("left", "resolved")))
        return
    v.say("ivr.exit", 3, result="queue")
    queue = v.rng.choice(QUEUES)
    v.say("call.queued", 1, queue=queue)
    wait = round(v.rng.expovariate(1 / 75), 1)
    if v.chance(0.18):
        v.say("call.abandoned", wait, where="queue", wait_s=wait, queue=queue)
        return
    if v.chance(0.02):
        v.say("call.voicemail", wait)
        return
    v.say("call.connected", wait, wait_s=wait, queue=queue, agent_id=f"a{v.rng.randrange(200)}")
    if v.chance(0.2):
        v.say("call.held", 60, wait_s=40)
    if v.chance(0.12):
        v.say("call.transferred", 90, kind=v.rng.choice(("blind", "warm", "consult")), to_team="billing")
    talk = round(v.rng.expovariate(1 / 177), 1)
    v.say("call.ended", talk, talk_s=talk, result="resolved" if v.chance(0.7) else "open")
    _survey(v, 0.08)


def email(v: Visit) -> None:
    """A letter and its answer some hours later."""
    v.on("email", journey="account", intent=v.rng.choice(INTENTS), conversation_id=f"m{v.number:08x}")
    v.about["case_id"] = v.case
    v.say("email.received", 0)
    for _ in range(v.rng.randrange(1, 3)):
        v.say("email.replied", 3 * 3600)
        if v.chance(0.5):
            v.say("email.received", 3600)


def ticket(v: Visit) -> None:
    """A ticket through its life, or a complaint."""
    if v.chance(0.15):
        v.on("other", journey="claim", intent=v.rng.choice(INTENTS), case_id=v.case)
        v.say("complaint.opened", 0)
        if v.chance(0.6):
            v.say("complaint.closed", 6 * 3600)
        return
    case = f"T-{v.number:06x}"
    v.on("ticket", journey="account", intent=v.rng.choice(INTENTS), case_id=case, priority=v.rng.randrange(4))
    v.say("ticket.created", 0)
    for _ in range(v.rng.randrange(1, 5)):
        kind = v.rng.choices(
            (
                "ticket.updated",
                "ticket.comment_added",
                "ticket.assignment_changed",
                "ticket.priority_changed",
            ),
            (50, 25, 20, 5),
        )[0]
        v.say(kind, 3600)
    v.say("ticket.solved", 2 * 3600)
    if v.chance(0.05):
        v.say("ticket.reopened", 3600)
    _survey(v, 0.1)


def store(v: Visit) -> None:
    """A visit to a shop, or a word about it in public."""
    if v.chance(0.15):
        v.on("social", journey="order", conversation_id=f"t{v.number:08x}")
        v.say("social.mention", 0, emotion=round(v.rng.uniform(-1, 1), 2))
        return
    v.on("store", journey="order", session_id=f"v{v.number:08x}", step="counter")
    v.say("store.visit", 0)
    if v.chance(0.5):
        v.say("store.wait", 120, wait_s=round(v.rng.expovariate(1 / 180), 1))
    if v.chance(0.7):
        v.say("store.assisted", 120)
    if v.chance(0.4):
        v.say("purchase", 300, amount=round(v.rng.lognormvariate(3.5, 0.8), 2))


def _survey(v: Visit, share: float) -> None:
    if v.chance(share):
        journey = v.about["journey"]
        v.on("survey", journey=journey)
        score = v.rng.choice((1, 3, 5, 6, 6, 7, 7))
        v.say("survey.response", 1800, metric="ces", version="2.0", score=score)
