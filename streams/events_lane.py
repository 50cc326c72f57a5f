"""The events lane: the pure fold, wired to topics. One instance owns one partition of ``<prefix>.events``.

Candidates, dead letters and misrouted events are sent as they come; rows gather by table and leave as blocks
at the checkpoint. Nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from detectors.events import Rejected
from detectors.log import LogFold
from detectors.moment import Findings
from detectors.partition import Counts
from detectors.policy import Policy
from detectors.tables import Row
from streams import blocks, metrics
from streams.dead_letters import dead_letter
from streams.identity import Pseudonyms
from streams.kafka.partitioner import partition_of
from streams.lanes.api import Output, Record
from streams.topics import TopicNames

__all__ = ["EventsFold", "row_blocks"]

# A block well below every message limit on its way: large enough for one insert, small enough to hold.
BLOCK_ROWS = 4_000
BLOCK_BYTES = 900_000

_encode = msgspec.json.Encoder().encode


class EventsFold:
    """A :class:`streams.lanes.api.Fold` over customers' events."""

    def __init__(
        self, partition: int, partitions: int, topics: TopicNames, policy: Policy, names: Pseudonyms
    ) -> None:
        """``policy`` holds until the log activates another."""
        self._topics = topics
        self._partition = partition
        self._findings = Findings()
        self._counted = Counts()
        self.log = LogFold(
            partition,
            policy,
            names.pseudonym,
            names.reference,
            lambda subject: partition_of(subject.encode(), partitions),
        )

    def load(self, key: bytes, value: bytes) -> None:
        """See :class:`streams.lanes.api.Fold`."""
        self.log.fold.load(key, value)

    def ready(self) -> None:
        """Nothing more to do: state is complete as it was loaded."""

    def apply(self, records: Sequence[Record]) -> list[Output]:
        """Fold records; what cannot wait for the checkpoint is returned."""
        outputs: list[Output] = []
        findings = self._findings
        fold = self.log.record
        for record in records:
            outcome = fold(record.value, record.stamp, record.offset, findings)
            if isinstance(outcome, Rejected):
                outputs.append(self._dead_letter(record, outcome))
            elif outcome == "misrouted":
                metrics.MISROUTED.inc()
                key = self.log.subject.encode()
                outputs.append(Output(self._topics.events, None, key, record.value))
            elif outcome == "tick":
                metrics.TICKS.inc()
        if findings.desk:
            for message in findings.desk:
                metrics.CANDIDATES.labels(message.get("data", {}).get("level", "none")).inc()
                key = message["tenant"].encode()
                outputs.append(Output(self._topics.desk, None, key, _encode(message)))
            findings.desk.clear()
        return outputs

    def flush(self) -> list[Output]:
        """The rows gathered since the last checkpoint, as blocks."""
        outputs = [
            Output(self._topics.facts, self._partition, None, raw)
            for table, rows in self._findings.rows.items()
            for raw in row_blocks(table, rows, self._partition)
        ]
        self._findings.rows.clear()
        self._count()
        return outputs

    def changed(self) -> Iterable[tuple[bytes, bytes | None]]:
        """See :class:`streams.lanes.api.Fold`."""
        for key, value in self.log.fold.changed():
            metrics.STATE_BYTES.labels(self._topics.events).inc(len(value))
            yield key, value

    def _dead_letter(self, record: Record, rejected: Rejected) -> Output:
        topic = self._topics.events
        metrics.DEAD_LETTERS.labels(rejected.reason).inc()
        self.log.reject(topic, rejected, record.value, record.stamp, record.offset, self._findings)
        reason = f"{rejected.reason}:{rejected.field}" if rejected.field else rejected.reason
        return dead_letter(self._topics, topic, self._partition, record, reason)

    def _count(self) -> None:
        """Bring the metrics up to what the fold has counted since the last time."""
        fold = self.log.fold
        now, before = fold.counts, self._counted
        metrics.SCORED.inc(now.scored - before.scored)
        metrics.LATE.inc(now.late - before.late)
        metrics.DUPLICATES.inc(now.duplicates - before.duplicates)
        metrics.UNSCORED.labels("consent").inc(now.unscored - before.unscored)
        metrics.UNSCORED.labels("unknown_type").inc(now.unknown - before.unknown)
        self._counted = msgspec.structs.replace(now)
        partition = str(self._partition)
        metrics.WATERMARK.labels(partition).set(fold.watermark / 1000)
        metrics.CUSTOMERS.labels(partition).set(fold.customers)
        metrics.POLICY_VERSION.set(fold.policy.version)


def row_blocks(table: str, rows: Sequence[Row], partition: int) -> Iterable[bytes]:
    """Rows of one table as blocks within the row and byte limits."""
    for start in range(0, len(rows), BLOCK_ROWS):
        yield from _within(table, rows[start : start + BLOCK_ROWS], partition)


def _within(table: str, rows: Sequence[Row], partition: int) -> Iterable[bytes]:
    raw = blocks.encode(table, rows, partition)
    if len(raw) <= BLOCK_BYTES or len(rows) == 1:
        yield raw
    else:
        half = len(rows) // 2
        yield from _within(table, rows[:half], partition)
        yield from _within(table, rows[half:], partition)
