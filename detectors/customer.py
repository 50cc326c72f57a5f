"""The customer fold: (state, event, policy) -> the state after it, and findings.

The order inside one event is part of the meaning: a switch is judged by what had failed *before* this event;
a failure counts from this event on; need is weighed last. Timers of the customer that were due before the
event have fired first, so that findings do not depend on how customers share partitions.

>>> from detectors.examples import fold
>>> answer = {"metric": "ces", "score": 2}
>>> views = [("page_view", at, {}) for at in (1, 2)]
>>> told = fold(("rage_click", 0, {}), *views, ("survey.response", 3, answer))
>>> [row["effort"] and round(row["effort"], 1) for row in told.rows("events")]  # too little seen at first
[None, 18.1, 18.1, 18.1]
>>> [round(row["effort_before"], 1) for row in told.rows("surveys")]
[18.1]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from detectors import (
    abandonment,
    candidates,
    circumstances,
    contacts,
    effort,
    features,
    handovers,
    quick,
    relief,
    silence,
    surveys,
    tally,
    waiting,
)
from detectors.attempts import OPEN, keep_alive
from detectors.bounds import MOST_SEEN, NONE_HELD, SEEN_BYTES
from detectors.event_row import EventRow
from detectors.events import Event
from detectors.hazard import REACHED
from detectors.moment import Findings, Moment, Watched
from detectors.need import weigh
from detectors.policy import Policy
from detectors.signals import DIRECT
from detectors.state import Customer, Journey, Sums
from detectors.vocabulary import HUMAN_CHANNELS

__all__ = ["apply", "consent", "fire", "seen", "store_late", "store_unscored"]

_seen: Final = quick.seen
_COMPLETES_JOURNEY: Final = frozenset(["purchase", "ticket.solved", "callback.completed"])
# Whom a type concerns, as bits: found at once, where six sets would have to be asked.
_WAITING: Final = 1
_SILENCE: Final = 2
_ABANDONMENT: Final = 4
_HANDOVERS: Final = 8
_RELIEF: Final = 16
_COMPLETES: Final = 32
_TALLY: Final = 64


def _concerns() -> dict[str, int]:
    told = {
        _WAITING: waiting.SPEAKS,
        _SILENCE: silence.SPEAKS,
        _ABANDONMENT: abandonment.SPEAKS,
        _HANDOVERS: handovers.SPEAKS,
        _RELIEF: relief.SPEAKS,
        _COMPLETES: _COMPLETES_JOURNEY,
        _TALLY: tally.SPEAKS,
    }
    found: dict[str, int] = {}
    for bit, kinds in told.items():
        for kind in kinds:
            found[kind] = found.get(kind, 0) | bit
    return found


_CONCERNS: Final = _concerns()


def seen(state: Customer, fact: str) -> bool:
    """Whether this event was here before; remembers it in a bounded ring."""
    ring = _seen(state.seen, fact, SEEN_BYTES, MOST_SEEN)
    if ring is None:
        return True
    state.seen = ring
    return False


def consent(state: Customer, e: Event) -> None:
    """Take over what the customer allows, the latest word by event time; it is heeded in every event."""
    context = state.context
    if e.contact is not None and e.time >= context.contact_at:
        context.may_contact, context.contact_at = e.contact, e.time
    if e.profiling is not None and e.time >= context.profile_at:
        context.may_profile, context.profile_at = e.profiling, e.time
        if not e.profiling:
            # Nothing is concluded from what was begun before, either.
            state.attempts = [attempt for attempt in state.attempts if attempt.status != OPEN]
            state.waits, state.owed, state.solved = [], [], []
            state.tally = None


def apply(state: Customer, e: Event, policy: Policy, out: Findings) -> None:
    """Fold one event of a known type, on time and not seen before, into its customer's state."""
    m = _moment(state, e, policy, out)
    state.now = max(state.now, e.time)
    state.last_source, state.last_id = e.source, e.id
    kind = e.type
    if kind == "survey.response":
        # An answer is compared with what is there: it must not even make room for a journey of its own.
        journey = m.known(e.journey) or Journey(e.journey, e.time, Sums(0.0, 0.0, e.time), [])
        surveys.on_event(m, e, journey)
        row = _scored(m, e, journey)
        _calibrate(m, e, journey)
        row.human_need = weigh(m, journey, row.effort)
        out.add("events", _told(row, policy))
        if kind in out.watch:
            _watch(m, e, journey, row)
        return
    journey = m.journey(e.journey)
    journey.touched = max(journey.touched, e.time)
    if e.case_id and state.tally is not None:
        m.case = tally.case_of(state.tally, e.case_id)
    candidates.before(m, journey)
    effort.observe(state, e.time, policy)
    contacts.on_event(m, e, journey)
    if e.step:
        journey.step = e.step
    if e.release:
        journey.release = e.release
    if e.intent:
        journey.intent = e.intent
    circumstances.on_event(m, e, journey)
    if (name := DIRECT.get(kind)) is not None:
        m.signal(name, journey, channel=e.channel)
    # What a type cannot concern is not asked.
    concerns = _CONCERNS.get(kind, 0)
    if concerns & _TALLY:
        _count(m, e)
    if concerns & _WAITING:
        waiting.on_event(m, e, journey)
    if concerns & _SILENCE or e.case_id:
        silence.on_event(m, e, journey)
    if concerns & _ABANDONMENT:
        abandonment.on_event(m, e, journey)
    if state.attempts:
        keep_alive(m, e)
    if concerns & _HANDOVERS:
        handovers.on_event(m, e, journey)
    if concerns & _RELIEF:
        relief.on_event(m, e, journey)
    if concerns & _COMPLETES:
        candidates.completed(m, journey)
    row = _scored(m, e, journey)
    _calibrate(m, e, journey)
    row.human_need = candidates.consider(m, journey, row.effort)
    out.add("events", _told(row, policy))
    if kind in out.watch:
        _watch(m, e, journey, row)


def _count(m: Moment, e: Event) -> None:
    """A contact's end, or what happens to a case."""
    state = m.state
    if e.type in tally.CONTACT_ENDS:
        if e.channel in HUMAN_CHANNELS:
            state.tally = tally.end(state.tally, e)
            m.ends = state.tally.ended == e.time
    elif e.case_id:
        state.tally = tally.on_ticket(state.tally, e)
        m.case = tally.case_of(state.tally, e.case_id)


def _calibrate(m: Moment, e: Event, journey: Journey) -> None:
    """Where a section of the policy is human need at this event, find what it asks for."""
    policy = m.policy
    if policy.has_targets:
        target = policy.target(e.type)
        if target is not None:
            m.target = target
            m.numbers, m.labels = features.some(m, e, journey, target.numbers, target.labels)


def _watch(m: Moment, e: Event, journey: Journey, row: EventRow) -> None:
    numbers, labels = features.take(m, e, journey)
    m.out.watched.append(Watched(e, numbers, labels, row.human_need, row.effort))


def fire(
    state: Customer,
    before: int,
    policy: Callable[[int], Policy],
    out: Findings,
    partition: int,
    offset: int,
    held: frozenset[str] = NONE_HELD,
) -> None:
    """Fire this customer's timers due before ``before`` (ms), each under the ``policy`` of its time.

    Those that depend on a ``held`` source wait until it is heard again.
    """
    while True:
        due = state.due(held)
        if due == 0 or due >= before:
            return
        m = Moment(state, policy(due), out, due, partition, offset)
        name = _fire_one(m, due, held)
        journey = m.journey(name)
        candidates.consider(m, journey, m.effort(journey))


def _rearm(m: Moment, name: str) -> str:
    """Need may have faded until the timer: weigh it before what the timer says is added."""
    if journey := m.known(name):
        candidates.before(m, journey)
    return name


def _fire_one(m: Moment, due: int, held: frozenset[str]) -> str:
    state = m.state
    for attempt in state.attempts:
        leaves = attempt.leaves >= 0 and attempt.last + attempt.leaves == due
        if attempt.status == OPEN and leaves and attempt.source not in held:
            m.trigger = m.id("timer", "may_leave", attempt.kind, attempt.journey, str(due))
            name = _rearm(m, attempt.journey)
            attempt.leaves = REACHED
            return name
        if attempt.status == OPEN and attempt.due == due and attempt.source not in held:
            m.trigger = m.id("timer", attempt.kind, str(attempt.key), attempt.journey, str(due))
            name = _rearm(m, attempt.journey)
            abandonment.expire(m, attempt)
            return name
    for owed in state.owed:
        if owed.due == due and owed.source not in held:
            m.trigger = m.id("timer", "owed", str(owed.key), str(due))
            name = _rearm(m, owed.journey)
            silence.expire(m, owed)
            return name
    for solved in state.solved:
        if solved.due == due and solved.source not in held:
            m.trigger = m.id("timer", "solved", str(solved.key), str(due))
            name = _rearm(m, solved.journey)
            relief.expire(m, solved)
            return name
    for wait in state.waits:
        if wait.leaves >= 0 and wait.opened + wait.leaves == due and wait.source not in held:
            m.trigger = m.id("timer", "may_leave", str(wait.key), str(due))
            name = _rearm(m, wait.journey)
            wait.leaves = REACHED
            return name
    raise AssertionError("a timer is due that nothing holds")


def store_late(state: Customer, e: Event, policy: Policy, out: Findings) -> None:
    """An event beyond its lateness: stored with ``ver`` 0, changes no score, raises nothing."""
    m = _moment(state, e, policy, out)
    m.late = 1
    if state.context.may_profile:
        abandonment.on_late(m, e)
        silence.on_late(m, e)
        if e.type in _COMPLETES_JOURNEY and (journey := m.known(e.journey)) and e.time >= journey.raised_at:
            candidates.completed(m, journey)
    _store(m, e, 0)


def store_unscored(state: Customer, e: Event, policy: Policy, out: Findings) -> None:
    """An event of unknown type or without leave to profile: stored, and nothing concluded from it."""
    _store(_moment(state, e, policy, out), e, 1)


def _moment(state: Customer, e: Event, policy: Policy, out: Findings) -> Moment:
    m = Moment(state, policy, out, e.time, e.partition, e.offset)
    m.trigger = e.fact
    m.trigger_source, m.trigger_id = e.source, e.id
    if e.segment:
        m.segment = e.segment
    return m


def _scored(m: Moment, e: Event, journey: Journey) -> EventRow:
    """The row of an event with the scores just after it, its human need still to be weighed."""
    policy, state = m.policy, m.state
    row = EventRow(e, m.late, m.version(1), policy.version)
    own_acute, own_chronic = effort.decayed(journey.sums, m.time, policy)
    row.sum_acute, row.sum_chronic = own_acute, own_chronic
    row.sum_customer_acute, row.sum_customer_chronic = effort.decayed(state.sums, m.time, policy)
    x = policy.acute_weight * own_acute + policy.chronic_weight * own_chronic
    row.effort = effort.scaled(x, policy)
    if x > 0.0:
        row.acute = row.effort * policy.acute_weight * own_acute / x
        row.chronic = row.effort - row.acute
    row.coverage = effort.coverage(state, m.time, policy)
    return row


def _told(row: EventRow, policy: Policy) -> EventRow:
    """With what is said only where enough was seen."""
    if row.coverage >= policy.coverage_floor:
        row.scored = True
        row.ces = effort.ces(row.effort, policy.ces_line)
        x = policy.acute_weight * row.sum_customer_acute + policy.chronic_weight * row.sum_customer_chronic
        row.effort_customer = effort.scaled(x, policy)
    return row


def _store(m: Moment, e: Event, ver: int) -> None:
    """The row of an event that has no score."""
    m.out.add("events", EventRow(e, m.late, m.version(ver), m.policy.version))
