"""Seconds without ClickHouse, in a worker that does everything: facts wait, the rest goes on, all is stored.

And seconds without a broker. The long versions are ``python -m tests.chaos.outage`` and ``.brokerless``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from streams.clock import wall_ms
from streams.kafka.producer import Producer
from streams.sources.api import cloud_event
from streams.warehouse.client import connect
from tests.chaos.outage import Outage
from tests.chaos.outage_look import differences
from tests.chaos.outage_parts import HOW
from tests.support.engine import EngineUnderTest, running
from tests.support.kafka import QUICK, KafkaAt, KafkaBroker
from tests.support.metrics import metric, metrics_of, said
from tests.support.world import World

RATE = 150.0
GARBAGE = b"\x00 no block of rows"


def _all_there(run: Outage) -> None:
    run.traffic.stop()
    run.world.settle()
    run.world.until(lambda: not run.latencies(0, wall_ms()).count(-1), "every alert", 60)
    assert differences(run.world) == []
    stored = run.world.value("SELECT uniqExact(event_id) FROM events_exact WHERE source = 'web/shop'")
    assert int(stored) == run.traffic.count


def test_facts_wait_and_everything_else_goes_on(kafka: KafkaAt, tmp_path: Path) -> None:
    with running() as engine:
        run = Outage(kafka, engine.migrate(), tmp_path / "world", RATE)
        world, topics = run.world, run.world.settings.topics
        try:
            run.begin()
            run.watch(3)
            with HOW["killed"](engine):
                gone = wall_ms()
                with Producer(world.settings.kafka_url) as producer:
                    producer.send(topics.facts, None, GARBAGE, partition=3)
                run.watch(15)
                # Whoever asked in the meantime has an alert while the database is still away.
                world.until(lambda: not run.latencies(gone, wall_ms() - 8_000).count(-1), "alerts", 60)
                assert len(run.latencies(gone, wall_ms() - 8_000)) > 20
                during = run.sample()
            run.watch(60, until=lambda now: not now["waiting_since"] and not now["lag_facts"])
            _all_there(run)
        finally:
            run.close()
        assert during["waiting_since"] * 1000 == pytest.approx(gone, abs=30_000)
        assert (during["up"], during["waiting_rows"] > 0) == (0, True)
        # Heartbeats went on: no lane was closed or given a partition anew.
        assert len({sample["lanes_open"] for sample in run.samples[1:]}) == 1
        assert len({sample["assignments"] for sample in run.samples}) == 1
        begins, ends = said(world, "clickhouse", "facts")
        assert (begins["level"], begins["kind"]) == ("warning", "unreachable")
        assert begins["event"] == "clickhouse fails; facts wait, scores and alerts go on"
        assert "does not answer" in begins["reason"]
        assert ends["event"] == "clickhouse answers again; facts go on"
        (letter,) = (record for record in world.records(topics.dead_letters) if record.value == GARBAGE)
        headers = dict(letter.headers)
        assert (headers["reason"], headers["topic"]) == (b"bad_block", topics.facts.encode())
        assert (headers["partition"], headers["offset"].isdigit()) == (b"3", True)


def test_a_worker_ends_and_another_takes_over_while_the_database_hangs(
    kafka: KafkaAt, tmp_path: Path
) -> None:
    """An insert is under way and will not be answered: the process does not wait for it."""
    with running() as engine:
        run = Outage(kafka, engine.migrate(), tmp_path / "world", RATE)
        try:
            run.begin()
            run.watch(3)
            with HOW["frozen"](engine):
                time.sleep(4)
                began = time.monotonic()
                assert run.world.stop(run.worker) == 0
                assert time.monotonic() - began < 20
                run.worker = run.world.start_worker()
                time.sleep(4)
            _all_there(run)
        finally:
            run.close()


def test_a_worker_of_facts_alone_ends_when_a_column_is_of_another_type(world: Callable[..., World]) -> None:
    found = world(partitions=2).prepare()
    topics = found.settings.topics
    scores = found.start_worker("events,desk")
    facts = found.start_worker("facts")
    found.until(lambda: len(said(found, "worker starts")) == 2, "both", 60)
    with Producer(found.settings.kafka_url) as producer:
        for number in range(20):
            event = cloud_event("form_error", 1_700_000_000_000 + number, "web", str(number), "c-1", {})
            producer.send(topics.events, event.key, event.value)
    found.until(lambda: found.value("SELECT count() FROM events_exact") == 20, "the rows", 60)
    client = connect(found.settings.clickhouse_url)
    client.execute("ALTER TABLE signals MODIFY COLUMN points String")
    with Producer(found.settings.kafka_url) as producer:
        event = cloud_event("form_error", 1_700_000_100_000, "web", "21", "c-2", {})
        producer.send(topics.events, event.key, event.value)
    assert facts.wait(60) == 1
    found.workers.remove(facts)
    assert scores.poll() is None
    (line,) = said(found, "lane")
    assert "column signals.points is String; it should be Float64; 'rehuman migrate'" in line["event"]
    client.execute("ALTER TABLE signals MODIFY COLUMN points Float64")
    client.disconnect()
    found.start_worker("facts")
    found.until(lambda: found.value("SELECT count() FROM events_exact") == 21, "the row", 60)


def test_brokers_that_are_away_are_shown_and_waited_for(engine: EngineUnderTest, tmp_path: Path) -> None:
    with KafkaBroker(options=QUICK) as kafka:
        url = engine.database(migrated=False)
        world = World(kafka.url, url, tmp_path / "world", clock="wall", partitions=2).prepare()

        def shown(name: str) -> float:
            return metric(metrics_of(world), name)

        def send(number: int) -> None:
            with Producer(kafka.url) as producer:
                event = cloud_event("page_view", wall_ms(), "web", str(number), "c-1", {})
                producer.send(world.settings.topics.events, event.key, event.value)

        try:
            world.start_worker()
            world.until(lambda: bool(said(world, "worker starts")), "the start", 60)
            send(1)
            world.until(lambda: world.value("SELECT count() FROM events_exact") == 1, "the first row", 60)
            assert shown("rehuman_kafka_up") == 1
            kafka.kill()
            world.until(lambda: shown("rehuman_kafka_up") == 0, "that it is shown", 60)
            kafka.start()
            send(2)
            world.until(lambda: world.value("SELECT count() FROM events_exact") == 2, "the second row", 90)
            world.until(lambda: shown("rehuman_kafka_up") == 1, "that it is over", 60)
        finally:
            world.close()
