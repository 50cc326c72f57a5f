"""A former owner's late writes: what they would do, and that the brokers refuse them.

The former owner here is a producer of lanes that is still going when another one has taken its partition.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from streams.errors import OperationError
from streams.kafka import urls
from streams.lanes import Output
from streams.lanes import fence as fences
from streams.lanes.changelog import Merge, pack
from streams.lanes.chunk import Place
from streams.lanes.producer import BatchProducer
from tests.support.cluster import KafkaCluster
from tests.support.kafka import create_topics

KEY, FILL = b"customer", b"another"
OLD, NEW = pack(5, b"old"), pack(9, b"new")
# Compacted as soon as anything more is written.
EAGER = {"cleanup.policy": "compact", "segment.ms": "100", "min.cleanable.dirty.ratio": "0.0001"}
COMPACTION_S = 30.0


def place(cluster: KafkaCluster, name: str) -> Place:
    create_topics(cluster.bootstrap, {name: 1}, configs={name: EAGER}, copies=3)
    return Place(name, 0)


def read(cluster: KafkaCluster, there: Place) -> list[tuple[bytes, bytes | None]]:
    """Everything in a partition."""
    consumer = KafkaConsumer(bootstrap_servers=cluster.bootstrap, group_id=None, enable_auto_commit=False)
    try:
        key = TopicPartition(*there)
        consumer.assign([key])
        (end,) = consumer.end_offsets([key]).values()
        consumer.seek_to_beginning(key)
        found = []
        while consumer.position(key) < end:
            for records in consumer.poll(timeout_ms=500).values():
                found += [(record.key, record.value) for record in records]
        return found
    finally:
        consumer.close()


def compact(cluster: KafkaCluster, there: Place) -> None:
    """Return when only the last record of KEY is left."""
    producer = KafkaProducer(bootstrap_servers=cluster.bootstrap, acks="all")
    deadline = time.monotonic() + COMPACTION_S
    while [key for key, _ in read(cluster, there)].count(KEY) > 1:
        assert time.monotonic() < deadline, f"no compaction: {read(cluster, there)}"
        # A segment is closed by the next record after its time, and only closed ones are compacted.
        producer.send(there.topic, key=FILL, value=pack(1, b"fill"), partition=there.partition)
        producer.flush()
        time.sleep(0.3)
    producer.close()


def restored(cluster: KafkaCluster, there: Place) -> bytes:
    """The state that the next owner would begin with."""
    merge = Merge()
    for key, value in read(cluster, there):
        merge.offer(key, value)
    return dict(merge.states())[KEY]


def producers(cluster: KafkaCluster, count: int, test: Callable[..., Awaitable[None]]) -> None:
    """Run a test with so many started producers."""

    async def main() -> None:
        client = urls.parse(cluster.url).client()
        made = [BatchProducer(client, unacknowledged_bytes=1_000_000) for _ in range(count)]
        try:
            for producer in made:
                await producer.start()
            await test(*made)
        finally:
            for producer in made:
                await producer.stop()

    asyncio.run(main())


async def write(producer: BatchProducer, there: Place, value: bytes) -> None:
    for acknowledged in await producer.send([Output(there.topic, there.partition, KEY, value)]):
        await acknowledged


def test_without_a_fence_a_compaction_takes_state_back(cluster: KafkaCluster) -> None:
    """The gap: the highest position wins, but only while the newer record is still there."""
    there = place(cluster, "gap")

    async def zombie(old: BatchProducer, new: BatchProducer) -> None:
        await write(new, there, NEW)
        await write(old, there, OLD)

    producers(cluster, 2, zombie)
    assert restored(cluster, there) == b"new"
    compact(cluster, there)
    assert restored(cluster, there) == b"old"


def test_a_former_owner_is_refused_and_no_compaction_takes_state_back(cluster: KafkaCluster) -> None:
    there = place(cluster, "fenced")

    async def zombie(old: BatchProducer, new: BatchProducer) -> None:
        await old.fence(there)
        await write(old, there, OLD)
        end = await new.fence(there)
        # Everything of the former owner's is below that, and nothing of it comes later.
        assert end == 3
        await write(new, there, NEW)
        with pytest.raises(OperationError, match="another process has taken over fenced-0"):
            await write(old, there, OLD)
        with pytest.raises(OperationError, match="another process has taken over"):
            await write(old, there, pack(7, b"later still"))
        # It may become the owner again, and then the other one is out.
        await old.fence(there)
        await write(old, there, pack(11, b"newest"))
        with pytest.raises(OperationError, match="another process"):
            await write(new, there, NEW)

    producers(cluster, 2, zombie)
    compact(cluster, there)
    assert restored(cluster, there) == b"newest"


def test_the_fence_outlives_compaction_and_the_leader(cluster: KafkaCluster) -> None:
    there = place(cluster, "outlives")

    async def zombie(old: BatchProducer, new: BatchProducer) -> None:
        await old.fence(there)
        await write(old, there, OLD)
        await new.fence(there)
        await write(new, there, NEW)
        await asyncio.to_thread(compact, cluster, there)
        leader = await asyncio.to_thread(cluster.leader, *there)
        cluster.kill(leader)
        try:
            with pytest.raises(OperationError, match="another process"):
                await write(old, there, OLD)
        finally:
            await asyncio.to_thread(cluster.start, leader)

    producers(cluster, 2, zombie)
    cluster.heal()
    assert restored(cluster, there) == b"new"


def test_the_fence_is_renewed_and_only_by_its_owner(
    cluster: KafkaCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = place(cluster, "renewed")
    monkeypatch.setattr(fences, "RENEW_S", 0.0)

    async def test(old: BatchProducer, new: BatchProducer) -> None:
        await old.fence(there)
        spool = old._spools[there]
        assert spool.fence is not None
        epoch = spool.fence.epoch
        for _ in range(3):
            await write(old, there, OLD)
        assert spool.fence.epoch == epoch + 3
        # Before the new owner has written anything the leader knows of nothing: the coordinator does.
        await fences.raise_fence(new._producer.client, "renewed-0")
        with pytest.raises(OperationError, match="another process has taken over renewed-0"):
            await write(old, there, OLD)

    producers(cluster, 2, test)


def test_sequences_begin_again_where_they_end(cluster: KafkaCluster) -> None:
    """A busy lane writes two thousand million records between two starts."""
    there = place(cluster, "sequences")

    async def test(producer: BatchProducer) -> None:
        spool = producer._spool(*there)
        spool.fence = await fences.raise_fence(producer._producer.client, "sequences-0")
        spool.fence._sequence = fences.SEQUENCES - 3
        for start in range(0, 20, 5):
            values = [Output(*there, b"k%d" % number, OLD) for number in range(start, start + 5)]
            for acknowledged in await producer.send(values):
                await acknowledged

    producers(cluster, 1, test)
    assert [key for key, _ in read(cluster, there)] == [b"k%d" % number for number in range(20)]
