"""The gate before the fold: lets a source's records through, or puts them aside while it is parked.

The breaker decides (``detectors/breaker.py``); here are the record's source, the metric and the line in the
log. Ticks and activations are rehuman's own and are never held up, whatever source they name.

What the gate knows is not kept over a restart, on purpose: a new process may be the remedy, so it tries every
source again. That costs as many failures as park a source, in each partition; and records that were put
aside in the half second before a crash may be folded after it, in which case sending them again changes
nothing.
"""

from __future__ import annotations

from detectors.breaker import Breaker, Rules
from detectors.vocabulary import ACTIVATION, TICK
from streams import metrics
from streams.head import Head, head, shown
from streams.lanes.api import Record
from streams.log import get_logger

__all__ = ["SourceGate"]

log = get_logger("streams.events")

# Places in the code at which records have failed, told once each.
MOST_TOLD = 50


class SourceGate:
    """The gate of one partition."""

    def __init__(self, partition: int, rules: Rules) -> None:
        self._partition = partition
        self._rules = rules
        self._breaker = Breaker(rules)
        self._told: set[str] = set()
        # What parked sources are called where it is shown: a name as sent may hold a customer's.
        self._shown: dict[str, str] = {}

    @property
    def watching(self) -> bool:
        """Whether there is anything to ask; while there is not, records need not be looked into."""
        return self._breaker.watching

    def source(self, record: Record) -> Head | None:
        """Who to count a record for; None for one that nobody answers for."""
        found = head(record.value)
        if found is None or not found.source or found.type in (TICK, ACTIVATION):
            return None
        return found

    def parks(self, found: Head, stamp: int) -> bool:
        """Whether this record is to be put aside."""
        return self._breaker.parks(found.source, stamp)

    def passed(self, found: Head, stamp: int) -> None:
        """A record was folded."""
        if self._breaker.passed(found.source, stamp):
            self._released(found.source)

    def failed(self, record: Record, place: str) -> None:
        """A record could be read and could not be folded; ``place`` is the exception's."""
        if place not in self._told and len(self._told) < MOST_TOLD:
            self._told.add(place)
            log.error(
                "a record fails and is put aside; more of the kind are not told",
                error=place,
                partition=self._partition,
                offset=record.offset,
            )
        found = self.source(record)
        if found is not None and self._breaker.failed(found.source, record.stamp):
            metrics.SOURCE_BREAKER.labels("parked").inc()
            name = self._shown[found.source] = shown(found)
            log.error(
                "a source keeps failing and is parked; its records go to the dead letters",
                source=name,
                partition=self._partition,
                seconds=self._rules.rest // 1000,
            )

    def sweep(self, stamp: int) -> None:
        """Forget who has been quiet for long."""
        for source in self._breaker.sweep(stamp):
            self._released(source)

    def _released(self, source: str) -> None:
        metrics.SOURCE_BREAKER.labels("released").inc()
        name = self._shown.pop(source, "")
        log.info("a parked source is released", source=name, partition=self._partition)
