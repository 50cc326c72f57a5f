"""The counters of each step, by partition: what was read, by outcome, and what ClickHouse has taken."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from prometheus_client import REGISTRY

from detectors.policy import DEFAULT_TEXT, default, parse
from streams.accounts import Accepted
from streams.clock import wall_ms
from streams.events_lane import EventsFold
from streams.facts_lane import FactsLane
from streams.freshness.sources import Sources, silence
from streams.identity import Pseudonyms
from streams.kafka.partitioner import partition_of
from streams.lanes.api import Output, Record
from streams.policies import activation_record
from streams.sources.api import cloud_event
from streams.ticks import tick_record
from streams.topics import TopicNames
from streams.warehouse.double import ListWriter
from streams.warehouse.inserter import Inserter

NOW = 1_700_000_000_000
NAMES = Pseudonyms(b"0123456789abcdef", b"fedcba9876543210")
OURS = next(f"c{n}" for n in range(99) if partition_of(f"c{n}".encode(), 7) == 6)
STRAY = next(f"c{n}" for n in range(99) if partition_of(f"c{n}".encode(), 7) == 5)


def sample(name: str, **labels: object) -> float:
    found = REGISTRY.get_sample_value(
        name, {"partition": "6"} | {key: str(value) for key, value in labels.items()}
    )
    return found or 0.0


def accepted() -> dict[str, float]:
    outcomes = ("event", "duplicate", "repeated", "tick", "policy", "misrouted", "dead_letter")
    return {name: sample("rehuman_records_accepted_total", outcome=name) for name in outcomes}


def event(number: int, subject: str = OURS, source: str = "web", time: int = NOW) -> bytes:
    return cloud_event("page_view", time + number, source, f"e{number}", subject, {"step": "a"}).value


def lane(sources: Sources | None = None) -> EventsFold:
    return EventsFold(6, 7, TopicNames("t"), default(), NAMES, Accepted(6, sources))


def records(*values: bytes) -> list[Record]:
    return [Record(offset, NOW, None, value) for offset, value in enumerate(values)]


def test_every_record_is_accepted_as_one_thing() -> None:
    before, scored = accepted(), sample("rehuman_events_scored_total")
    values = [
        activation_record(default(), 0),
        event(1),
        event(2),
        event(2),
        b"{",
        event(3, STRAY),
        tick_record(NOW),
    ]
    first = lane()
    first.apply(records(*values))
    first.flush()
    found = {name: value - before[name] for name, value in accepted().items()}
    assert found == {
        "event": 2,
        "duplicate": 1,
        "repeated": 0,
        "tick": 1,
        "policy": 1,
        "misrouted": 1,
        "dead_letter": 1,
    }
    assert sum(found.values()) == len(values)
    assert sample("rehuman_events_scored_total") - scored == 2
    assert sample("rehuman_newest_event_timestamp_seconds", step="scored") == (NOW + 2) / 1000
    # A lane that starts again before what the state has applied reads the same records once more.
    second = lane()
    for key, state in first.changed():
        assert state is not None
        second.load(key, state)
    second.ready()
    second.apply(records(*values))
    second.flush()
    assert accepted()["repeated"] - before["repeated"] == 3
    assert accepted()["event"] - before["event"] == 2


async def nothing_dead(outputs: Sequence[Output]) -> None:
    assert not outputs


def test_rows_are_stored_when_clickhouse_has_them() -> None:
    async def story() -> None:
        writer = ListWriter()
        facts = FactsLane(6, Inserter(writer, strict=False, gap_s=0), TopicNames("t"), nothing_dead)
        before = sample("rehuman_rows_stored_total", table="events")
        events = lane()
        events.apply(records(event(1), event(2), b"{"))
        blocks = [Record(n, NOW, None, output.value) for n, output in enumerate(events.flush())]
        await facts.apply(blocks)
        assert sample("rehuman_rows_stored_total", table="events") == before
        began = wall_ms() / 1000
        await facts.flush()
        assert sample("rehuman_rows_stored_total", table="events") - before == 2
        assert sample("rehuman_rows_stored_total", table="dead_letters") >= 1
        assert sample("rehuman_newest_event_timestamp_seconds", step="stored") == (NOW + 2) / 1000
        assert sample("rehuman_event_passed_timestamp_seconds", step="stored") >= began

    asyncio.run(story())


def test_a_lane_tells_which_sources_it_has_seen() -> None:
    sources = Sources(silence(default()))
    events, now = lane(sources), wall_ms()
    long_ago = now - sources.spans("web") - 60_000
    values = [
        event(1, source="web", time=now),
        event(2, source="acd", time=long_ago),
        event(3, STRAY, "other"),
    ]
    events.apply([record._replace(stamp=now) for record in records(*values)])
    events.flush()
    assert len(sources) == 2
    assert sources.silent(now + 1_000) == ["acd"]
    # The log brings another policy into force.
    patient = parse(
        DEFAULT_TEXT.replace('silence = "10min"', 'silence = "1h"').replace("version = 1", "version = 2", 1)
    )
    events.apply([Record(9, now, None, activation_record(patient, 0))])
    events.flush()
    assert sources.silent(now + 1_000) == []
