"""Replies that are owed, and customers who gave up on them without a word.

Silent abandonment: the customer was owed a reply and, after it came late or never, did not return. Quiet
after a timely answer is *unknown*, not abandonment. On channels that answer later, only service hours and
only the time beyond the promise count as waiting.
"""

from __future__ import annotations

from detectors import abandonment, waiting
from detectors.events import Event
from detectors.ids import number
from detectors.moment import Moment
from detectors.state import MOST_ATTEMPTS, MOST_OWED, Attempt, Journey, Owed, Wait

__all__ = ["expire", "on_event"]

_ASKS = frozenset(
    ["message.sent", "message.received", "email.received", "ticket.created", "ticket.comment_added"]
)
_TICKET = frozenset(["ticket.created", "ticket.comment_added"])
_ANSWERS = frozenset(
    [
        "message.sent",
        "message.received",
        "email.replied",
        "ticket.comment_added",
        "ticket.solved",
        "callback.completed",
    ]
)


def on_event(m: Moment, e: Event, journey: Journey) -> None:
    """Follow who owes whom a reply in this event's conversation."""
    if e.actor == "customer" and e.type in _ASKS:
        _asked(m, e)
    elif e.actor == "company" and e.type in _ANSWERS:
        _answered(m, e, journey)
    elif e.type == "conversation.ended" and (found := _find(m, e)):
        # Closed in time, or with a result, nothing is owed any more.
        if e.result == "resolved" or (not found.replied and e.time <= found.promised):
            m.state.owed.remove(found)
    elif e.case_id and e.actor == "company" and (found := _find(m, e)) and not found.replied:
        # Somebody is at work on the case: it is late perhaps, but nobody has given up.
        found.due = max(found.due, e.time + m.policy.document.abandonment.unanswered_async)


def _key(e: Event) -> int:
    name = e.conversation or e.case_id or e.session
    return number(name) if name else 0


def _find(m: Moment, e: Event) -> Owed | None:
    key = _key(e)
    for owed in reversed(m.state.owed):
        if owed.key == key and (key or owed.channel == e.channel):
            return owed
    return None


def _promised(m: Moment, channel: str, since: int) -> int:
    """When a reply to what was asked at ``since`` is due."""
    span = m.policy.promise(channel)
    return m.policy.hours.after(since, span) if m.policy.answers_later(channel) else since + span


def _asked(m: Moment, e: Event) -> None:
    found = _find(m, e)
    if found is not None:
        if not found.replied:
            return  # asks again while owed: the wait goes on from the first question
        m.state.owed.remove(found)  # came back after a late answer
    given_up = _given_up(m, e)
    if given_up is not None:
        abandonment.recover(m, given_up)
    owed = m.state.owed
    if len(owed) >= MOST_OWED:
        owed.remove(min(owed, key=lambda entry: (entry.since, entry.key)))
    # A ticket opened by telephone is answered like a ticket.
    channel = "ticket" if e.type in _TICKET else e.channel
    promised = _promised(m, channel, e.time)
    rules = m.policy.document.abandonment
    due = promised + (rules.unanswered_async if m.policy.answers_later(channel) else rules.unanswered)
    owed.append(Owed(_key(e), channel, e.journey, e.step, e.time, promised, 0, due))


def _given_up(m: Moment, e: Event) -> Attempt | None:
    """The conversation that had counted as silently abandoned and that the customer now goes on with."""
    key = _key(e)
    for attempt in m.state.attempts:
        if attempt.kind == "conversation" and attempt.status and attempt.key == key and key:
            return attempt
    return None


def _answered(m: Moment, e: Event, journey: Journey) -> None:
    if e.type == "ticket.solved" and (given_up := _given_up(m, e)):
        abandonment.recover(m, given_up)
    found = _find(m, e)
    if found is None or found.replied:
        return
    late = e.time > found.promised
    if m.policy.answers_later(found.channel):
        seconds = m.policy.hours.between(found.since, e.time) / 1000
    else:
        seconds = (e.time - found.since) / 1000
    wait = Wait("reply", found.channel, found.journey, "", found.key, found.since)
    waiting.close(m, e, journey, wait, "answered", seconds)
    if late and e.type != "ticket.solved":
        rules = m.policy.document.abandonment
        later = m.policy.answers_later(found.channel)
        found.replied = e.time
        found.due = e.time + (rules.conversation_async if later else rules.conversation)
    else:
        m.state.owed.remove(found)


def expire(m: Moment, owed: Owed) -> None:
    """Owed too long, or answered too late and nobody came back: silently abandoned."""
    m.state.owed.remove(owed)
    attempts = m.state.attempts
    if len(attempts) >= MOST_ATTEMPTS:
        attempts.remove(min(attempts, key=lambda a: (a.status == abandonment.OPEN, a.last, a.kind, a.key)))
    journey = m.journey(owed.journey)
    last = owed.replied or owed.since
    attempt = Attempt(
        "conversation", owed.journey, owed.step, journey.release, owed.channel, owed.key, owed.since, last, 0
    )
    attempts.append(attempt)
    waited = (last - owed.since) / 1000 if owed.replied else (m.time - owed.since) / 1000
    abandonment.give_up(m, attempt, abandonment.INFERRED, last, wait_s=waited, silent=True)
