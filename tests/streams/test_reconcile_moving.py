"""The log and the facts while they move: what is on its way, deleted, sent on or dropped is told apart."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from kafka import TopicPartition

from streams import blocks
from streams.clock import wall_ms
from streams.embedded_broker import EmbeddedBroker
from streams.kafka import admin, urls
from streams.kafka.lag import group_lag
from streams.kafka.partitioner import partition_of
from streams.kafka.producer import Producer
from streams.reconcile.marks import Marks, take
from streams.settings import Settings
from tests.support.engine import EngineUnderTest
from tests.support.reconciled import (
    PARTITIONS,
    closing_client,
    commit,
    event,
    fill,
    gaps,
    looked,
    send,
    take_away,
    total,
)
from tests.support.world import World


def test_what_retention_deleted_cannot_be_checked(
    world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said, and is not missing; offsets that hold no record are no loss either."""
    found = world(partitions=1).prepare()
    send(found, [("c1", event(number, "c1")) for number in range(100)])
    asyncio.run(transaction(found, [event(number, "c1") for number in range(100, 110)]))
    worker = found.start_worker()
    found.settle()
    found.stop(worker)
    assert total(looked(found), "empty") == 1
    with closing_client(found) as client:
        lost = take_away(client, "events", "offset BETWEEN 30 AND 50")
    with admin.connect(found.settings.kafka_url) as kafka:
        kafka.delete_records({TopicPartition(found.settings.topics.events, 0): 41})
    report = looked(found)
    assert (report.partitions[0].begin, report.partitions[0].start) == (41, 41)
    assert gaps(report) == {place for place in lost if place[1] >= 41}
    said = found.rehuman("doctor", "--reconcile", ok=False)
    assert "/0  offsets 0 to 40: deleted by retention, cannot be checked\n" in said

    def too_late(settings: Settings) -> dict[int, Marks]:
        """More is deleted while we are looking."""
        marks = take(settings)
        with admin.connect(settings.kafka_url) as kafka:
            kafka.delete_records({TopicPartition(settings.topics.events, 0): 60})
        return marks

    monkeypatch.setattr("streams.reconcile.check.take", too_late)
    report = looked(found)
    assert (report.partitions[0].begin, total(report, "uncheckable"), total(report, "missing")) == (41, 10, 0)


async def transaction(world: World, values: list[bytes]) -> None:
    """Records of a transaction: its mark takes an offset."""
    producer = AIOKafkaProducer(**urls.parse(world.settings.kafka_url).client(), transactional_id="test")
    await producer.start()
    try:
        async with producer.transaction():
            for value in values:
                await producer.send(world.settings.topics.events, value, key=b"c1", partition=0)
    finally:
        await producer.stop()


def test_a_stray_is_followed(world: Callable[..., World]) -> None:
    """One that was sent on is on its way while its copy is unread, and lost where there is no copy."""
    found = world(partitions=PARTITIONS).prepare()
    names = [name for name in (f"c{n}" for n in range(50)) if partition_of(name.encode(), PARTITIONS) == 2]
    strays = [(name, event(number, name)) for number, name in enumerate(names)]
    send(found, strays, partition=0)
    send(found, strays[1:])
    with admin.connect(found.settings.kafka_url) as kafka:
        # As if partition 0 had been read, and the copy of the first had not been sent.
        (end,) = [
            lag.end for (_, n), lag in group_lag(kafka, "g", [found.settings.topics.events]).items() if n == 0
        ]
    commit(found, found.settings.topics.events, 0, end)
    report = looked(found)
    assert gaps(report) == {(0, end - len(strays))}
    assert report.partitions[0].gaps[0].kind == "misrouted"
    assert report.partitions[0].to_store == len(strays) - 1
    assert report.partitions[2].to_fold >= len(strays) - 1


def test_a_block_that_never_arrived(world: Callable[..., World]) -> None:
    """First on its way, then dropped: a commit that is ahead of what was stored loses exactly its rows."""
    found = world(partitions=PARTITIONS).prepare()
    fill(found)
    worker = found.start_worker("events,desk")
    found.until(lambda: found.behind(found.settings.topics.events) == 0, "the fold")
    found.stop(worker)
    waiting = looked(found)
    assert total(waiting, "missing") == total(waiting, "stored") == 0
    assert total(waiting, "to_store") == 601 + PARTITIONS + 3 + 1
    dropped = drop_block(found, partition=1)
    assert dropped
    worker = found.start_worker("facts")
    found.settle()
    # The copies of the last event, if its row was in the block, have lost what they repeat.
    named = gaps(looked(found))
    assert named >= {(1, offset) for offset in dropped}
    assert len(named) - len(dropped) in (0, 3)
    # What operations.md says of it: set the group back on the facts' topic.
    found.stop(worker)
    commit(found, found.settings.topics.facts, 1, 0)
    found.start_worker("facts")
    found.settle()
    assert gaps(looked(found)) == set()


def drop_block(world: World, partition: int) -> set[int]:
    """Commit the facts lane beyond the first block of events; the offsets of the rows passed over."""
    topic = world.settings.topics.facts
    dropped: set[int] = set()
    for record in (each for each in world.records(topic) if each.partition == partition):
        block = blocks.decode(record.value)
        if block.table in ("events", "dead_letters"):
            dropped |= set(block.columns[block.names.index("offset")])
        if block.table == "events":
            commit(world, topic, partition, record.offset + 1)
            break
    return dropped


def test_nothing_is_called_missing_while_all_is_moving(world: Callable[..., World]) -> None:
    """A worker that reads, another one that joins, a sender that does not stop: nothing looks lost."""
    found = world(partitions=PARTITIONS, clock="wall").prepare()
    found.start_worker()
    stop = threading.Event()

    def keep_sending() -> None:
        number = 0
        with Producer(found.settings.kafka_url) as producer:
            while not stop.is_set():
                same = number - number % 3  # each event comes three times
                name = f"c{same % 200}"
                producer.send(found.settings.topics.events, name.encode(), event(same, name))
                number += 1
                time.sleep(0.001)

    sender = threading.Thread(target=keep_sending)
    sender.start()
    try:
        found.until(lambda: found.value("SELECT count() FROM events") > 500, "the first rows")
        reports = []
        for turn in range(4):
            if turn == 1:
                found.start_worker()
            reports.append(looked(found))
            time.sleep(0.5)
    finally:
        stop.set()
        sender.join()
    assert [gaps(report) for report in reports] == [set()] * 4
    assert total(reports[-1], "stored") > total(reports[0], "stored")
    found.settle()
    assert gaps(looked(found)) == set()


def test_the_embedded_parts(engine: EngineUnderTest, tmp_path: Path) -> None:
    """On the broker that needs no installation, whose ends of partitions are not quite the ends."""
    with EmbeddedBroker(tmp_path / "broker") as broker:
        url = engine.database(migrated=False)
        found = World(broker.url, url, tmp_path / "world", partitions=PARTITIONS).prepare()
        try:
            fill(found)
            worker = found.start_worker("events,desk")
            found.until(lambda: found.committed(found.settings.topics.events) >= 614 - 30, "the fold")
            found.stop(worker)
            assert gaps(looked(found)) == set()
            found.start_worker("facts")
            found.until(lambda: found.value("SELECT count() FROM events") >= 601, "the rows")
            assert gaps(looked(found)) == set()
            with closing_client(found) as client:
                lost = take_away(client, "events", "offset BETWEEN 5 AND 9")
            assert gaps(looked(found, wall_ms() - 3_600_000)) == lost != set()
        finally:
            found.close()
