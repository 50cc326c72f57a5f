"""The events lane: the pure fold, wired to topics. One instance owns one partition of ``<prefix>.events``.

Candidates, dead letters and misrouted events are sent as they come; rows gather by table and leave as blocks
at the checkpoint. Nothing here decides anything.

No record ends the worker. What raises is told apart, among the records of a chunk and among the rows of a
block, and goes to the dead letters with the exception's type and place; the lane goes on. Only a lack of
memory is no record's fault.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import Any
from weakref import WeakSet

import msgspec

from detectors.breaker import Rules
from detectors.event_row import newest, offset_of
from detectors.events import Rejected
from detectors.log import LogFold, Outcome
from detectors.moment import Findings
from detectors.partition import Counts
from detectors.policy import Policy
from streams import metrics
from streams.accounts import Accepted
from streams.blocks import Growing
from streams.dead_letters import (
    FOLD_FAILED,
    OUTPUT_FAILED,
    ROW_FAILED,
    SOURCE_PARKED,
    STATE_FAILED,
    dead_letter,
    dead_place,
    where,
)
from streams.identity import Pseudonyms
from streams.kafka.partitioner import partition_of
from streams.lanes.api import Output, Record
from streams.lanes.records import values
from streams.log import get_logger
from streams.row_blocks import BLOCK_BYTES, row_blocks
from streams.source_gate import SourceGate
from streams.topics import TopicNames

__all__ = ["EventsFold"]

log = get_logger("streams.events")

# What says that a record could be read and not be dealt with; garbage has reasons of its own, and parking
# who sends it would put the good records aside and say less about the bad ones.
_FAILURES = (FOLD_FAILED, OUTPUT_FAILED)
_PARKED = Rejected(SOURCE_PARKED)
_encode = msgspec.json.Encoder().encode
# Events' rows go into a block while the processor still has them at hand, and what they are made of is memory
# for the next ones; a block of that size is closed. The rest come to few rows and wait for so many.
_STRIDE, _FULL_BYTES, _MOST_BYTES, _READY_ROWS = 64, BLOCK_BYTES // 2, BLOCK_BYTES - 2_000, 500
# Customers that stay unpacked, a few KB each, over all partitions of this process.
_HOT, _LEAST_HOT = 65_536, 128
_folds: WeakSet[EventsFold] = WeakSet()


class EventsFold:
    """A :class:`streams.lanes.api.Fold` over customers' events."""

    def __init__(
        self,
        partition: int,
        partitions: int,
        topics: TopicNames,
        policy: Policy,
        names: Pseudonyms,
        account: Accepted | None = None,
        parking: Rules | None = None,
    ) -> None:
        """``policy`` holds until the log activates another; ``parking``: when a source is put aside."""
        self._topics = topics
        self._partition = partition
        self._findings = Findings()
        self._counted = Counts()
        self._account = account or Accepted(partition)
        self._gate = SourceGate(partition, parking or Rules())
        self._stamp = 0
        self._unpacked: dict[int, Rejected] = {}
        self._blocks: list[Output] = []
        self._growing = Growing("events", partition, _MOST_BYTES)
        self._newest: dict[str, int] = {}
        _folds.add(self)
        self.log = LogFold(
            partition,
            policy,
            names.pseudonym,
            names.reference,
            lambda subject: partition_of(subject.encode(), partitions),
        )
        self.log.pauses = True

    def load(self, key: bytes, value: bytes) -> None:
        """See :class:`streams.lanes.api.Fold`."""
        self.log.fold.load(key, value)

    def gone(self, key: bytes, position: int) -> None:
        """See :class:`streams.lanes.api.Fold`."""
        self.log.fold.known.leave(key, position)

    def ready(self) -> None:
        """Nothing more to do: state is complete as it was loaded."""

    def apply(self, records: Sequence[Record]) -> list[Output]:
        """Fold records; what cannot wait for the checkpoint is returned."""
        return [output for outputs in self.steps(records) for output in outputs]

    def steps(self, records: Sequence[Record]) -> Iterator[list[Output]]:
        """See :class:`streams.lanes.api.Pauses`."""
        outputs: list[Output] = []
        findings, gate = self._findings, self._gate
        fold = self.log.record
        self._stamp = records[-1].stamp if records else self._stamp
        watching = gate.watching
        if watching:
            gate.sweep(records[0].stamp)
        at = 0
        while at < len(records):
            if not watching:
                # In one go as far as it goes, which is nearly always to the end.
                count, outcome = self.log.events(values(records, at, at + _STRIDE), findings)
                at += count
                if outcome != "event":
                    if outcome == "tick":
                        outcome = yield from self._pass_time(records)
                    outputs += self._other(records[at], outcome)
                    watching = gate.watching
                    at += 1
                self._grow()
                continue
            record = records[at]
            at += 1
            if at % _STRIDE == 0:
                self._grow()
            head = gate.source(record)
            if head is not None and gate.parks(head, record.stamp):
                outputs += self._other(record, _PARKED)
                continue
            outcome = fold(record.value, record.stamp, record.offset, findings)
            if outcome == "tick":
                outcome = yield from self._pass_time(records)
            if outcome != "event":
                outputs += self._other(record, outcome)
            elif head is not None:
                gate.passed(head, record.stamp)
        yield outputs + self._gathered(records)

    def _pass_time(self, records: Sequence[Record]) -> Generator[list[Output], None, Outcome | Rejected]:
        """The timers that a tick of ``records`` sets off."""
        while (outcome := self.log.go_on()) is None:
            yield self._gathered(records)
        return outcome

    def _gathered(self, records: Sequence[Record]) -> list[Output]:
        """What was found until now: messages are returned, rows go into blocks."""
        desk = self._findings.desk
        outputs = self._desk(desk, records) if desk else []
        desk.clear()
        self._grow()
        self._pack(_READY_ROWS)
        return outputs

    def flush(self) -> list[Output]:
        """The rows gathered since the last checkpoint, as blocks."""
        self._close()
        self._pack(1)
        outputs, self._blocks = self._blocks, []
        places, self._unpacked = self._unpacked, {}
        if places:
            outputs += [self._dead_place(offset, found) for offset, found in places.items()]
            outputs += self.flush()  # the dead letters' own rows
        self._count()
        return outputs

    def _grow(self) -> None:
        """Put the events' rows so far into the block that grows; what it cannot take is left for the end."""
        rows = self._findings.found.get("events")
        if not rows:
            return
        if not (added := self._growing.add(rows)) and self._growing.size:
            self._close()
            added = self._growing.add(rows)
        if added:
            self._newest |= newest(rows)
            rows.clear()
            if self._growing.size >= _FULL_BYTES:
                self._close()

    def _close(self) -> None:
        """No more rows into the block that grows."""
        if self._growing.size:
            self._blocks.append(Output(self._topics.facts, self._partition, None, self._growing.take()))
            self._account.rows(self._newest)
            self._newest = {}

    def _pack(self, least: int) -> None:
        """Make blocks of each table's rows where there are ``least`` of them."""
        for table, found in self._findings.found.items():
            if len(found) < least:
                continue
            failed = _Failed()
            for raw in row_blocks(table, found, self._partition, failed):
                self._blocks.append(Output(self._topics.facts, self._partition, None, raw))
            self._unpacked |= failed.places
            if table == "events":
                self._account.rows(newest(failed.without(found)))
            found.clear()

    def changed(self) -> Iterable[tuple[bytes, bytes | None]]:
        """See :class:`streams.lanes.api.Fold`."""
        size = 0
        for key, value in self.log.fold.changed():
            if value is not None:
                size += len(value)
            yield key, value
        metrics.STATE_BYTES.labels(self._topics.events).inc(size)
        for offset, error in self.log.fold.known.unpacked:
            # Its letter leaves with the next checkpoint: this one has sent what it had to.
            self._unpacked[offset] = Rejected(STATE_FAILED, where(error))
            log.error(
                "a state cannot be packed", partition=self._partition, offset=offset, error=where(error)
            )
        self.log.fold.known.unpacked.clear()

    def _other(self, record: Record, outcome: Outcome | Rejected) -> list[Output]:
        """What follows from a record that was not folded as an event."""
        outputs = []
        if outcome == "misrouted":
            try:
                outputs.append(Output(self._topics.events, None, self.log.subject.encode(), record.value))
            except UnicodeEncodeError as error:
                outcome = Rejected(OUTPUT_FAILED, where(error))
        self._account.took(outcome)
        if isinstance(outcome, Rejected):
            outputs.append(self._dead_letter(record, outcome))
        return outputs

    def _desk(self, messages: Sequence[dict[str, Any]], records: Sequence[Record]) -> list[Output]:
        outputs = []
        for message in messages:
            try:
                key = message["tenant"].encode()
                output = Output(self._topics.desk, None, key, _encode(message))
                level = message.get("data", {}).get("level", "none")
            except MemoryError:
                raise
            except Exception as error:
                rejected, offset = Rejected(OUTPUT_FAILED, where(error)), message.get("offset", -1)
                record = next((record for record in records if record.offset == offset), None)
                output = self._dead_letter(record, rejected) if record else self._dead_place(-1, rejected)
            else:
                metrics.CANDIDATES.labels(level).inc()
            outputs.append(output)
        return outputs

    def _dead_letter(self, record: Record, rejected: Rejected) -> Output:
        topic = self._topics.events
        metrics.DEAD_LETTERS.labels(rejected.reason).inc()
        self.log.reject(topic, rejected, record.value, record.stamp, record.offset, self._findings)
        if rejected.reason in _FAILURES:
            self._gate.failed(record, rejected.field)
        return dead_letter(self._topics, topic, self._partition, record, _reason(rejected))

    def _dead_place(self, offset: int, rejected: Rejected) -> Output:
        """For what comes to light only at a checkpoint, when the record itself is not held any more."""
        topic = self._topics.events
        metrics.DEAD_LETTERS.labels(rejected.reason).inc()
        self.log.reject(topic, rejected, None, self._stamp, offset, self._findings)
        return dead_place(self._topics, topic, self._partition, offset, self._stamp, _reason(rejected))

    def _count(self) -> None:
        """Bring the metrics up to what the fold has counted since the last time."""
        fold = self.log.fold
        fold.known.most = max(_LEAST_HOT, _HOT // len(_folds))
        now, before = fold.counts, self._counted
        self._account.folded(now, before)
        self._account.under(fold.policy)
        metrics.LATE.inc(now.late - before.late)
        metrics.UNSCORED.labels("consent").inc(now.unscored - before.unscored)
        metrics.UNSCORED.labels("unknown_type").inc(now.unknown - before.unknown)
        metrics.REORDERED.inc(now.reordered - before.reordered)
        metrics.RING_OVERFLOWS.inc(now.overflows - before.overflows)
        metrics.HELD_BACK.inc(now.held_back - before.held_back)
        metrics.AGED_OUT.inc(now.aged_out - before.aged_out)
        self._counted = now.copy()
        partition = str(self._partition)
        metrics.WATERMARK.labels(partition).set(fold.watermark / 1000)
        metrics.CUSTOMERS.labels(partition).set(len(fold.known))
        metrics.POLICY_VERSION.set(fold.policy.version)


class _Failed:
    """The records, by offset, of which a row could not be packed."""

    def __init__(self) -> None:
        self.places: dict[int, Rejected] = {}
        self._rows: set[int] = set()

    def __call__(self, row: object, error: Exception) -> None:
        self._rows.add(id(row))
        offset = offset_of(row)
        self.places[offset if isinstance(offset, int) else -1] = Rejected(ROW_FAILED, where(error))

    def without(self, rows: Sequence[object]) -> Sequence[object]:
        """``rows`` but for those that failed."""
        return [row for row in rows if id(row) not in self._rows] if self._rows else rows


def _reason(rejected: Rejected) -> str:
    return f"{rejected.reason}:{rejected.field}" if rejected.field else rejected.reason
