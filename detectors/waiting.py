"""Waiting: in a queue, on hold, for a reply. It counts by its length, and says how it ended.

>>> policy = default()
>>> points(policy, 20.0), points(policy, 80.0), points(policy, 80.0, announced=20.0), points(policy, 1e6)
(0.0, 1.0, 1.5, 20.0)
"""

from __future__ import annotations

from typing import Final

from detectors.attempts import IS_INFERRED, find
from detectors.bounds import MOST_WAITS
from detectors.effort import default
from detectors.events import Event
from detectors.hazard import reaches
from detectors.ids import number_on
from detectors.moment import Moment
from detectors.policy import Policy
from detectors.signals import NUMBER
from detectors.state import Attempt, Customer, Journey, Wait
from detectors.tables import TABLES, Row

__all__ = ["SPEAKS", "again", "close", "default", "lost", "on_event", "points", "queue_of", "unheard"]

_TIME: Final = TABLES["waits"].names.index("time")
_CHANNEL: Final = TABLES["waits"].names.index("channel")

_OPENS: Final = frozenset(["call.queued", "conversation.enqueued", "store.wait"])
_CLOSES: Final = {
    "call.connected": "answered",
    "conversation.assigned": "answered",
    "store.assisted": "answered",
    "call.abandoned": "abandoned",
    "conversation.abandoned": "abandoned",
    "callback.requested": "callback",
    "call.voicemail": "voicemail",
    "call.ended": "ended",
    "conversation.ended": "ended",
}
# Types that this detector has anything to do with.
SPEAKS: Final = frozenset([*_OPENS, *_CLOSES, "call.held"])
# These say how long the wait was even when nobody told us that it began.
_TELLS: Final = frozenset(
    ["call.connected", "conversation.assigned", "call.abandoned", "conversation.abandoned"]
)


def points(policy: Policy, seconds: float, announced: float = -1.0) -> float:
    """Effort points of a wait of ``seconds``; beyond an ``announced`` one each minute weighs more."""
    rules = policy.document.waiting
    a_minute = policy.points[NUMBER["waiting"]]
    free = rules.free / 1000
    found = max(0.0, seconds - free) / 60.0 * a_minute
    if announced >= 0.0:
        found += max(0.0, seconds - announced) / 60.0 * a_minute * (rules.announced_factor - 1.0)
    return min(found, rules.cap)


def reply_points(policy: Policy, channel: str, seconds: float) -> float:
    """Effort points of a reply that took ``seconds`` (service hours where answers come later)."""
    rules = policy.document.waiting
    beyond = max(0.0, seconds - policy.promise(channel) / 1000)
    if policy.answers_later(channel):
        return min(beyond / 3600.0 * rules.later_per_hour, rules.cap)
    return min(beyond / 60.0 * policy.points[NUMBER["waiting"]], rules.cap)


def on_event(m: Moment, e: Event, journey: Journey) -> None:
    """Open or close the wait that this event speaks of. A wait is counted once, by whoever tells first."""
    kind = e.type
    if kind == "call.held":
        if e.wait_s:
            wait = Wait("hold", e.channel, e.journey, e.queue, _key(e), e.time - round(e.wait_s * 1000))
            close(m, e, journey, wait, "resumed", e.wait_s, alone=True)
    elif kind == "store.wait" and e.wait_s is not None:
        wait = Wait("queue", e.channel, e.journey, e.queue, _key(e), e.time - round(e.wait_s * 1000))
        close(m, e, journey, wait, "answered", e.wait_s, alone=True)
    elif kind in _OPENS:
        _open(m, e)
    elif outcome := _CLOSES.get(kind):
        found = _find(m, e)
        if found is not None:
            m.state.waits.remove(found)
            seconds = (e.time - found.opened) / 1000
            if e.wait_s is not None:
                seconds = e.wait_s  # the source's own measure is better than two clocks' difference
            elif e.talk_s:
                seconds = max(0.0, seconds - e.talk_s)
            close(m, e, journey, found, outcome, seconds)
        elif kind in _TELLS and (late := find(m, e, "queue", IS_INFERRED)) and late.key:
            # It had been taken for lost; what was said of it is amended.
            wait = Wait("queue", late.channel, late.journey, e.queue, _key(e), late.start)
            seconds = (e.time - late.start) / 1000 if e.wait_s is None else e.wait_s
            close(m, e, journey, wait, outcome, seconds, ver=2)
        elif kind in _TELLS and e.wait_s is not None and not (kind == "call.abandoned" and e.where == "ivr"):
            # Also one of no seconds: who was answered at once counts in the service level.
            wait = Wait("queue", e.channel, e.journey, e.queue, _key(e), e.time - round(e.wait_s * 1000))
            close(m, e, journey, wait, outcome, e.wait_s, alone=True)


def _key(e: Event) -> int:
    name = e.conversation or e.session
    return number_on(e.channel, name) if name else 0


def _open(m: Moment, e: Event) -> None:
    if _find(m, e) is not None:
        return
    waits = m.state.waits
    if len(waits) >= MOST_WAITS:
        waits.remove(min(waits, key=lambda wait: (wait.opened, wait.key)))
    announced = -1.0 if e.announced_wait_s is None else e.announced_wait_s
    wait = Wait("queue", e.channel, e.journey, e.queue, _key(e), e.time, announced)
    if (hazard := m.policy.hazard_queue) is not None:
        hour, timeout = m.policy.hours.hour(e.time), m.policy.timeouts["queue"]
        wait.leaves = reaches(hazard, e.queue, hour, announced, e.priority, timeout)
        if wait.leaves >= 0:
            wait.source = e.source
    waits.append(wait)


def _find(m: Moment, e: Event) -> Wait | None:
    key = _key(e)
    for wait in reversed(m.state.waits):
        if wait.channel == e.channel and (not key or not wait.key or wait.key == key):
            return wait
    return None


def close(
    m: Moment,
    e: Event,
    journey: Journey,
    wait: Wait,
    outcome: str,
    seconds: float,
    ver: int = 1,
    *,
    alone: bool = False,
) -> None:
    """End a wait: its row, and its points unless it was a short abandon.

    One that nobody but ``e`` told of is known by ``e``: another event can tell of as long a wait at the same
    moment, and what is charged twice is to be seen twice.
    """
    short = outcome == "abandoned" and seconds * 1000 < m.policy.document.waiting.short_abandon
    fact = _fact(m, wait, e.source, e.id) if alone else _fact(m, wait)
    if not short:
        if wait.kind == "reply":
            found = reply_points(m.policy, wait.channel, seconds)
        else:
            found = points(m.policy, seconds, wait.announced)
        if found > 0.0:
            m.signal("waiting", journey, found, channel=wait.channel, part=fact)
    _row(m, wait, fact, m.time, outcome, seconds, short=short, queue=e.queue, priority=e.priority, ver=ver)


def lost(m: Moment, attempt: Attempt) -> None:
    """Nobody heard how the wait of a queue that timed out ended: it goes, and nobody is charged for it."""
    for wait in m.state.waits:
        if wait.channel == attempt.channel and wait.opened == attempt.start:
            m.state.waits.remove(wait)
            unheard(m, wait, attempt.last, (attempt.last - wait.opened) / 1000, "lost")
            return


def queue_of(state: Customer, attempt: Attempt) -> str:
    """The queue of an attempt whose wait is still open."""
    if attempt.kind == "queue":
        for wait in state.waits:
            if wait.channel == attempt.channel and wait.opened == attempt.start:
                return wait.queue
    return ""


def again(base: Customer, row: Row, ver: int) -> Row | None:
    """The wait of ``row`` as lost, with another ``ver``, if that is what ``base`` had told; else None."""
    for a in base.attempts:
        if a.kind == "queue" and a.told is not None and (a.channel, a.start) == (row[_CHANNEL], row[_TIME]):
            told = a.told
            head = (row[0], row[1], row[2], a.start, told[0], told[1], 0, 0, ver, told[2], row[10], row[11])
            seconds = (a.last - a.start) / 1000
            ended = (a.start, a.last, "lost", 0, seconds, "")
            return (*head, "queue", told[10], a.channel, a.journey, *ended)
    return None


def unheard(m: Moment, wait: Wait, closed: int, seconds: float, outcome: str) -> None:
    """The row of a wait whose end no event tells; ``closed`` (ms) is the last that is known of it."""
    _row(m, wait, _fact(m, wait), closed, outcome, seconds)


def _fact(m: Moment, wait: Wait, *told: str) -> str:
    return m.id("wait", wait.kind, wait.channel, str(wait.key), str(wait.opened), *told)


def _row(
    m: Moment,
    wait: Wait,
    fact: str,
    closed: int,
    outcome: str,
    seconds: float,
    *,
    short: bool = False,
    queue: str = "",
    priority: str = "",
    ver: int = 1,
) -> None:
    m.out.add(
        "waits",
        (
            *m.head(fact, wait.opened, ver),
            wait.kind,
            wait.queue or queue,
            wait.channel,
            wait.journey,
            wait.opened,
            closed,
            outcome,
            int(short),
            seconds,
            priority,
        ),
    )
