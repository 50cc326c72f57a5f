"""Replies that are owed, and customers who gave up on them without a word.

Silent abandonment: the customer was owed a reply and, after it came late or never, did not return. Quiet
after a timely answer is *unknown*, not abandonment. On channels that answer later, only service hours and
only the time beyond the promise count as waiting.

>>> from detectors.examples import fold, minutes
>>> ask, reply = ("message.sent", 0, {"conversation_id": "c"}), {"conversation_id": "c"}
>>> def silent(at):
...     found = fold(ask, ("message.received", minutes(at), reply), until=minutes(99))
...     return len(found.rows("abandonments", silent=1))
>>> silent(2), silent(10)  # in time: quiet is unknown; too late: they had gone
(0, 1)
"""

from __future__ import annotations

from typing import Final

from detectors import abandonment, quiet, waiting
from detectors.attempts import INFERRED, IS_INFERRED, IS_OPEN, add, find, thread
from detectors.bounds import MOST_OWED
from detectors.events import Event
from detectors.moment import Moment
from detectors.state import Attempt, Journey, Owed, Wait

__all__ = ["SPEAKS", "expire", "on_event", "on_late"]

_ASKS: Final = frozenset(
    ["message.sent", "message.received", "email.received", "ticket.created", "ticket.comment_added"]
)
_TICKET: Final = frozenset(["ticket.created", "ticket.comment_added"])
_ANSWERS: Final = frozenset(
    [
        "message.sent",
        "message.received",
        "email.replied",
        "ticket.comment_added",
        "ticket.solved",
        "callback.completed",
    ]
)
# Types that this detector has anything to do with; beside them, whatever the company does on a case.
SPEAKS: Final = _ASKS | _ANSWERS | {"conversation.assigned", "conversation.abandoned", "conversation.ended"}


def on_event(m: Moment, e: Event, journey: Journey) -> None:
    """Follow who owes whom a reply in this event's conversation."""
    if e.actor == "customer" and e.type in _ASKS:
        _asked(m, e)
    elif e.actor == "company" and e.type in _ANSWERS:
        _answered(m, e, journey)
    elif e.type == "conversation.assigned":
        _attended(m, e)
    elif e.type == "conversation.abandoned":
        _said(m, e)
    elif e.type == "conversation.ended" and (found := _find(m, e)):
        # Closed in time, or with a result, nothing is owed any more.
        if e.result == "resolved" or (not found.replied and e.time <= found.promised):
            m.state.owed.remove(found)
        elif found.replied and not found.ended:
            found.ended = e.time
    elif e.case_id and e.actor == "company" and (found := _find(m, e)) and not found.replied:
        # Somebody is at work on the case: it is late perhaps, but nobody has given up.
        found.due = max(found.due, e.time + m.policy.document.abandonment.unanswered_async)


def on_late(m: Moment, e: Event) -> None:
    """A customer's word that comes too late to be scored still shows that they had not given up."""
    if e.actor == "customer" and e.type in _ASKS and (given_up := _given_up(m, e)):
        abandonment.recover(m, given_up)


def _find(m: Moment, e: Event) -> Owed | None:
    key = thread(e)
    for owed in reversed(m.state.owed):
        if owed.key == key and (key or owed.channel == _channel(e)):
            return owed
    return None


def _channel(e: Event) -> str:
    """Where an answer is owed: a ticket opened by telephone is answered like a ticket."""
    return "ticket" if e.type in _TICKET else e.channel


def _promised(m: Moment, channel: str, since: int) -> int:
    """When a reply to what was asked at ``since`` is due."""
    span = m.policy.promise(channel)
    return m.policy.hours.after(since, span) if m.policy.answers_later(channel) else since + span


def _asked(m: Moment, e: Event) -> None:
    found = _find(m, e)
    spoke = 0
    if found is not None:
        if not found.replied:
            # Asks again while owed: the wait goes on from the first question, and they are still there.
            found.due = max(found.due, e.time + _patience(m, found.channel))
            return
        m.state.owed.remove(found)  # goes on after the answer
        quiet.heard(m, found)
        spoke = 1
    given_up = _given_up(m, e)
    if given_up is not None:
        abandonment.recover(m, given_up)
    owed = m.state.owed
    if len(owed) >= MOST_OWED:
        # Who was answered in time has most probably got what they wanted.
        owed.remove(min(owed, key=lambda one: (not 0 < one.replied <= one.promised, one.since, one.key)))
    channel = _channel(e)
    promised = _promised(m, channel, e.time)
    due = promised + _patience(m, channel)
    owed.append(
        Owed(thread(e), channel, e.journey, e.step, e.time, promised, 0, due, e.source, e.time, spoke)
    )


def _waited(m: Moment, channel: str, since: int, until: int) -> float:
    """Seconds of waiting on a channel: of service hours where answers come later."""
    later = m.policy.answers_later(channel)
    return (m.policy.hours.between(since, until) if later else until - since) / 1000


def _patience(m: Moment, channel: str) -> int:
    """How long beyond its promise a reply may be owed before it counts as never."""
    rules = m.policy.document.abandonment
    return rules.unanswered_async if m.policy.answers_later(channel) else rules.unanswered


def _attended(m: Moment, e: Event) -> None:
    """The wait in the queue is counted as one; the reply is owed from here on by whoever took over."""
    found = _find(m, e)
    queued = e.wait_s or find(m, e, "queue", IS_OPEN)
    if found is None or found.replied or not queued or m.policy.answers_later(found.channel):
        return
    found.since = max(found.since, e.time)
    found.promised = _promised(m, found.channel, found.since)
    found.due = found.promised + _patience(m, found.channel)


def _said(m: Moment, e: Event) -> None:
    """Who says that they leave is not silent: what they were owed ends in that abandonment."""
    found = _find(m, e)
    if found is None:
        return
    m.state.owed.remove(found)
    if not find(m, e, "queue", IS_OPEN | IS_INFERRED):
        kind = "conversation"
        attempt = Attempt(
            kind,
            found.journey,
            found.step,
            e.release,
            found.channel,
            found.key,
            found.since,
            found.since,
            e.time,
        )
        add(m, attempt)


def _given_up(m: Moment, e: Event) -> Attempt | None:
    """The conversation that had counted as silently abandoned and that the customer now goes on with."""
    key = thread(e)
    for attempt in m.state.attempts:
        fits = attempt.key == key and (key or attempt.channel == e.channel)
        if attempt.kind == "conversation" and attempt.status and fits and attempt.start <= e.time:
            return attempt
    return None


def _answered(m: Moment, e: Event, journey: Journey) -> None:
    if e.type == "ticket.solved" and (given_up := _given_up(m, e)):
        abandonment.recover(m, given_up)
    found = _find(m, e)
    if found is None or found.replied:
        return
    seconds = _waited(m, found.channel, found.since, e.time)
    wait = Wait("reply", found.channel, found.journey, "", found.key, found.since)
    waiting.close(m, e, journey, wait, "answered", seconds)
    if e.type == "ticket.solved":
        m.state.owed.remove(found)
        return
    rules = m.policy.document.abandonment
    later = m.policy.answers_later(found.channel)
    found.replied = e.time
    found.due = e.time + (rules.conversation_async if later else rules.conversation)


def expire(m: Moment, owed: Owed) -> None:
    """Owed too long, or answered and nobody came back: silently abandoned, where that is likely enough."""
    m.state.owed.remove(owed)
    if not owed.replied:
        wait = Wait("reply", owed.channel, owed.journey, "", owed.key, owed.since)
        waiting.unheard(m, wait, m.time, _waited(m, owed.channel, owed.since, m.time), "unanswered")
    if any(a.kind == "queue" and a.status and a.key == owed.key != 0 for a in m.state.attempts):
        return  # left while still in the queue: that is one abandonment, not two
    probability = quiet.probability(m, owed, _waited(m, owed.channel, owed.asked, owed.replied or m.time))
    if probability < m.policy.silence.line:
        return
    journey = m.journey(owed.journey)
    last = owed.replied or owed.since
    waited = _waited(m, owed.channel, owed.since, owed.replied or m.time)
    attempt = Attempt(
        "conversation", owed.journey, owed.step, journey.release, owed.channel, owed.key, owed.since, last, 0
    )
    add(m, attempt)
    abandonment.give_up(m, attempt, INFERRED, last, wait_s=waited, probability=probability)
