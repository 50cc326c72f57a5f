"""Accepted, scored, stored: what one partition's lanes have done, step by step, as metrics.

Each lane has an account and tells it what it knows anyway, once a chunk or a checkpoint; nothing here asks a
broker. Of one partition of the events' topic the sum of what was *accepted*, by outcome, is the number of
records that were read; the events and dead letters among it are the rows that must be *stored*. After a crash
records are read, and rows are inserted, a second time: the counters say what was done, and ``rehuman doctor
--reconcile`` what is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from detectors.events import Rejected
from detectors.partition import Counts
from detectors.policy import Policy
from streams import metrics
from streams.clock import wall_ms
from streams.freshness.sources import Sources, silence

__all__ = ["Accepted", "Stored"]


class Accepted:
    """Of one partition's events lane."""

    def __init__(self, partition: int, sources: Sources | None = None) -> None:
        """``sources`` is told which sources have been seen; None where nobody wants to know."""
        self._partition = str(partition)
        self._sources = sources
        self._policy: Policy | None = None
        outcomes = ("event", "duplicate", "repeated", "tick", "policy", "misrouted", "dead_letter")
        # Made at once: a series that begins with its first count shows no increase for it.
        self._counters = {name: metrics.ACCEPTED.labels(self._partition, name) for name in outcomes}
        self._scored = metrics.SCORED.labels(self._partition)
        self._fresh = _Fresh(self._partition, "scored")

    def took(self, outcome: str | Rejected) -> None:
        """A record that was no event."""
        self._counters["dead_letter" if isinstance(outcome, Rejected) else outcome].inc()

    def folded(self, now: Counts, before: Counts) -> None:
        """What the fold has counted, and what it had when it was asked last."""
        duplicates = now.duplicates - before.duplicates
        self._counters["event"].inc(now.accepted - before.accepted - duplicates)
        self._counters["duplicate"].inc(duplicates)
        self._counters["repeated"].inc(now.skipped - before.skipped)
        self._scored.inc(now.scored - before.scored)

    def under(self, policy: Policy) -> None:
        """The policy in force says how long a source may be silent."""
        if self._sources is not None and policy is not self._policy:
            self._policy, self._sources.spans = policy, silence(policy)

    def rows(self, newest: Mapping[str, int]) -> None:
        """Rows of ``events`` on their way to the facts: by source, the event time (ms) of its last one."""
        if newest:
            now = wall_ms()
            self._fresh.see(newest.values(), now)
            if self._sources is not None:
                self._sources.saw(newest.items(), now)


class Stored:
    """Of one partition's facts lane."""

    def __init__(self, partition: int) -> None:
        self._partition = str(partition)
        self._fresh = _Fresh(self._partition, "stored")

    def rows(self, counts: Mapping[str, int], newest: int) -> None:
        """Rows by table that ClickHouse has acknowledged, and the time of the newest event so far."""
        for table, count in counts.items():
            metrics.STORED.labels(self._partition, table).inc(count)
        if counts.get("events"):
            self._fresh.see((newest,), wall_ms())


class _Fresh:
    """How new the newest event is that has passed a step."""

    def __init__(self, partition: str, step: str) -> None:
        self._newest = 0
        self._set_time: Callable[[float], None] = metrics.NEWEST_EVENT.labels(partition, step).set
        self._set_passed: Callable[[float], None] = metrics.EVENT_PASSED.labels(partition, step).set

    def see(self, times: Iterable[int], now: int) -> None:
        self._newest = max(self._newest, max(times))
        self._set_time(self._newest / 1000)
        self._set_passed(now / 1000)
