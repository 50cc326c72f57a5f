"""Abandonment: attempts that were begun and given up, said so or inferred by a time-out.

The id of one is customer + kind + journey + step + start (and conversation, where it has one), so that a
time-out and the event that says the same later are one. A completion, however late, turns an abandonment into
a recovered one and resolves its alert.

>>> from detectors.examples import fold, minutes
>>> found = fold(
...     ("form_start", 0, {"journey": "loan", "step": "income"}),
...     ("form_submit", minutes(90), {"journey": "loan", "step": "income"}),
... )
>>> [(row["kind"], row["given_up_at"], row["recovered_at"]) for row in found.rows("abandonments")]
[('form', 0, 5400000)]
>>> [(row["signal"], row["time"]) for row in found.rows("signals")]
[('abandoned_form', 1800000), ('recovered', 5400000)]
"""

from __future__ import annotations

from typing import Final

from detectors import candidates, contacts, failures, waiting
from detectors.attempts import (
    CONVERSED,
    EXPLICIT,
    INFERRED,
    IS_EXPLICIT,
    IS_INFERRED,
    IS_OPEN,
    OPEN,
    begin,
    find,
    over,
    thread,
    timeout,
)
from detectors.effort import load
from detectors.events import Event
from detectors.ids import fact_id
from detectors.moment import Moment
from detectors.signals import NUMBER
from detectors.state import Attempt, Customer, Journey, Part
from detectors.tables import COMMON, Row
from detectors.told import Told, ToldSilent
from detectors.told import probability as surely

__all__ = ["SPEAKS", "again", "expire", "give_up", "on_event", "on_late", "recover"]

_FACT: Final = [column.name for column in COMMON].index("fact_id")

# What opens an attempt, what completes it and what says that it was given up.
_OPENS: Final = {
    "step.entered": "step",
    "form_start": "form",
    "checkout_step": "cart",
    "call.queued": "queue",
    "conversation.enqueued": "queue",
    "ivr.enter": "ivr",
}
_COMPLETES: Final[dict[str, tuple[str, ...]]] = {
    "step.completed": ("step",),
    "form_submit": ("form",),
    "purchase": ("cart", "form", "step"),
    "call.connected": ("queue", "ivr"),
    "call.queued": ("ivr",),
    "callback.requested": ("queue", "ivr", "bot"),
    "conversation.enqueued": ("bot",),
    "conversation.assigned": ("queue", "bot"),
    "conversation.ended": ("queue",),
    "call.ended": ("queue",),
}
_BY_WHERE: Final = {
    "form": "form",
    "cart": "cart",
    "queue": "queue",
    "bot": "bot",
    "step": "step",
    "ivr": "ivr",
}
_SAYS_GIVEN_UP: Final = ("call.abandoned", "journey.abandoned", "conversation.abandoned", "form_abandoned")
# Types that this detector has anything to do with.
SPEAKS: Final = frozenset([*_OPENS, *_COMPLETES, *_SAYS_GIVEN_UP, "bot.message", "bot.ended", "ivr.exit"])
# A visitor who said that they gave a page up and then finished it did recover; a caller who hung up did not.
_RECOVERS_EXPLICIT: Final = frozenset(["step", "form", "cart"])
# Results after which a voice menu or a bot did what it was there for, or passed the customer on.
_RESOLVED: Final = frozenset(["resolved", "completed", "contained", "success"])
_PASSED_ON: Final = frozenset(["queue", "agent", "handed_over", "transferred", "handoff"])


def on_event(m: Moment, e: Event, journey: Journey) -> None:
    """Open, complete or give up the attempts that this event speaks of."""
    kind = e.type
    if completes := _COMPLETES.get(kind):
        for what in completes:
            _complete(m, e, what)
    if kind in ("ivr.exit", "bot.ended"):
        _left(m, e, journey, "ivr" if kind == "ivr.exit" else "bot")
    elif kind == "call.ended":
        if find(m, e, "ivr", IS_OPEN):
            _left(m, e, journey, "ivr")
    elif kind == "callback.requested":
        contacts.outcome(m, e, "callback")
    elif what := _given_up(m, e):
        _explicit(m, e, journey, what)
    elif what := _opens(e):
        if what == "step":
            _passed(m, e)
        begin(m, e, what)


def on_late(m: Moment, e: Event) -> None:
    """A completion that comes too late to be scored still recovers what had been given up."""
    for what in _COMPLETES.get(e.type, ()):
        _complete(m, e, what)
    if e.type in ("ivr.exit", "bot.ended") and (e.result in _RESOLVED or e.result in _PASSED_ON):
        _complete(m, e, "ivr" if e.type == "ivr.exit" else "bot")


def _opens(e: Event) -> str:
    if e.type == "bot.message":
        return "bot" if e.actor == "customer" else ""
    return _OPENS.get(e.type, "")


def _given_up(m: Moment, e: Event) -> str:
    """The kind of attempt that this event says was given up."""
    if e.type == "call.abandoned":
        if contacts.outcome_so_far(m, e) == "callback":
            return ""  # hung up to be called back
        if e.where == "ivr" or (
            not e.where and not find(m, e, "queue", IS_OPEN) and find(m, e, "ivr", IS_OPEN)
        ):
            return "ivr"
        if menu := find(m, e, "ivr", IS_OPEN):
            m.state.attempts.remove(menu)  # who was in the queue had left the menu
        return "queue"
    if e.type == "journey.abandoned":
        return _BY_WHERE.get(e.where, "step")
    if e.type == "conversation.abandoned":
        return "queue" if find(m, e, "queue", IS_OPEN | IS_INFERRED) else "conversation"
    return "form" if e.type == "form_abandoned" else ""


def _passed(m: Moment, e: Event) -> None:
    """Going on to another step of the journey leaves the one before, and does not give it up."""
    m.state.attempts = [
        a
        for a in m.state.attempts
        if a.kind != "step"
        or a.status != OPEN
        or a.step == e.step
        or a.journey != e.journey
        or a.channel != e.channel
    ]


def _complete(m: Moment, e: Event, kind: str) -> None:
    """Close what is open, and recover what had been given up before: finished is finished."""
    if not m.state.attempts:
        return
    whole = e.type == "purchase"
    while attempt := find(m, e, kind, IS_OPEN, whole):
        m.state.attempts.remove(attempt)
    given_up = IS_INFERRED | IS_EXPLICIT if kind in _RECOVERS_EXPLICIT else IS_INFERRED
    while attempt := find(m, e, kind, given_up, whole):
        if over(m, attempt, e.time):
            return
        recover(m, attempt)
        journey = m.known(attempt.journey)
        if journey is not None and journey.raised_at >= attempt.given_up:
            candidates.completed(m, journey)


def _left(m: Moment, e: Event, journey: Journey, kind: str) -> None:
    """The end of a voice menu or a bot: containment only where it says so."""
    if e.result in _RESOLVED or e.result in _PASSED_ON or e.talk_s:
        _complete(m, e, kind)
        if e.type != "call.ended":
            # A menu passes callers on within the telephone: only a bot sends them elsewhere.
            passed_on = "queued" if kind == "ivr" else "handed_over"
            contacts.outcome(m, e, "resolved" if e.result in _RESOLVED else passed_on)
    else:
        _explicit(m, e, journey, kind)


def _explicit(m: Moment, e: Event, journey: Journey, kind: str) -> None:
    attempt = find(m, e, kind, IS_OPEN | IS_INFERRED)
    if attempt is None or (attempt.status == INFERRED and over(m, attempt, e.time)):
        if (known := find(m, e, kind, IS_EXPLICIT)) and _same_act(m, e, known):
            return
        attempt = begin(m, e, kind)
        if e.wait_s:
            attempt.start = e.time - round(e.wait_s * 1000)
    waited = e.wait_s if e.wait_s is not None else (e.time - attempt.start) / 1000
    short = kind == "queue" and waited * 1000 < m.policy.document.waiting.short_abandon
    give_up(m, attempt, EXPLICIT, e.time, where=e.where, wait_s=waited, short=short, step=e.step)
    contacts.outcome(m, e, "abandoned")


def _same_act(m: Moment, e: Event, known: Attempt) -> bool:
    """Whether it was said before: by the menu's exit and the call's end, by the form and the journey."""
    if known.kind in _RECOVERS_EXPLICIT:
        return e.time - known.given_up <= timeout(m, known)
    return known.key != 0 and bool(e.conversation or e.session or thread(e))


def give_up(
    m: Moment,
    attempt: Attempt,
    status: int,
    given_up: int,
    *,
    where: str = "",
    wait_s: float | None = None,
    short: bool = False,
    step: str = "",
    probability: float | None = None,
) -> None:
    """Close an attempt as given up; its effort is charged once, whoever says it first.

    ``probability`` is that of a silent one.
    """
    first = attempt.status == OPEN
    attempt.status = status
    attempt.given_up = attempt.last = given_up
    attempt.due = 0
    attempt.leaves = -1
    attempt.ver += 1
    journey = m.journey(attempt.journey)
    if first and not short:
        name = f"abandoned_{attempt.kind}"
        attempt.points = m.policy.points[NUMBER[name]]
        m.signal(
            name,
            journey,
            channel=attempt.channel,
            # A cart is given up at the step it got to, anything else where it was begun.
            step=step or (journey.step if attempt.kind == "cart" else "") or attempt.step or journey.step,
            release=attempt.release or journey.release,
            part=_id(m.state, attempt),
            # Falling silent at a page is no failure of it: who comes back on another channel chose to.
            fails=status != INFERRED or attempt.kind in CONVERSED,
        )
    _row(m, attempt, where=where, wait_s=wait_s, short=short, recovered=None, probability=probability)


def recover(m: Moment, attempt: Attempt) -> None:
    """The attempt was completed after all: what is left of its effort is taken back.

    Unless that comes too late to be scored: then it changes what is known, and no score.
    """
    m.state.attempts.remove(attempt)
    attempt.ver += 1
    if not m.late:
        journey = m.journey(attempt.journey)
        if attempt.points:
            left = Part(NUMBER["recovered"], attempt.points, attempt.points, attempt.given_up, 1)
            m.signal("recovered", journey, -load(left, m.time, m.policy), part=_id(m.state, attempt))
        if journey.failed_channel == attempt.channel:
            failures.clear(journey)
    if told := attempt.told:
        # What was said of how it was given up holds as before.
        where, wait_s, short = told[3], told[4], bool(told[5])
        _row(m, attempt, where=where, wait_s=wait_s, short=short, recovered=m.time, probability=surely(told))
    else:
        _row(m, attempt, recovered=m.time)


def expire(m: Moment, attempt: Attempt) -> None:
    """The time-out of an open attempt has passed."""
    give_up(m, attempt, INFERRED, attempt.last)
    if attempt.kind == "queue":
        waiting.lost(m, attempt)
    contacts.outcome_of(m, attempt.channel, "abandoned", since=attempt.start)


def again(base: Customer, row: Row, ver: int) -> Row | None:
    """What ``base`` had told under the id of ``row``, with another ``ver``; None where that was nothing."""
    for attempt in base.attempts:
        if attempt.told is not None and _id(base, attempt) == row[_FACT]:
            told, start = attempt.told, attempt.start
            head = (row[0], row[1], row[2], start, told[0], told[1], 0, 0, ver, told[2], row[10], row[11])
            return head + _said(attempt, told, None)
    return None


def _id(state: Customer, attempt: Attempt) -> str:
    parts = [state.tenant, state.customer]
    parts += ["abandonment", attempt.kind, attempt.journey, attempt.step, str(attempt.start)]
    # Two conversations may begin in the same minute of a source that knows no seconds; those that nobody
    # names are told apart by their channel.
    if attempt.key or attempt.kind in CONVERSED:
        parts.append(str(attempt.key) if attempt.key else attempt.channel)
    return fact_id(*parts)


def _row(
    m: Moment,
    attempt: Attempt,
    *,
    where: str = "",
    wait_s: float | None = None,
    short: bool = False,
    recovered: int | None,
    probability: float | None = None,
) -> None:
    journey = m.known(attempt.journey)
    step, release, intent = (journey.step, journey.release, journey.intent) if journey else ("", "", "")
    if attempt.kind == "cart":
        step = step or attempt.step
    else:
        step = attempt.step or step
    release = attempt.release or release
    queue = waiting.queue_of(m.state, attempt)
    told: Told = (
        m.trigger_id,
        m.trigger_source,
        m.policy.version,
        where,
        wait_s,
        int(short),
        intent,
        m.segment,
        step,
        release,
        queue,
    )
    attempt.told = told if probability is None else (*told, probability)
    head = m.head(_id(m.state, attempt), attempt.start, attempt.ver)
    m.out.add("abandonments", head + _said(attempt, attempt.told, recovered))


def _said(attempt: Attempt, told: Told | ToldSilent, recovered: int | None) -> Row:
    return (
        attempt.kind,
        # A conversation that no time-out but its own silence ended.
        int(attempt.kind == "conversation" and attempt.status == INFERRED),
        told[3],
        int(attempt.status == INFERRED),
        told[5],
        attempt.channel,
        attempt.journey,
        attempt.step,
        told[6],
        told[7],
        told[4],
        told[8],
        told[9],
        attempt.given_up,
        recovered,
        surely(told),
    )
