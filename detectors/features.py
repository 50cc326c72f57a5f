"""What a target's section may be made of: features of one moment, out of the fold's own state and its event.

What is fitted is so what runs. A feature knows what was known just after its event was folded, and nothing
that came later: a ticket's ``made_sla``, ``closed_*`` and ``resolved_*`` are no features. Protected ones are
there so that a report can be made with and without them; a section may use one only if it says so.

>>> len(FEATURES) == len(NUMBERS) + len(LABELS), [one.name for one in FEATURES if one.protected]
(True, ['segment', 'priority', 'language'])
>>> from detectors.examples import MONDAY, Story, minutes
>>> story = Story()
>>> story.out.watch = frozenset(["call.abandoned"])
>>> for at in (0, 20):
...     call = {"conversation_id": f"c{at}", "queue": "loans"}
...     story = story.tell("call.queued", minutes(at), call)
...     story = story.tell("call.abandoned", minutes(at + 4), call | {"wait_s": 240})
>>> _, seen = story.out.watched
>>> [seen.numbers[NUMBERS[name]] for name in ("wait_s", "gap_s", "contacts", "hour")]
[240.0, 960.0, 1.0, 9.4]
>>> [seen.labels[LABELS[name]] for name in ("outcome", "last_outcome", "queue")]
['queue', 'queue', 'loans']
"""

from __future__ import annotations

from typing import Final

from detectors import effort
from detectors.durations import HOUR, MINUTE
from detectors.events import Event
from detectors.feature_names import FEATURES, LABELS, NEVER, NUMBERS, SIGNALS, Feature
from detectors.moment import Moment
from detectors.need import felt
from detectors.signals import NUMBER
from detectors.state import Journey
from detectors.tally import ONE, OUTCOMES, Tally, faded

__all__ = ["FEATURES", "LABELS", "NEVER", "NUMBERS", "Feature", "label", "number", "some", "take"]

UNKNOWN: Final = float("nan")
_NUMBERS: Final = len(NUMBERS)
_LABELS: Final = len(LABELS)
_UNKNOWN: Final = [UNKNOWN] * _NUMBERS
_EMPTY: Final = [""] * _LABELS
# Where each group begins.
_CONTACT: Final = NUMBERS["since_contact"]
_EFFORT: Final = NUMBERS["effort"]
_SAID: Final = NUMBERS["first_time"]
_CASE: Final = NUMBERS["updates"]
_COUNTED: Final = NUMBERS["repeat_contact"]
_SIGNAL: Final = [NUMBER[name] for name in SIGNALS]

# A customer's own rate begins here and weighs as much as so many of their own: about one contact in seven is
# followed by another within the hour, and few cases are opened again.
_RECONTACT: Final = 0.15
_RECONTACT_WEIGHS: Final = 3.0
_RETURN: Final = 0.03
_RETURN_WEIGHS: Final = 5.0


def take(m: Moment, e: Event, journey: Journey) -> tuple[list[float], list[str]]:
    """Every feature just after ``e`` was folded: numbers (NaN: not known) and labels, each in their order."""
    numbers = [number(m, e, journey, place) for place in range(_NUMBERS)]
    return numbers, [label(m, e, journey, place) for place in range(_LABELS)]


def some(
    m: Moment, e: Event, journey: Journey, numbers: list[int], labels: list[int]
) -> tuple[list[float], list[str]]:
    """As :func:`take`, with only those of these places worked out."""
    found, named = _UNKNOWN.copy(), _EMPTY.copy()
    for place in numbers:
        found[place] = number(m, e, journey, place)
    for place in labels:
        named[place] = label(m, e, journey, place)
    return found, named


def number(m: Moment, e: Event, journey: Journey, place: int) -> float:
    """One feature of :data:`NUMBERS` by its place; NaN where it is not known."""
    if place < _CONTACT:
        return _plain(m, e, place)
    if place < _EFFORT:
        tally = m.state.tally
        return UNKNOWN if tally is None else _contact(tally, m.time, m.ends, place - _CONTACT)
    if place < _SAID:
        return _effort(m, journey, place - _EFFORT)
    if place < _CASE:
        return _said(m, place - _SAID)
    if place < _COUNTED:
        return _case(m, e.type == "ticket.solved", e.type == "ticket.reopened", place - _CASE)
    return _signal(m, journey, _SIGNAL[place - _COUNTED])


def _plain(m: Moment, e: Event, at: int) -> float:
    if at >= 2:
        minute = m.policy.hours.minute_of_week(m.time)
        return float(minute // 1440) if at == 3 else minute % 1440 / 60.0
    told = e.wait_s if at == 0 else e.talk_s
    if told is not None:
        return told
    tally = m.state.tally
    last = -1 if tally is None else tally.wait if at == 0 else tally.talk
    return last / 1_000.0 if last >= 0 else UNKNOWN


def _contact(tally: Tally, time: int, ends: bool, at: int) -> float:
    """Of the contacts before the one that has just ended, where one has."""
    if at < 2:
        if not tally.ended or (ends and tally.apart < 0):
            return UNKNOWN
        before = tally.ended - tally.apart if ends else tally.ended
        return max(0, (time if at == 0 else max(tally.begun, before)) - before) / 1000.0
    if at < 6:
        kept = faded(at - 2, time - tally.begun)
        c = tally.c0 if at == 2 else tally.c1 if at == 3 else tally.c2 if at == 4 else tally.c3
        return max(0, c - ONE if ends else c) * kept / ONE
    if at < 10:
        kept = faded(at - 6, time - tally.ended)
        g = tally.g0 if at == 6 else tally.g1 if at == 7 else tally.g2 if at == 8 else tally.g3
        given_up = ends and OUTCOMES[tally.outcome] in ("queue", "ivr")
        return max(0, g - ONE if given_up else g) * kept / ONE
    if at == 10:
        return float(max(0, tally.contacts - 1) if ends else tally.contacts)
    if at == 11:
        known = max(tally.followed, tally.ends - 1 if ends else tally.ends)
        return (tally.followed + _RECONTACT * _RECONTACT_WEIGHS) / (known + _RECONTACT_WEIGHS)
    return max(0, time - tally.first * MINUTE) / HOUR if tally.first else UNKNOWN


def _effort(m: Moment, journey: Journey, at: int) -> float:
    if at == 0:
        return m.effort(journey)
    if at < 3:
        acute, chronic = effort.decayed(journey.sums, m.time, m.policy)
        return acute if at == 1 else chronic
    if at == 3:
        return effort.score(m.state.sums, m.time, m.policy)
    return effort.observed(m.state, m.time, m.policy) if at == 4 else float(journey.completions)


def _said(m: Moment, at: int) -> float:
    """Circumstances that hold: what was not said of them is not known."""
    context = m.state.context
    if at == 4:
        return felt(context, m.time, m.policy)
    if not context.at or m.time - context.at > m.policy.need_memory:
        return UNKNOWN
    if at == 0:
        return 1.0 if context.first_time else 0.0
    if at == 1:
        return 1.0 if context.problem else 0.0
    found = context.risk if at == 2 else context.engagement
    return found if found >= 0.0 else UNKNOWN


def _case(m: Moment, solved: bool, returned: bool, at: int) -> float:
    tally, case = m.state.tally, m.case
    if at < 7:
        if case is None:
            return UNKNOWN
        if at == 0:
            return float(case.updates)
        if at == 1:
            return float(case.moves)
        if at == 2:
            return float(case.comments)
        if at == 3:
            return float(case.returns)
        if at == 4:
            return (m.time - case.opened) / HOUR if case.opened else UNKNOWN
        return case.idle / HOUR if at == 5 else float(bin(case.hands).count("1"))
    if tally is None:
        return UNKNOWN
    if at == 7:
        left = 0
        for one in tally.cases:
            if not one.solved and one is not case:
                left += 1
        return float(left)
    before = tally.solved - 1 if solved else tally.solved
    came_back = tally.came_back - 1 if returned else tally.came_back
    if at == 8:
        return float(max(0, before))
    if at == 9:
        return float(max(0, came_back))
    known = max(before, came_back, 0)
    return (max(0, came_back) + _RETURN * _RETURN_WEIGHS) / (known + _RETURN_WEIGHS)


def _signal(m: Moment, journey: Journey, signal: int) -> float:
    """How often, fading with the chronic half-life."""
    for part in journey.parts:
        if part.signal == signal:
            points = m.policy.points[signal]
            return max(0.0, effort.decayed(part, m.time, m.policy)[1] / points) if points else UNKNOWN
    return 0.0


def label(m: Moment, e: Event, journey: Journey, place: int) -> str:
    """One feature of :data:`LABELS` by its place; empty where it is not known."""
    if place < 2:
        tally = m.state.tally
        if tally is None:
            return ""
        if m.ends:
            return OUTCOMES[tally.outcome if place == 0 else tally.outcome_before]
        return "" if place == 0 else OUTCOMES[tally.outcome]
    if place < 8:
        if place == 2:
            return e.type
        if place == 3:
            return e.channel
        if place == 4:
            return e.queue
        if place == 5:
            return journey.name
        if place == 6:
            return e.intent or journey.intent
        return e.step or journey.step
    if place == 8:
        return e.where
    if place == 9:
        return e.result
    if place == 10:
        return e.to_team or e.team
    if place == 11:
        return m.segment
    return e.priority if place == 12 else e.language or m.state.context.language
