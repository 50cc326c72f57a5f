"""Ticks: time passing, written into the log so that a replay fires the same timers at the same places.

A tick goes to *every* partition of the events' topic: each has a watermark of its own, and a partition whose
customers are silent must learn from somewhere that it is later now. Duplicates do no harm: time only moves
forward. A tick says of every source that it is fresh, or names those that are silent (live workers only).

>>> tick_record(917_845_367_000)[72:]
b'"type":"io.rehuman.tick","time":"1999-02-01T05:02:47.000Z","data":{"fresh":"all"}}'
>>> from streams.sources.api import cloud_event
>>> events = [cloud_event("page_view", ms, "web", str(ms), "c", {}) for ms in (0, 400, 1_000)]
>>> [item.time for item in with_ticks(events, 500, 60_000, lateness_ms=10) if isinstance(item, TickAt)]
[0, 1000, 1010, 61010]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from detectors.policy import Policy
from detectors.vocabulary import TICK
from streams.sources.api import SourceEvent, rfc3339

__all__ = ["EVERY_MS", "LATENESS_MS", "REPLAY", "WORKER", "TickAt", "tick_record", "under", "with_ticks"]

REPLAY = "rehuman/replay"
WORKER = "rehuman/worker"
# Below the default allowance of an hour by which events may push the watermark ahead of the last tick.
EVERY_MS = 15 * 60_000
# The policy's default lateness: the watermark stays this far behind time.
LATENESS_MS = 60_000
# RFC 3339 has four digits for the year.
_LAST_MS = 253_402_300_799_999

_encode = msgspec.json.Encoder().encode


class TickAt(NamedTuple):
    """A tick in a stream of events: ``time`` in ms since the epoch.

    ``final`` ones follow the last event. A paced replay does not wait for them: nobody watches the silence.
    """

    time: int
    final: bool = False


def tick_record(time_ms: int, source: str = REPLAY, silent: Sequence[str] = ()) -> bytes:
    """The value of a tick's record; its key is empty. ``silent`` are the sources that are not fresh."""
    return _encode(
        {
            "specversion": "1.0",
            "id": f"tick/{time_ms}",
            "source": source,
            "type": TICK,
            "time": rfc3339(time_ms),
            "data": {"stale": list(silent)} if silent else {"fresh": "all"},
        }
    )


def with_ticks(
    events: Iterable[SourceEvent],
    every_ms: int,
    horizon_ms: int,
    *,
    lateness_ms: int = LATENESS_MS,
    span: tuple[int, int] = (0, _LAST_MS),
    fill_gaps: bool = False,
) -> Iterator[SourceEvent | TickAt]:
    """``events`` (in order of time) with ticks of their own time between them.

    One before the first event at its time, then one before each event that lies ``every_ms`` or more after
    the last tick, at that event's time; at the end one ``lateness_ms`` after the last event, and one
    ``horizon_ms`` (the policy's longest time-out) after that, so that no timer is left. With ``fill_gaps``
    also one each ``every_ms`` where no event is, for a replay at a pace people watch.

    Events outside ``span`` (first, last, in ms) are passed on and move no time: the worker rejects them, and
    one clock from the year 9999 must not end everybody's attempts.
    """
    last_tick: int | None = None
    last = 0
    for event in events:
        time = event.time
        if span[0] <= time <= span[1]:
            if last_tick is None:
                last_tick = time
                yield TickAt(time)
            elif time - last_tick >= every_ms:
                while fill_gaps and time - last_tick > every_ms:
                    last_tick += every_ms
                    yield TickAt(last_tick)
                last_tick = time
                yield TickAt(time)
            last = time
        yield event
    if last_tick is not None:
        yield TickAt(min(last + lateness_ms, _LAST_MS), final=True)
        yield TickAt(min(last + lateness_ms + horizon_ms, _LAST_MS), final=True)


def under(
    policy: Policy,
    events: Iterable[SourceEvent],
    *,
    now_ms: int,
    every_ms: int = EVERY_MS,
    fill_gaps: bool = False,
) -> Iterator[SourceEvent | TickAt]:
    """:func:`with_ticks` as a policy has it: its lateness, its longest time-out, its limits of time.

    A replay and a back-test of the same files must see the same ticks, or timers would fire elsewhere.
    ``now_ms`` is the wall clock's, beyond which (and the policy's ``ahead``) no event can lie.
    """
    rules = policy.document.time
    return with_ticks(
        events,
        every_ms,
        policy.longest_timeout_ms,
        lateness_ms=rules.lateness,
        span=(policy.floor, now_ms + rules.ahead),
        fill_gaps=fill_gaps,
    )
