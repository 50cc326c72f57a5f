"""Reads the log where it must be read: ranges of offsets of one partition, and blocks of facts on their way.

Without a group, so that nothing is committed. aiokafka, because it reads ten times faster than the client
that the other commands use.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams import blocks
from streams.clock import monotonic
from streams.errors import OperationError
from streams.kafka import urls
from streams.lanes.api import Record
from streams.reconcile.ranges import Range, joined, within

__all__ = ["Reader"]

# A seek costs as much as reading this many records, so ranges that are nearer are read in one go.
NEAR = 2_000
STEP = 5_000
POLL_MS = 500
# A broker may restart meanwhile.
PATIENCE_S = 30.0


class Reader:
    """At one place at a time: finish one iteration before the next, or take two readers.

    Use as a context manager, which raises OperationError where the brokers fail.
    """

    def __init__(self, url: str) -> None:
        address = urls.parse(url)
        self._where = f"Kafka at {address} (REHUMAN_KAFKA_URL)"
        self._client = address.client()
        self._consumer: Any = None

    async def __aenter__(self) -> Reader:
        self._consumer = AIOKafkaConsumer(
            **self._client,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=50,
        )
        try:
            await self._consumer.start()
        except KafkaError as error:
            await self._consumer.stop()
            raise self._failed(error) from None
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._consumer.stop()
        if isinstance(error, KafkaError):
            raise self._failed(error) from None

    async def begin(self, topic: str, partition: int) -> int:
        """The first offset that is in the log now."""
        key = TopicPartition(topic, partition)
        offsets: dict[Any, int] = await self._consumer.beginning_offsets([key])
        return offsets[key]

    async def since(self, topic: str, partitions: Iterable[int], ms: int) -> dict[int, int]:
        """The first offset that the broker stamped at or after a time; partitions without one left out."""
        keys = {TopicPartition(topic, partition): ms for partition in partitions}
        found = await self._consumer.offsets_for_times(keys)
        return {key.partition: at.offset for key, at in found.items() if at is not None}

    async def stamps(self, topic: str, starts: Mapping[int, int]) -> dict[int, int]:
        """The broker's time stamp of the first record of each partition at or after an offset."""
        found = {}
        for partition, first in starts.items():
            async for records in self.records(topic, partition, [(first, first + 1)]):
                for record in records:
                    found[partition] = record.stamp
        return found

    async def records(
        self, topic: str, partition: int, parts: Sequence[Range]
    ) -> AsyncIterator[list[Record]]:
        """The records of ascending ranges; where the log has none at an offset, none comes."""
        key = TopicPartition(topic, partition)
        self._consumer.assign([key])
        for first, end in joined(parts, NEAR):
            self._consumer.seek(key, first)
            wanted = [part for part in parts if first <= part[0] < end]
            async for fetched in self._until(key, first, end):
                inside = within(wanted, (record.offset for record in fetched))
                yield [_record(record) for record, yes in zip(fetched, inside, strict=True) if yes]

    async def blocks(self, topic: str, partition: int, first: int, end: int) -> AsyncIterator[blocks.Block]:
        """The blocks of facts from ``first`` up to ``end``, or to where the log ends now if that is later."""
        key = TopicPartition(topic, partition)
        self._consumer.assign([key])
        self._consumer.seek(key, first)
        # The embedded broker gives an end that is inside the last batch; a fetch brings the true one.
        fetched = await self._fetch(key)
        end = max(end, self._consumer.highwater(key) or 0)
        for block in _blocks(fetched):
            yield block
        async for records in self._until(key, first, end):
            for block in _blocks(records):
                yield block

    async def _until(self, key: Any, first: int, end: int) -> AsyncIterator[list[Any]]:
        moved = monotonic()
        at = await self._consumer.position(key)
        while at < end:
            fetched = await self._fetch(key)
            if fetched:
                yield [record for record in fetched if record.offset < end]
            position = await self._consumer.position(key)
            if position < first:
                raise OperationError(
                    f"{key.topic}/{key.partition} has no offset {first} any more: was the topic made again?"
                )
            if position > at:
                at, moved = position, monotonic()
            elif monotonic() - moved > PATIENCE_S:
                raise OperationError(f"{self._where} gives no record of {key.topic}/{key.partition} at {at}")

    async def _fetch(self, key: Any) -> list[Any]:
        fetched = await self._consumer.getmany(key, timeout_ms=POLL_MS, max_records=STEP)
        found: list[Any] = fetched.get(key, [])
        return found

    def _failed(self, error: KafkaError) -> OperationError:
        return OperationError(f"{self._where} failed while it was read: {type(error).__name__}")


def _blocks(records: Iterable[Any]) -> Iterator[blocks.Block]:
    for record in records:
        try:
            yield blocks.decode(record.value or b"")
        except blocks.BadBlockError:
            continue  # it will be a dead letter, and nothing in it a fact


def _record(record: Any) -> Record:
    return Record(record.offset, record.timestamp, record.key, record.value)
