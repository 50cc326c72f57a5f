"""Abandonment: attempts that were begun and given up, said so or inferred by a time-out.

An attempt is a step, form, cart, queue, voice menu (``ivr``), bot or conversation. Its id is customer + kind
+ journey + step + start, so that a time-out and the event that says the same later are one. A completion,
however late, turns an abandonment into a recovered one.
"""

from __future__ import annotations

from detectors import contacts, failures
from detectors.effort import load
from detectors.events import Event
from detectors.ids import number
from detectors.moment import Moment
from detectors.signals import NUMBER
from detectors.state import MOST_ATTEMPTS, Attempt, Journey, Part

__all__ = ["expire", "give_up", "on_event", "on_late", "open_attempt", "recover"]

# What opens an attempt, what keeps it alive, what completes it and what says that it was given up.
_OPENS = {
    "step.entered": "step",
    "form_start": "form",
    "checkout_step": "cart",
    "call.queued": "queue",
    "conversation.enqueued": "queue",
    "ivr.enter": "ivr",
}
_COMPLETES: dict[str, tuple[str, ...]] = {
    "step.completed": ("step",),
    "form_submit": ("form",),
    "purchase": ("cart", "form", "step"),
    "call.connected": ("queue", "ivr"),
    "call.queued": ("ivr",),
    "callback.requested": ("queue", "ivr"),
    "conversation.assigned": ("queue", "bot"),
    "conversation.ended": ("queue",),
    "call.ended": ("queue", "ivr"),
}
_GIVES_UP = {"form_abandoned": "form", "conversation.abandoned": "queue"}
_BY_WHERE = {"form": "form", "cart": "cart", "queue": "queue", "bot": "bot", "step": "step", "ivr": "ivr"}
# Attempts that belong to a conversation, not to a step of a page.
_CONVERSED = frozenset(["queue", "ivr", "bot", "conversation"])
# A visitor who said that he gave a page up and then finished it did recover; a caller who hung up did not.
_RECOVERS_EXPLICIT = frozenset(["step", "form", "cart"])
# Results after which a voice menu or a bot did what it was there for, or passed the customer on.
_RESOLVED = frozenset(["resolved", "completed", "contained", "success"])
_PASSED_ON = frozenset(["queue", "agent", "handed_over", "transferred", "handoff"])

OPEN, INFERRED, EXPLICIT = 0, 1, 2


def on_event(m: Moment, e: Event, journey: Journey) -> None:
    """Open, keep alive, complete or give up the attempts that this event speaks of."""
    kind = e.type
    if completes := _COMPLETES.get(kind):
        for what in completes:
            _complete(m, e, what)
    if kind in ("ivr.exit", "bot.ended"):
        _left(m, e, journey, "ivr" if kind == "ivr.exit" else "bot")
    elif what := _given_up(m, e):
        _explicit(m, e, journey, what)
    elif what := _opens(e):
        open_attempt(m, e, what)
    _keep_alive(m, e)


def on_late(m: Moment, e: Event) -> None:
    """A completion that comes too late to be scored still recovers what had been given up."""
    for what in _COMPLETES.get(e.type, ()):
        _complete(m, e, what)


def _opens(e: Event) -> str:
    if e.type == "bot.message":
        return "bot" if e.actor == "customer" else ""
    return _OPENS.get(e.type, "")


def _given_up(m: Moment, e: Event) -> str:
    if e.type == "call.abandoned":
        return "ivr" if e.where == "ivr" else "queue"
    if e.type == "journey.abandoned":
        return _BY_WHERE.get(e.where, "step")
    if e.type == "conversation.abandoned" and not _find(m, e, "queue", OPEN):
        return "conversation"
    return _GIVES_UP.get(e.type, "")


def _key(e: Event, kind: str) -> int:
    if kind not in _CONVERSED:
        return 0
    name = e.conversation or e.session
    return number(e.channel, name) if name else 0


def _find(m: Moment, e: Event, kind: str, *status: int) -> Attempt | None:
    """The youngest attempt of this kind, in one of these states, that the event can speak of."""
    key = _key(e, kind)
    best: Attempt | None = None
    for attempt in m.state.attempts:
        if attempt.kind != kind or attempt.status not in status or attempt.start > e.time:
            continue
        if kind in _CONVERSED:
            if key and attempt.key and attempt.key != key:
                continue
            if not (key and attempt.key == key) and attempt.channel != e.channel:
                continue
        elif attempt.journey != e.journey or (kind != "cart" and e.step and attempt.step != e.step):
            continue
        if best is None or attempt.start >= best.start:
            best = attempt
    return best


def open_attempt(m: Moment, e: Event, kind: str) -> Attempt:
    """Begin an attempt, or go on with the one that is open."""
    attempt = _find(m, e, kind, OPEN)
    if attempt is not None:
        return attempt
    attempts = m.state.attempts
    if len(attempts) >= MOST_ATTEMPTS:
        # What is closed goes first, then what was begun longest ago.
        attempts.remove(min(attempts, key=lambda a: (a.status == OPEN, a.last, a.kind, a.key)))
    attempt = Attempt(kind, e.journey, e.step, e.release, e.channel, _key(e, kind), e.time, e.time, 0)
    attempt.due = e.time + _timeout(m, attempt)
    attempts.append(attempt)
    return attempt


def _timeout(m: Moment, attempt: Attempt) -> int:
    return m.policy.timeout(attempt.kind, attempt.journey, attempt.step)


def _keep_alive(m: Moment, e: Event) -> None:
    """Whatever the customer does in the same journey or conversation shows that he is still at it."""
    if e.actor == "company" and e.direction == "outbound":
        return
    for attempt in m.state.attempts:
        if attempt.status != OPEN or e.time <= attempt.last:
            continue
        if attempt.kind in _CONVERSED:
            here = attempt.key != 0 and attempt.key == _key(e, attempt.kind)
        else:
            here = attempt.journey == e.journey and attempt.channel == e.channel
        if here:
            attempt.last = e.time
            attempt.due = e.time + _timeout(m, attempt)
            if attempt.kind == "cart" and e.type == "checkout_step":
                attempt.step = attempt.step or e.step


def _complete(m: Moment, e: Event, kind: str) -> None:
    """Close what is open, and recover what had been given up before: finished is finished."""
    if not m.late and (attempt := _find(m, e, kind, OPEN)):
        m.state.attempts.remove(attempt)
    given_up = (INFERRED, EXPLICIT) if kind in _RECOVERS_EXPLICIT else (INFERRED,)
    while attempt := _find(m, e, kind, *given_up):
        if e.time - attempt.given_up > m.policy.document.abandonment.recovery:
            return
        recover(m, attempt)


def _left(m: Moment, e: Event, journey: Journey, kind: str) -> None:
    """The end of a voice menu or a bot: containment only where it says so."""
    if e.result in _RESOLVED or e.result in _PASSED_ON:
        _complete(m, e, kind)
        contacts.outcome(m, e, "resolved" if e.result in _RESOLVED else "handed_over")
    else:
        _explicit(m, e, journey, kind)


def _explicit(m: Moment, e: Event, journey: Journey, kind: str) -> None:
    attempt = _find(m, e, kind, OPEN, INFERRED)
    if attempt is None:
        if _find(m, e, kind, EXPLICIT) and kind in _CONVERSED and _key(e, kind):
            return  # said twice: by the menu's exit and by the call's end
        attempt = open_attempt(m, e, kind)
        if e.wait_s:
            attempt.start = e.time - round(e.wait_s * 1000)
    waited = e.wait_s if e.wait_s is not None else (e.time - attempt.start) / 1000
    short = kind == "queue" and waited * 1000 < m.policy.document.waiting.short_abandon
    give_up(m, attempt, EXPLICIT, e.time, where=e.where, wait_s=waited, short=short, step=e.step)
    contacts.outcome(m, e, "abandoned")


def give_up(
    m: Moment,
    attempt: Attempt,
    status: int,
    given_up: int,
    *,
    where: str = "",
    wait_s: float | None = None,
    short: bool = False,
    silent: bool = False,
    step: str = "",
) -> None:
    """Close an attempt as given up; its effort is charged once, whoever says it first."""
    first = attempt.status == OPEN
    attempt.status = status
    attempt.given_up = given_up
    attempt.ver += 1
    journey = m.journey(attempt.journey)
    if first and not short:
        name = f"abandoned_{attempt.kind}"
        attempt.points = m.policy.points[NUMBER[name]]
        m.signal(
            name,
            journey,
            channel=attempt.channel,
            step=step or attempt.step or journey.step,
            release=attempt.release or journey.release,
            part=_id(m, attempt),
        )
    _row(m, attempt, where=where, wait_s=wait_s, short=short, silent=silent, recovered=None)


def recover(m: Moment, attempt: Attempt) -> None:
    """The attempt was completed after all: what is left of its effort is taken back."""
    m.state.attempts.remove(attempt)
    attempt.ver += 1
    journey = m.journey(attempt.journey)
    if attempt.points and not m.late:
        left = Part(NUMBER["recovered"], attempt.points, attempt.points, attempt.given_up, 1)
        m.signal("recovered", journey, -load(left, m.time, m.policy), part=_id(m, attempt))
    if journey.failed_channel == attempt.channel:
        failures.clear(journey)
    _row(m, attempt, silent=attempt.kind == "conversation", recovered=m.time)


def expire(m: Moment, attempt: Attempt) -> None:
    """The time-out of an open attempt has passed."""
    waited = (m.time - attempt.start) / 1000 if attempt.kind == "queue" else None
    give_up(m, attempt, INFERRED, attempt.last, wait_s=waited)
    contacts.outcome_of(m, attempt.channel, attempt.key, "abandoned")


def _id(m: Moment, attempt: Attempt) -> str:
    return m.id("abandonment", attempt.kind, attempt.journey, attempt.step, str(attempt.start))


def _row(
    m: Moment,
    attempt: Attempt,
    *,
    where: str = "",
    wait_s: float | None = None,
    short: bool = False,
    silent: bool = False,
    recovered: int | None,
) -> None:
    journey = m.journey(attempt.journey)
    m.out.add(
        "abandonments",
        (
            *m.head(_id(m, attempt), attempt.start, attempt.ver),
            attempt.kind,
            int(silent),
            where,
            int(attempt.status == INFERRED),
            int(short),
            attempt.channel,
            attempt.journey,
            attempt.step,
            journey.intent,
            m.segment,
            wait_s,
            attempt.step or journey.step,
            attempt.release or journey.release,
            attempt.given_up,
            recovered,
        ),
    )
