"""Two workers, one judgement: a source is silent when no partition of either has seen it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

from detectors.policy import DEFAULT_TEXT
from detectors.vocabulary import TICK
from streams.clock import wall_ms
from streams.kafka.partitioner import partition_of
from streams.kafka.producer import Producer
from streams.sources.api import cloud_event
from tests.support.metrics import addresses, metric, metrics_at
from tests.support.world import World

PARTITIONS = 4
QUARTER_MS = 15 * 60_000  # longer than the span of silence


def _send(world: World, source: str, partition: int, age_ms: int = 0, name: str = "page_view") -> None:
    """One event of a customer of this partition."""
    names = (f"c{number}" for number in range(1_000))
    customer = next(name for name in names if partition_of(name.encode(), PARTITIONS) == partition)
    at = wall_ms() - age_ms
    event = cloud_event(name, at, source, f"{partition}-{at}", customer, {"journey": "loan"})
    with Producer(world.settings.kafka_url) as producer:
        producer.send(world.settings.topics.events, event.key, event.value)


def _silent(world: World, after: int = 0) -> dict[int, list[list[str]]]:
    """Whom each tick called silent, by partition, in their order."""
    found: dict[int, list[list[str]]] = {}
    for record in world.records(world.settings.topics.events):
        if record.timestamp > after and f'"{TICK}"'.encode() in record.value:
            found.setdefault(record.partition, []).append(json.loads(record.value)["data"].get("stale", []))
    return found


def _all_say(world: World, *silent: str) -> bool:
    last = [ticks[-1] for ticks in _silent(world).values()]
    return last == [list(silent)] * PARTITIONS


def _both_work(world: World) -> bool:
    """Whether the two latest workers have lanes, and all of them between them."""
    topic, counts = world.settings.topics.events, []
    for url in addresses(world)[-2:]:
        try:
            counts.append(metric(metrics_at(url), "rehuman_lanes_open", topic=topic))
        except OSError:
            return False  # it does not listen yet
    return len(counts) == 2 and sum(counts) == PARTITIONS and min(counts) > 0


def test_two_workers_judge_alike_and_remember(world: Callable[..., World]) -> None:
    found = world(partitions=PARTITIONS, clock="wall").prepare()
    for _ in range(2):
        found.start_worker()
    found.until(lambda: _both_work(found), "both workers")
    # Old events of one source everywhere, of another on one partition alone.
    for partition in range(PARTITIONS):
        _send(found, "web/shop", partition, QUARTER_MS)
    _send(found, "acd/eu1", 0, QUARTER_MS)
    found.until(lambda: _all_say(found, "acd/eu1", "web/shop"), "ticks that name both")
    # A fresh one on a single partition: its worker saw it, and the other one hears of it.
    _send(found, "web/shop", 0)
    found.until(lambda: _all_say(found, "acd/eu1"), "ticks that name one")
    # Nobody who knew is left, and nothing new comes.
    for worker in list(found.workers):
        found.kill(worker)
    began = wall_ms()
    for _ in range(2):
        found.start_worker()
    found.until(lambda: len(_silent(found, began)) == PARTITIONS, "ticks after the restart")
    assert all(said == ["acd/eu1"] for ticks in _silent(found, began).values() for said in ticks)


def test_a_feed_that_is_cut_abandons_nobody(world: Callable[..., World], tmp_path: Path) -> None:
    """Timers wait while their source is silent; an event of it at another worker's partition lets them go."""
    policy = tmp_path / "policy.toml"
    text = DEFAULT_TEXT.replace('form = "30min"', 'form = "3s"').replace(
        'lateness = "60s"', 'lateness = "2s"'
    )
    policy.write_text(text.replace('silence = "10min"', 'silence = "2s"'))
    found = world(partitions=PARTITIONS, clock="wall", policy=policy).prepare()
    for _ in range(2):
        found.start_worker()
    found.until(lambda: _both_work(found), "both workers")
    _send(found, "web/shop", 0, name="form_start")
    _send(found, "acd/eu1", 1, name="form_start")
    count = "SELECT count() FROM abandonments_exact WHERE partition = {}"
    began = time.monotonic()

    def only_the_other() -> bool:
        """The telephone goes on, the web says nothing."""
        for partition in range(2, PARTITIONS):
            _send(found, "acd/eu1", partition)
        return found.value(count.format(1)) == 1 and time.monotonic() - began > 15

    found.until(only_the_other, "the time-out of the source that is there")
    assert found.value(count.format(0)) == 0

    def web_is_back() -> bool:
        for partition in range(2, PARTITIONS):
            _send(found, "web/shop", partition)
        return bool(found.value(count.format(0)) == 1)

    found.until(web_is_back, "the time-out that has waited")
