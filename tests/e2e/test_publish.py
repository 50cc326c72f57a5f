"""A policy published to a running installation: each event has the policy of its time in every reading."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from detectors.policy import DEFAULT_TEXT, default, parse
from streams.backtest import fold_events
from streams.clock import wall_ms
from streams.errors import OperationError, SettingError
from streams.identity import Pseudonyms
from streams.kafka import admin
from streams.kafka.producer import Producer
from streams.policies import Published, activation_record, remember
from streams.publishing import listed, publish
from streams.sources.api import SourceEvent, cloud_event, rfc3339
from streams.ticks import TickAt, under
from streams.warehouse.migrate import migrate
from tests.support.compare import differences, facts_of, stored
from tests.support.world import World

MINUTE = 60_000
BEGAN = 1_706_700_000_000
# From here on version 2 holds; it is published when the log stands a few seconds before and after it.
SINCE = BEGAN + 180 * MINUTE
PARTITIONS = 2
KINDS = ("page_view", "rage_click", "step.failed", "form_start", "human.requested", "step.completed")


def _second(size: int = 0) -> str:
    """Version 2: other points, half-life and time-out; filled with a comment up to ``size`` bytes."""
    text = (
        DEFAULT_TEXT.replace("version = 1", "version = 2")
        .replace("rage_click = 4.0", "rage_click = 7.0")
        .replace('acute_half_life = "20min"', 'acute_half_life = "15min"')
        .replace('form = "30min"', 'form = "40min"')
    )
    # What JSON writes as two bytes each.
    return text + "#" + '"' * max(0, size - len(text.encode()) - 1)


def _story() -> tuple[list[SourceEvent | TickAt], list[SourceEvent | TickAt]]:
    """What is sent before version 2 is published, and after: one early, one out of order, one late."""
    events = [
        cloud_event(
            KINDS[number % 5 if number % 7 else 5],
            BEGAN + number * MINUTE,
            "web",
            f"e{number}",
            f"customer-{number % 12}",
            {"channel": "web", "journey": "loan", "step": "income"},
        )
        for number in range(360)
    ]
    timed = list(under(default(), events, now_ms=wall_ms()))
    place = next(at for at, item in enumerate(timed) if item.time >= SINCE)
    before, after = timed[:place], timed[place:]
    about = {"channel": "web", "journey": "loan", "step": "income"}
    more = {
        name: cloud_event("rage_click", SINCE + at, "web", name, "customer-3", about)
        for name, at in (("early", 5_000), ("behind", -20_000), ("late", -90 * MINUTE))
    }
    return [*before, more["early"]], [more["behind"], more["late"], *after]


@pytest.fixture(scope="module")
def live(made: Callable[..., World]) -> World:
    """A worker that has folded everything, with version 2 published in between."""
    world = made(partitions=PARTITIONS).prepare()
    before, after = _story()
    world.start_worker()
    world.send(before)
    path = world.home / "second.toml"
    path.write_text(_second(32 * 1024))
    assert path.stat().st_size == 32 * 1024
    said = world.rehuman("policy", "publish", path, "--from", rfc3339(SINCE), "--json")
    assert json.loads(said)["outcome"] == "published"
    world.send(after)
    world.settle()
    return world


def test_rows_name_the_policy_of_their_time(live: World) -> None:
    versions = {
        row["event_id"]: row["policy_version"]
        for row in live.sql("SELECT event_id, policy_version FROM events_exact")
    }
    assert len(versions) == 363
    expected = {f"e{number}": 1 if number < 180 else 2 for number in range(360)}
    # What came before the activation was scored without it; what happened before it is, whenever it comes.
    assert versions == expected | {"early": 1, "behind": 1, "late": 1}
    points = live.sql(
        "SELECT DISTINCT policy_version, points FROM signals_exact WHERE signal = 'rage_click' ORDER BY 1"
    )
    assert [(row["policy_version"], row["points"]) for row in points] == [(1, 4.0), (2, 7.0)]
    assert live.value("SELECT count() FROM dead_letters_exact") == 0


def test_the_log_read_again_and_a_back_test_find_the_same(live: World, made: Callable[..., World]) -> None:
    """Another installation gets a copy of the log; a back-test is told where the activation stood."""
    again = made(partitions=PARTITIONS)
    admin.create(again.settings)
    migrate(again.settings.clickhouse_url)
    with Producer(again.settings.kafka_url) as producer:
        for record in live.records(live.settings.topics.events):
            producer.send(again.settings.topics.events, record.key, record.value, partition=record.partition)
    again.start_worker()
    before, after = _story()
    policy = parse(_second(32 * 1024))
    activation = SourceEvent(SINCE, 0, "rehuman/policy", "policy", b"", activation_record(policy, SINCE))
    folded = fold_events([*before, activation, *after], default(), Pseudonyms.of(live.settings))
    expected, _ = facts_of(folded)
    found = stored(live.settings)
    assert {row["policy_version"] for row in expected["events"].values()} == {1, 2}
    assert differences(expected, found) == []
    again.settle()
    assert differences(found, stored(again.settings), 0.0) == []


def test_versions_are_told_and_shown(live: World) -> None:
    rows = listed(live.settings)
    assert [(row["version"], row["state"], row["from"]) for row in rows] == [
        (1, "replaced", "1970-01-01T00:00:00.000Z"),
        (2, "in force", rfc3339(SINCE)),
    ]
    assert "2  in force    2024-01-31T14:20:00.000Z  Built-in" in live.rehuman("policy", "list")
    assert live.rehuman("policy", "show", "--version", 2) == _second(32 * 1024) + "\n"


def test_publishing_again_completes_what_broke_off(live: World) -> None:
    """The number was taken and one partition told: the others are told the same, with the same moment."""
    settings = live.settings
    policy, since = parse(_second().replace("version = 2", "version = 3")), wall_ms() + 60 * MINUTE
    with Producer(settings.kafka_url) as producer:
        remember(settings, producer, Published(3, policy.text, since, complete=False))
        producer.send(settings.topics.events, None, activation_record(policy, since), partition=1)
    assert [row["state"] for row in listed(settings)] == ["replaced", "in force", "incomplete"]
    assert publish(settings, policy, None)[:3] == (3, since, "completed")
    told = [value for value in live.values_of(settings.topics.events) if b'"version":3' in value]
    assert told == [activation_record(policy, since)] * (PARTITIONS + 1)
    assert [row["state"] for row in listed(settings)] == ["replaced", "in force", "later"]
    assert publish(settings, policy, None)[:3] == (3, since, "unchanged")
    with pytest.raises(SettingError, match="version: found 3, published with another text; expected 4"):
        publish(settings, parse(DEFAULT_TEXT.replace("version = 1", "version = 3")), None)


def test_without_topics_there_is_one_line(made: Callable[..., World]) -> None:
    settings = made().settings
    with pytest.raises(OperationError, match=r"policy is missing: run 'rehuman topics create'"):
        publish(settings, default(), None)
    with pytest.raises(OperationError, match=r"policy is missing: run 'rehuman topics create'"):
        listed(settings)
