"""A live worker: the wall clock fires timers, stray records find their way, and everything is counted."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from detectors.policy import DEFAULT_TEXT
from streams.clock import wall_ms
from streams.identity import Pseudonyms
from streams.kafka.partitioner import partition_of
from streams.kafka.producer import Producer
from streams.sources.api import cloud_event
from streams.warehouse.client import connect
from tests.support.metrics import addresses, measured, page
from tests.support.world import World

JANE = "jane.doe@example.com"


def _hasty(tmp_path: Path) -> Path:
    """The default policy with a form's time-out, and the lateness, of seconds."""
    text = DEFAULT_TEXT.replace('form = "30min"', 'form = "3s"').replace(
        'lateness = "60s"', 'lateness = "2s"'
    )
    assert text.count('"3s"') == 1
    path = tmp_path / "policy.toml"
    path.write_text(text)
    return path


@pytest.fixture
def live(world: Callable[..., World], tmp_path: Path) -> World:
    """A worker on the wall clock, with a policy file of its own."""
    found = world(partitions=4, clock="wall", policy=_hasty(tmp_path)).prepare()
    found.start_worker()
    return found


def _send(world: World, *events: tuple[str, str, dict[str, object]], partition: int | None = None) -> None:
    with Producer(world.settings.kafka_url) as producer:
        for place, (name, subject, data) in enumerate(events):
            event = cloud_event(
                name, wall_ms() + place, "web/live", f"{name}-{place}-{subject}", subject, data
            )
            producer.send(world.settings.topics.events, event.key, event.value, partition=partition)


def test_silence_is_noticed_by_the_wall_clock(live: World) -> None:
    """Nobody sends anything more: ticks alone let the form's time-out pass, under the file's policy."""
    form = {"channel": "web", "journey": "loan", "step": "income", "release": "r7"}
    _send(live, ("form_start", JANE, form), ("form_change", JANE, {**form, "field": "salary"}))
    live.until(lambda: live.value("SELECT count() FROM abandonments_exact") == 1, "the time-out", 60)
    (row,) = live.sql(
        "SELECT kind, inferred, from_step, from_release, policy_version FROM abandonments_exact"
    )
    assert row == {
        "kind": "form",
        "inferred": 1,
        "from_step": "income",
        "from_release": "r7",
        "policy_version": 1,
    }
    _send(live, ("form_submit", JANE, form))
    live.until(
        lambda: live.value("SELECT count() FROM abandonments_exact WHERE recovered_at IS NOT NULL") == 1,
        "the recovery",
        60,
    )


def test_a_record_on_the_wrong_partition_finds_its_way(live: World) -> None:
    """Whatever partitioner a producer has: one customer, one state, one row an event."""
    people = [f"customer-{number}" for number in range(20)]
    _send(live, *[("page_view", name, {"channel": "web"}) for name in people], partition=1)
    live.until(lambda: live.value("SELECT count() FROM events_exact") == 20, "the rows", 60)
    names = Pseudonyms.of(live.settings)
    at = {
        row["customer"]: row["partition"] for row in live.sql("SELECT customer, partition FROM events_exact")
    }
    assert at == {names.pseudonym("default", name): partition_of(name.encode(), 4) for name in people}
    strays = sum(partition_of(name.encode(), 4) != 1 for name in people)
    assert measured(live, "rehuman_records_accepted_total", outcome="misrouted") == strays > 0


def test_accepted_scored_stored_and_nothing_personal(live: World) -> None:
    """The counters agree with the rows, and neither metrics nor logs know anybody."""
    story: list[tuple[str, str, dict[str, object]]] = [
        ("session.start", JANE, {"channel": "web", "journey": "loan", "session_id": f"s-{JANE}"}),
        (
            "step.failed",
            JANE,
            {"channel": "web", "journey": "loan", "step": "income", "note": f"from {JANE}"},
        ),
        ("human.requested", JANE, {"journey": "loan", "prefers": "human", "problem": True}),
        ("not.in.the.vocabulary", JANE, {"journey": "loan"}),
    ]
    _send(live, *story)
    with Producer(live.settings.kafka_url) as producer:
        producer.send(live.settings.topics.events, JANE.encode(), f'{{"who": "{JANE}"'.encode())
    live.until(lambda: live.value("SELECT count() FROM events_exact") == 4, "the rows", 60)
    live.until(lambda: live.value("SELECT count() FROM alerts_exact") >= 1, "the alert", 60)
    live.until(
        lambda: measured(live, "rehuman_rows_written_total", table="dead_letters") == 1,
        "its row",
        60,
    )
    assert measured(live, "rehuman_events_scored_total") == 3
    assert measured(live, "rehuman_rows_written_total", table="events") == 4
    assert measured(live, "rehuman_dead_letters_total", reason="not_json") == 1
    assert measured(live, "rehuman_alerts_total", type="alert.raised") == 1
    live.until(lambda: measured(live, "rehuman_records_accepted_total", outcome="tick") > 0, "a tick", 60)
    for text in (page(addresses(live)[0]), live.log()):
        assert "jane" not in text.lower()
    topics = live.settings.topics
    for topic in (topics.facts, topics.desk, topics.alerts, topics.changelog(topics.events)):
        assert b"jane" not in b"".join(live.values_of(topic)).lower(), topic
    # The console will find her again: the reference opens under the other key.
    (alert,) = [json.loads(value) for value in live.values_of(topics.alerts)][:1]
    assert Pseudonyms.of(live.settings).open("default", alert["data"]["customer_ref"]) == JANE


def test_a_table_that_is_missing_holds_up_facts_alone(world: Callable[..., World]) -> None:
    """One line names the table; scores and alerts go on; the rows come when it is there again."""
    found = world(partitions=2, clock="wall").prepare()
    client = connect(found.settings.clickhouse_url)
    client.execute("RENAME TABLE signals TO elsewhere")
    found.start_worker()
    _send(found, ("human.requested", JANE, {"journey": "loan", "prefers": "human", "problem": True}))
    found.until(lambda: len(found.values_of(found.settings.topics.alerts)) == 1, "the alert", 60)
    found.until(lambda: "signals is missing" in found.log(), "the line", 30)
    client.execute("RENAME TABLE elsewhere TO signals")
    found.until(lambda: found.value("SELECT count() FROM signals_exact") == 1, "the row", 60)
    client.disconnect()


def test_faust_runs_it_too(world: Callable[..., World]) -> None:
    """``faust -A streams.app worker`` is the same worker."""
    found = world(partitions=1, clock="wall").prepare()
    faust = Path(sys.executable).parent / "faust"
    with (found.home / "worker.log").open("wb") as log:
        worker = subprocess.Popen(
            [faust, "-A", "streams.app", "worker", "-l", "warn", "--without-web"],
            env=found.environment,
            cwd=found.home,
            stdout=log,
            stderr=log,
        )
    found.workers.append(worker)
    _send(found, ("page_view", JANE, {"channel": "web"}))
    found.until(lambda: found.value("SELECT count() FROM events_exact") == 1, "the row", 60)
    began = time.monotonic()
    assert found.stop(worker) == 0
    assert time.monotonic() - began < 20


def test_a_worker_says_when_it_is_ready(live: World) -> None:
    """One port: which partitions it has, and that all of them are reading."""
    live.until(lambda: "worker starts" in live.log(), "the start", 30)
    live.until(lambda: measured(live, "rehuman_ready") == 1, "readiness", 60)
    for topic in (live.settings.topics.events, live.settings.topics.facts, live.settings.topics.desk):
        assert measured(live, "rehuman_lanes_open", topic=topic) == 4
