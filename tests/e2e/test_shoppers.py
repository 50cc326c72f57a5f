"""Visitors who hop between devices and book: nobody is alerted, until something fails them."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from streams.kafka.producer import Producer
from streams.sources.api import SourceEvent, cloud_event
from tests.sources.datasets import paths, replayed
from tests.support.compare import all_accounted, items
from tests.support.world import World

SOURCE = "airbnb-sessions"


@cache
def _bookers() -> set[str]:
    return {value["subject"] for value in replayed(SOURCE).values if value["type"] == "purchase"}


@pytest.fixture(scope="module")
def found(made: Callable[..., World]) -> World:
    """The whole file, replayed to four partitions."""
    shoppers = made(partitions=4).prepare()
    worker = shoppers.start_worker()
    all_accounted(shoppers, SOURCE)
    assert shoppers.stop(worker) == 0
    return shoppers


def test_rows_in_are_events_and_named_rejects(found: World) -> None:
    """Every row explained, every event stored once: ``all_accounted`` has asked."""
    assert found.value("SELECT count() FROM events_exact") > 7_000


def test_hopping_is_not_failing(found: World) -> None:
    """None of the 50 visitors who book is alerted, and their device changes are chosen."""
    assert len(_bookers()) == 50
    names = ", ".join(f"'{_pseudonym(found, visitor)}'" for visitor in _bookers())
    assert found.value(f"SELECT count() FROM alerts_exact WHERE customer IN ({names})") == 0
    rows = found.sql(
        f"SELECT kind, count() AS n FROM channel_switches_exact WHERE customer IN ({names}) GROUP BY kind"
    )
    assert [row["kind"] for row in rows] == ["chosen"]
    assert rows[0]["n"] > 300
    print(f"{len(_bookers())} bookers: no alert, {rows[0]['n']} switches, all chosen")
    assert found.value(f"SELECT count() FROM signals_exact WHERE points > 0 AND customer IN ({names})") == 0


def test_the_same_visitors_failed_are_alerted(world: Callable[..., World]) -> None:
    """With errors and forced switches injected into their sessions they do alert, each of them."""
    found = world(partitions=4).prepare()
    found.start_worker()
    with Producer(found.settings.kafka_url) as producer:
        topic = found.settings.topics.events
        for item in _with_failures(found):
            if isinstance(item, SourceEvent):
                producer.send(topic, item.key, item.value)
            else:
                from streams.ticks import tick_record

                for partition in range(4):
                    producer.send(topic, None, tick_record(item.time), partition=partition)
        producer.flush()
    found.settle()
    alerted = {row["customer"] for row in found.sql("SELECT DISTINCT customer FROM alerts_exact")}
    assert alerted == {_pseudonym(found, visitor) for visitor in _bookers()}
    forced = found.sql(
        "SELECT from_step, uniqExact(customer) AS n FROM channel_switches_exact WHERE kind = 'forced'"
        " GROUP BY from_step"
    )
    assert [(row["from_step"], row["n"]) for row in forced] == [("payment", 50)]
    causes = found.sql("SELECT DISTINCT cause FROM alerts_exact WHERE type = 'alert.raised'")
    assert {row["cause"] for row in causes} <= {"default", "both"}
    print(f"the same, failed: {len(alerted)} are alerted; forced switches {forced}")


def _with_failures(found: World) -> list[Any]:
    """Every booker's first session, followed by a payment that fails, and a call about it."""
    sent: list[Any] = []
    failed: set[str] = set()
    for item in items(SOURCE, *paths(SOURCE)):
        sent.append(item)
        if not isinstance(item, SourceEvent):
            continue
        value = json.loads(item.value)
        visitor = value.get("subject", "")
        if value["type"] != "session.start" or visitor not in _bookers() or visitor in failed:
            continue
        failed.add(visitor)
        session = value["data"]
        same = {name: session[name] for name in ("channel", "device", "session_id") if name in session}
        story = [
            ("form_error", {**same, "step": "payment"}),
            ("form_error", {**same, "step": "payment"}),
            ("rage_click", {**same, "step": "payment"}),
            ("step.failed", {**same, "step": "payment", "release": "r1"}),
            ("ivr.enter", {"channel": "phone", "conversation_id": f"call-{len(failed)}"}),
            ("human.requested", {"channel": "phone", "conversation_id": f"call-{len(failed)}"}),
        ]
        for place, (name, data) in enumerate(story):
            event_id = f"injected-{len(failed)}-{place}"
            data = {"journey": "booking", **data}
            # A second each: those of one instant would count in the order of their types.
            at = item.time + 1_000 * place
            sent.append(cloud_event(name, at, "injected", event_id, visitor, data))
    assert len(failed) == 50
    return sent


def _pseudonym(found: World, subject: str) -> str:
    from streams.identity import Pseudonyms

    return Pseudonyms.of(found.settings).pseudonym("default", subject)
