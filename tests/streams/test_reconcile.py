"""Accepted = stored, proven by taking things away: exactly those offsets are named."""

from __future__ import annotations

import asyncio
import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from clickhouse_driver import Client
from hypothesis import given
from hypothesis import strategies as st
from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition

from streams import blocks
from streams.clock import wall_ms
from streams.embedded_broker import EmbeddedBroker
from streams.kafka import admin, urls
from streams.kafka.lag import group_lag
from streams.kafka.partitioner import partition_of
from streams.kafka.producer import Producer
from streams.reconcile import Report, reconcile
from streams.reconcile.marks import Marks, take
from streams.reconcile.ranges import joined, ranges, size, within, without
from streams.settings import Settings
from streams.sources.api import cloud_event, rfc3339
from streams.ticks import tick_record
from streams.warehouse.client import connect
from tests.support.engine import EngineUnderTest
from tests.support.kafka import KafkaBroker
from tests.support.world import PROGRAM, World

PARTITIONS = 3
BASE = 1_700_000_000_000

some_offsets = st.sets(st.integers(0, 60)).map(sorted)


@given(some_offsets, some_offsets, st.integers(0, 5))
def test_ranges_are_sets_of_offsets(left: list[int], right: list[int], near: int) -> None:
    assert offsets(ranges(left)) == left
    assert size(ranges(left)) == len(left)
    assert offsets(without(ranges(left), ranges(right))) == sorted(set(left) - set(right))
    assert set(offsets(joined(ranges(left), near))) >= set(left)
    assert len(joined(ranges(left), near)) <= len(ranges(left))
    assert list(within(ranges(left), right)) == [offset in left for offset in right]


def offsets(parts: list[tuple[int, int]]) -> list[int]:
    return [offset for first, end in parts for offset in range(first, end)]


# -- on real parts -----------------------------------------------------------------------------------------


def event(number: int, customer: str, **data: object) -> bytes:
    return cloud_event("page_view", BASE + number * 100, "web", f"e{number}", customer, data).value


def send(world: World, values: list[tuple[str, bytes]], partition: int | None = None) -> None:
    with Producer(world.settings.kafka_url) as producer:
        for key, value in values:
            producer.send(world.settings.topics.events, key.encode(), value, partition=partition)


def fill(world: World, count: int = 600) -> None:
    """Events of many customers; a repetition, garbage, a tick and a stray for each partition."""
    customers = [f"c{number % 50}" for number in range(count)]
    send(world, [(name, event(number, name)) for number, name in enumerate(customers)])
    send(world, [(customers[count - 1], event(count - 1, customers[count - 1]))] * 3)
    for partition in range(PARTITIONS):
        send(world, [("", b"{"), ("", tick_record(BASE + count * 100))], partition)
    stray = next(name for name in customers if partition_of(name.encode(), PARTITIONS) != 0)
    send(world, [(stray, event(count, stray))], partition=0)


def add_up(report: Report) -> None:
    """Each offset is counted once."""
    for p in report.partitions:
        counted = p.stored + p.dead_letters + p.duplicates + p.misrouted + p.ticks + p.policies
        counted += p.empty + p.to_fold + p.to_store + p.uncheckable + p.missing
        assert counted == p.end - p.start, p
        assert p.missing == sum(gap.count for gap in p.gaps)


def total(report: Report, what: str) -> int:
    return sum(getattr(partition, what) for partition in report.partitions)


def gaps(report: Report) -> set[tuple[int, int]]:
    """(partition, offset) of everything that is called missing."""
    return {
        (p.partition, offset)
        for p in report.partitions
        for g in p.gaps
        for offset in range(g.first, g.last + 1)
    }


def looked(world: World, since: int = 0) -> Report:
    report = reconcile(world.settings, since)
    add_up(report)
    return report


@pytest.fixture(scope="module")
def run_once(
    kafka: KafkaBroker, engine: EngineUnderTest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """An installation whose worker has read and stored everything, and is gone."""
    url, home = engine.database(migrated=False), tmp_path_factory.mktemp("world")
    found = World(kafka.url, url, home, partitions=PARTITIONS).prepare()
    fill(found)
    worker = found.start_worker()
    found.settle()
    found.stop(worker)
    with closing_client(found) as client:
        for table in ("events", "dead_letters"):
            client.execute(f"CREATE TABLE {table}_kept ENGINE = Memory AS SELECT * FROM {table}")
    yield found
    found.close()


@pytest.fixture
def filled(run_once: World) -> Iterator[World]:
    """The same; what a test takes away is put back."""
    yield run_once
    with closing_client(run_once) as client:
        for table in ("events", "dead_letters"):
            client.execute(f"TRUNCATE TABLE {table}")
            client.execute(f"INSERT INTO {table} SELECT * FROM {table}_kept")


@contextmanager
def closing_client(world: World) -> Iterator[Client]:
    client = connect(world.settings.clickhouse_url)
    try:
        yield client
    finally:
        client.disconnect()


def take_away(client: Client, table: str, where: str) -> set[tuple[int, int]]:
    """Delete rows; the partitions and offsets that they were of."""
    places = set(client.execute(f"SELECT partition, offset FROM {table} WHERE {where}"))
    client.execute(f"ALTER TABLE {table} DELETE WHERE {where}", settings={"mutations_sync": 2})
    return places


def test_a_clean_run_is_accounted_for(filled: World) -> None:
    report = looked(filled)
    assert total(report, "missing") == 0
    assert total(report, "to_fold") == total(report, "to_store") == total(report, "empty") == 0
    assert total(report, "stored") == 601
    assert total(report, "duplicates") == 3
    assert total(report, "dead_letters") == total(report, "ticks") == total(report, "policies") == PARTITIONS
    assert total(report, "misrouted") == 1
    assert filled.rehuman("doctor", "--reconcile").endswith("all 614 records are accounted for\n")


def test_rows_taken_away_are_named(filled: World) -> None:
    with closing_client(filled) as client:
        lost = take_away(client, "events", "offset BETWEEN 20 AND 27 OR offset = 40")
        letters = take_away(client, "dead_letters", "partition = 1")
    assert len(lost) == 9 * PARTITIONS
    report = looked(filled)
    assert gaps(report) == lost | letters
    first, second, *_ = report.partitions[1].gaps
    assert (first.first, first.last, first.count, first.kind) == (20, 27, 8, "event")
    assert (second.first, second.last, second.kind) == (40, 40, "event")
    assert [gap.kind for gap in report.partitions[1].gaps] == ["event", "event", "dead_letter"]
    topic = filled.settings.topics.events
    said = filled.rehuman("doctor", "--reconcile", ok=False)
    assert f"{topic}/0  offsets 20 to 27: 8 records that must be events have no fact\n" in said
    assert said.endswith(f"{len(lost | letters)} of 614 records have no fact\n")
    command = [PROGRAM, "doctor", "--reconcile", "--json"]
    done = subprocess.run(command, env=filled.environment, capture_output=True, check=False)
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert told["missing"] == len(lost | letters)
    assert told["partitions"][1]["gaps"][0] == {"first": 20, "last": 27, "count": 8, "kind": "event"}


def test_more_than_is_looked_up_at_once(filled: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Facts on their way are looked for in the middle of reading the log."""
    monkeypatch.setattr("streams.reconcile.partition.LOOK_UP", 7)
    monkeypatch.setattr("streams.reconcile.reader.STEP", 5)
    with closing_client(filled) as client:
        lost = take_away(client, "events", "modulo(offset, 3) = 0 AND event_id NOT IN ('e599', 'e600')")
    assert len(lost) > 100
    assert gaps(looked(filled)) == lost


def test_the_row_of_a_repeated_event(filled: World) -> None:
    """Its copies count as long as one row is there; without any, all of them are missing."""
    with closing_client(filled) as client:
        (place,) = take_away(client, "events", "event_id = 'e599'")
    found = gaps(looked(filled))
    assert place in found
    assert len(found) == 4
    assert {partition for partition, _ in found} == {place[0]}


def test_rows_of_an_earlier_topic_hide_nothing(filled: World) -> None:
    """Offsets begin again when a topic is made again; the old rows are not the new records'."""
    with closing_client(filled) as client:
        lost = take_away(client, "events", "partition = 2 AND offset < 3")
        client.execute(
            "INSERT INTO events (tenant, fact_id, time, partition, offset, stored_at) "
            "SELECT 'default', concat('old', toString(number)), now64(3), 2, number, now64(3) - 86400 "
            "FROM numbers(100)"
        )
    assert gaps(looked(filled)) == lost != set()


def test_since(filled: World) -> None:
    """From a moment on, by the broker's time; what came before is not looked at."""
    began = wall_ms()
    send(filled, [("c1", event(9_000, "c1"))])
    with closing_client(filled) as client:
        take_away(client, "events", "offset < 50")
    report = looked(filled, began)
    assert [p.end - p.start for p in report.partitions].count(0) == PARTITIONS - 1
    assert (total(report, "to_fold"), total(report, "missing")) == (1, 0)
    said = filled.rehuman("doctor", "--reconcile", "--since", rfc3339(began))
    assert said.endswith("all 1 records are accounted for; 1 of them are on their way\n")
    assert filled.rehuman("doctor", "--reconcile", "--since", "2099-01-01T00:00:00Z").startswith(
        f"{filled.settings.topics.events}/0  no records\n"
    )


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


def commit(world: World, topic: str, partition: int, offset: int) -> None:
    """As if the workers' group had done everything below an offset."""
    consumer = KafkaConsumer(
        **urls.parse(world.settings.kafka_url).client(),
        group_id=world.settings.group,
        enable_auto_commit=False,
    )
    place = TopicPartition(topic, partition)
    consumer.assign([place])
    consumer.commit({place: OffsetAndMetadata(offset, "", -1)})
    consumer.close()
