"""An installation's log filled with all kinds of records, and what a reconciliation says of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from clickhouse_driver import Client
from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition

from streams.kafka import urls
from streams.kafka.partitioner import partition_of
from streams.kafka.producer import Producer
from streams.reconcile import Report, reconcile
from streams.sources.api import cloud_event
from streams.ticks import tick_record
from streams.warehouse.client import connect
from tests.support.world import World

__all__ = [
    "PARTITIONS",
    "closing_client",
    "commit",
    "event",
    "fill",
    "gaps",
    "looked",
    "send",
    "take_away",
    "total",
]

PARTITIONS = 3
BASE = 1_700_000_000_000


def event(number: int, customer: str, **data: object) -> bytes:
    """One event; 100 ms later than the one before it."""
    return cloud_event("page_view", BASE + number * 100, "web", f"e{number}", customer, data).value


def send(world: World, values: list[tuple[str, bytes]], partition: int | None = None) -> None:
    """Records by key, to the key's partition or to one."""
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
    """One count over all partitions."""
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
    """A report, of which each offset is counted once."""
    report = reconcile(world.settings, since)
    add_up(report)
    return report


@contextmanager
def closing_client(world: World) -> Iterator[Client]:
    """A client of the installation's database."""
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
