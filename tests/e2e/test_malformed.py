"""Malformed records of many kinds: each in the dead letters, the good ones around them all scored."""

from __future__ import annotations

from collections.abc import Callable

from streams.clock import wall_ms
from streams.kafka.producer import Producer
from streams.sources.api import cloud_event
from tests.detectors.malformed import MALFORMED
from tests.support.world import World


def test_each_is_kept_with_its_reason(world: Callable[..., World]) -> None:
    """At least 60 kinds, each with its original bytes and a reason, and the worker alive."""
    assert len(MALFORMED) >= 60
    found = world(partitions=2, clock="wall").prepare()
    worker = found.start_worker()
    topics = found.settings.topics
    now = wall_ms()
    good = 0
    with Producer(found.settings.kafka_url) as producer:
        for place, (_, raw, _) in enumerate(MALFORMED):
            for _ in range(2):
                event = cloud_event(
                    "page_view", now + good, "web/test", f"good-{good}", f"customer-{good % 7}", {"step": "s"}
                )
                producer.send(topics.events, event.key, event.value)
                good += 1
            producer.send(topics.events, b"bad", raw, partition=place % 2)
        producer.flush()
    found.until(lambda: found.value("SELECT count() FROM events_exact") == good, "the good ones")
    found.until(lambda: len(found.records(topics.dead_letters)) >= len(MALFORMED), "the dead letters")
    letters = found.records(topics.dead_letters)
    assert len(letters) == len(MALFORMED)
    source = {(record.partition, record.offset): record.value for record in found.records(topics.events)}
    reasons: dict[bytes, list[str]] = {}
    for letter in letters:
        headers = dict(letter.headers)
        assert set(headers) == {"reason", "topic", "partition", "offset", "time"}
        place = (int(headers["partition"]), int(headers["offset"]))
        assert (letter.value or b"") == (source[place] or b"")
        reasons.setdefault(letter.value or b"", []).append(headers["reason"].decode())
    for name, raw, expected in MALFORMED:
        got = reasons[raw]
        assert any(reason.split(":")[0] == expected for reason in got), (name, expected, got)
    found.until(lambda: found.value("SELECT count() FROM dead_letters_exact") == len(MALFORMED), "their rows")
    assert found.value("SELECT countIf(human_need > 0) FROM events_exact") == good
    assert worker.poll() is None
    print(f"{len(MALFORMED)} kinds of malformed records are dead letters, {good} good ones are scored")
