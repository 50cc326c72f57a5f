"""Attempts that are under way: begun, found again, kept alive, put off.

An attempt is a step, form, cart, queue, voice menu (``ivr``), bot or conversation. Steps, forms and carts
belong to a journey; the others to a conversation, whichever channel it is on.

>>> sorted(CONVERSED)
['bot', 'conversation', 'ivr', 'queue']
"""

from __future__ import annotations

from typing import Final

from detectors.bounds import MOST_ATTEMPTS
from detectors.events import Event
from detectors.hazard import reaches
from detectors.ids import number
from detectors.moment import Moment
from detectors.state import Attempt

__all__ = [
    "CONVERSED",
    "EXPLICIT",
    "INFERRED",
    "IS_EXPLICIT",
    "IS_INFERRED",
    "IS_OPEN",
    "OPEN",
    "add",
    "begin",
    "find",
    "keep_alive",
    "over",
    "thread",
    "timeout",
]

# One name a line: each is known when this is compiled.
OPEN: Final = 0
INFERRED: Final = 1
EXPLICIT: Final = 2
# Sets of them, for :func:`find`.
IS_OPEN: Final = 1 << OPEN
IS_INFERRED: Final = 1 << INFERRED
IS_EXPLICIT: Final = 1 << EXPLICIT
CONVERSED: Final = frozenset(["queue", "ivr", "bot", "conversation"])


def thread(e: Event) -> int:
    """What a reply is owed in: the conversation, else the case, else the session; 0 where none is named."""
    name = e.conversation or e.case_id or e.session
    return number(name) if name else 0


def _key(e: Event, kind: str) -> int:
    if kind not in CONVERSED:
        return 0
    if kind == "conversation":
        return thread(e)
    name = e.conversation or e.session
    return number(name) if name else 0


def find(m: Moment, e: Event, kind: str, states: int, anywhere: bool = False) -> Attempt | None:
    """The youngest attempt of this kind, in one of these ``states``, that the event can speak of.

    A step's or form's name must fit where the event gives one, unless ``anywhere`` in the journey will do.
    """
    best: Attempt | None = None
    for a in m.state.attempts:
        if a.kind != kind or not states >> a.status & 1 or a.start > e.time:
            continue
        if best is not None and a.start <= best.start:
            continue
        if _fits(e, a, anywhere):
            best = a
    return best


def _fits(e: Event, a: Attempt, anywhere: bool) -> bool:
    if a.kind in CONVERSED:
        key = _key(e, a.kind)
        return a.key == key if key and a.key else a.channel == e.channel
    if a.journey != e.journey:
        return False
    return anywhere or a.kind == "cart" or not e.step or a.step == e.step


def begin(m: Moment, e: Event, kind: str) -> Attempt:
    """Begin an attempt, or go on with the one that is open."""
    attempt = find(m, e, kind, IS_OPEN)
    if attempt is None:
        attempt = Attempt(kind, e.journey, e.step, e.release, e.channel, _key(e, kind), e.time, e.time, 0)
        attempt.due = e.time + timeout(m, attempt)
        attempt.source = e.source
        if m.policy.leaving:
            attempt.leaves = _leaves(m, attempt)
        add(m, attempt)
    return attempt


def add(m: Moment, attempt: Attempt) -> None:
    """Keep one more: what is closed makes room first, then what was begun longest ago."""
    attempts = m.state.attempts
    if len(attempts) >= MOST_ATTEMPTS:
        attempts.remove(min(attempts, key=lambda a: (a.status == OPEN, a.last, a.kind, a.key)))
    attempts.append(attempt)


def timeout(m: Moment, attempt: Attempt) -> int:
    """Idle time in ms after which this attempt counts as given up."""
    return m.policy.timeout(attempt.kind, attempt.journey, attempt.step)


def _leaves(m: Moment, attempt: Attempt) -> int:
    """After how long without anything the risk that nothing more comes is at the line; -1 for never."""
    policy = m.policy
    kind = attempt.kind
    hazard = policy.hazard_form if kind == "form" else policy.hazard_cart if kind == "cart" else None
    if hazard is None:
        return -1
    place = f"{attempt.journey}/{attempt.step}"
    return reaches(hazard, place, policy.hours.hour(attempt.last), timeout=timeout(m, attempt))


def over(m: Moment, attempt: Attempt, time: int) -> bool:
    """Whether it was given up, or taken to be, too long before ``time`` to have to do with it."""
    if attempt.kind == "conversation":
        return False
    known = attempt.given_up + (timeout(m, attempt) if attempt.status == INFERRED else 0)
    return time - known > m.policy.document.abandonment.recovery


def keep_alive(m: Moment, e: Event) -> None:
    """Whatever the customer does in the same journey or conversation shows that they are still at it."""
    if (e.actor == "company" and e.direction == "outbound") or e.type == "session.end":
        return
    for attempt in m.state.attempts:
        if attempt.status != OPEN or e.time <= attempt.last:
            continue
        if attempt.key or attempt.kind in CONVERSED:
            here = attempt.key != 0 and attempt.key == _key(e, attempt.kind)
        else:
            here = attempt.journey == e.journey and attempt.channel == e.channel
        if here:
            attempt.last = e.time
            attempt.due = e.time + timeout(m, attempt)
            attempt.source = e.source
            if m.policy.leaving:
                attempt.leaves = _leaves(m, attempt)
