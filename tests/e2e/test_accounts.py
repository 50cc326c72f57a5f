"""Accepted = scored = stored, by the metrics of a worker; and a lag that a lane which waits does not hide."""

from __future__ import annotations

from collections.abc import Callable

from streams.clock import wall_ms
from streams.kafka.producer import Producer
from streams.sources.api import cloud_event
from streams.warehouse.client import connect
from tests.support.metrics import addresses, measured, metrics_at
from tests.support.world import World

PARTITIONS = 2


def _send(world: World, first: int, count: int) -> None:
    with Producer(world.settings.kafka_url) as producer:
        for number in range(first, first + count):
            event = cloud_event("page_view", wall_ms(), "web", f"e{number}", f"c{number % 9}", {"step": "a"})
            producer.send(world.settings.topics.events, event.key, event.value)


def test_the_steps_agree_and_a_waiting_lane_shows_its_lag(world: Callable[..., World]) -> None:
    found = world(partitions=PARTITIONS, clock="wall").prepare()
    topics = found.settings.topics
    client = connect(found.settings.clickhouse_url)
    client.execute("RENAME TABLE events TO elsewhere")
    found.start_worker()
    sent = 0

    def behind() -> bool:
        nonlocal sent
        _send(found, sent, 10)
        sent += 10
        return measured(found, "rehuman_lane_lag_records", topic=topics.facts) >= 3

    found.until(lambda: "worker starts" in found.log(), "the start", 60)
    # Nothing is stored, each checkpoint sends a block more, and the lane takes none.
    found.until(behind, "a lag that grows", 90)
    assert measured(found, "rehuman_rows_stored_total", table="events") == 0
    client.execute("RENAME TABLE elsewhere TO events")
    client.disconnect()
    found.until(lambda: measured(found, "rehuman_rows_stored_total", table="events") >= sent, "the rows", 90)
    found.until(lambda: measured(found, "rehuman_lane_lag_records", topic=topics.facts) == 0, "no lag", 60)
    assert measured(found, "rehuman_records_accepted_total", outcome="event") == sent
    assert measured(found, "rehuman_events_scored_total") == sent
    assert measured(found, "rehuman_rows_stored_total", table="events") == sent
    for step in ("scored", "stored"):
        ages = [
            wall_ms() / 1000 - measured(found, name, step=step, partition=str(number))
            for name in ("rehuman_newest_event_timestamp_seconds", "rehuman_event_passed_timestamp_seconds")
            for number in range(PARTITIONS)
        ]
        assert all(0 <= age < 300 for age in ages)


def test_what_is_known_of_a_partition_its_owner_alone_shows(world: Callable[..., World]) -> None:
    """A lag or customers that a former owner still showed would be counted twice on every board."""
    found = world(partitions=PARTITIONS, clock="wall").prepare()
    events = found.settings.topics.events
    found.start_worker("events")
    _send(found, 0, 40)
    found.until(lambda: found.committed(events) >= 40, "the first events", 60)
    assert _shown(found, 0) == {0, 1}
    found.start_worker("events")
    found.until(lambda: found.log().count("worker starts") == 2, "the second worker", 60)
    sent = 40

    def shared() -> bool:
        nonlocal sent
        _send(found, sent, 40)  # each partition is shown once there was something in it
        sent += 40
        shown = [_shown(found, worker) for worker in (0, 1)]
        return all(shown) and not shown[0] & shown[1]

    found.until(shared, "one partition each", 60)


def _shown(world: World, worker: int) -> set[int]:
    """The partitions of which a worker shows lag, customers or watermark."""
    names = ("rehuman_lane_lag_records", "rehuman_customers", "rehuman_watermark_timestamp_seconds")
    found = metrics_at(addresses(world)[worker])
    return {int(dict(labels)["partition"]) for name, labels in found if name in names}
