"""Accepted = stored, proven by taking things away: exactly those offsets are named."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.clock import wall_ms
from streams.reconcile.ranges import joined, ranges, size, within, without
from streams.sources.api import rfc3339
from tests.support.engine import EngineUnderTest
from tests.support.kafka import KafkaAt
from tests.support.reconciled import (
    PARTITIONS,
    closing_client,
    event,
    fill,
    gaps,
    looked,
    send,
    take_away,
    total,
)
from tests.support.world import PROGRAM, World

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


@pytest.fixture(scope="module")
def run_once(
    kafka: KafkaAt, engine: EngineUnderTest, tmp_path_factory: pytest.TempPathFactory
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
