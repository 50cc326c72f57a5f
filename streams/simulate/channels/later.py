"""Mails and tickets: asked now, answered in service hours, or never."""

from __future__ import annotations

from streams.simulate import course as c
from streams.simulate.channels.talk import agent
from streams.simulate.company import HOUR
from streams.simulate.course import Course
from streams.simulate.draws import exponential, lognormal

__all__ = ["mail", "reply", "ticket"]

# How often a person asks again before trying elsewhere.
MOST_ASKED = 2


def mail(m: Course) -> str:
    """Write, and wait."""
    m.open("email")
    m.reply_on, m.reply_handle = "email", m.handle
    _asks(m, "email.received")
    return "reply"


def ticket(m: Course) -> str:
    """Somebody of the company leaves it with another team."""
    if m.case:
        m.say("ticket.updated", channel="ticket", step="case", actor="company")
        event = m.last_event
    else:
        m.case = f"case-{m.handle}"
        m.wait(5.0)
        event = m.say("ticket.created", channel="ticket", step="case", actor="company", direction="outbound")
    m.reply_on, m.reply_handle = "ticket", m.handle
    m.asked = (m.now, event)
    return "reply"


def _asks(m: Course, kind: str) -> None:
    event = m.say(kind, channel=m.reply_on, handle=m.reply_handle, step="question", **m.voice())
    m.asked = (m.now, event)
    m.told = True


def reply(m: Course) -> str:
    """Wait for the answer: ``settled``, ``reply`` after asking again, ``choose``, or ``over``."""
    of = m.of.reply
    work = lognormal(m.luck(c.DELAY), of.median_h, of.sigma)
    due = m.company.replies_at(m.now, work)
    never = m.luck(c.NEVER) < of.never
    patience = round(exponential(m.luck(c.GIVE_UP), of.patience_h) * m.person.patience * HOUR)
    if never or due - m.now > patience:
        return _stops_waiting(m, patience, 0 if never else due)
    m.stage.now = due
    settles = m.matter.spec.mail if m.reply_on == "email" else m.matter.spec.talk
    done = m.luck(c.MAIL) < settles
    _answered(m, done)
    if done:
        return m.settle("human")
    m.disappoint(m.of.mood.reply / 2)
    m.pause(HOUR / 1000)
    if m.turns[c.MAIL] < MOST_ASKED and m.any() < 0.5:
        _asks(m, "email.received" if m.reply_on == "email" else "ticket.comment_added")
        return "reply"
    return "choose"


def _answered(m: Course, done: bool) -> None:
    if m.reply_on == "email":
        m.say("email.replied", channel="email", handle=m.reply_handle, step="answer", agent_id=agent(m))
    elif done:
        m.say("ticket.solved", channel="ticket", handle=m.reply_handle, step="case", agent_id=agent(m))
    else:
        m.say("ticket.comment_added", channel="ticket", handle=m.reply_handle, step="case", actor="company")


def _stops_waiting(m: Course, patience: int, due: int) -> str:
    m.stage.now += patience
    if due:
        kind = "email.replied" if m.reply_on == "email" else "ticket.solved"
        m.later(kind, m.reply_on, m.reply_handle, due, step="answer", agent_id=agent(m))
    m.abandon("conversation", "question", m.asked, how="stopped", silent=True, channel=m.reply_on)
    m.disappoint(m.of.mood.reply)
    if m.luck(c.SILENT_REPLY) < m.of.reply.silent:
        m.ended = "gave_up"
        return "over"
    return "choose"
