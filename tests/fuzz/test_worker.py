"""Fuzzed records at a real worker: it lives, and says of every record what became of it."""

from __future__ import annotations

import re
import urllib.request
from collections import Counter
from collections.abc import Callable
from itertools import islice

from streams.kafka.producer import Producer
from tests.fuzz.records import Fuzz
from tests.support.world import World

RECORDS = 2_500


def outcomes(world: World) -> Counter[str]:
    """What the worker has counted, as Prometheus would read it."""
    port = re.findall(r'"metrics": "http://127.0.0.1:(\d+)/metrics"', world.log())[-1]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        text = answer.read().decode()
    found: Counter[str] = Counter()
    pattern = r'^rehuman_records_accepted_total\{outcome="(\w+)",partition="\d+"\} (\S+)$'
    for name, count in re.findall(pattern, text, re.MULTILINE):
        found[name] += int(float(count))
    return found


def test_every_record_is_accounted_for(world: Callable[..., World]) -> None:
    made = world(partitions=2).prepare()
    topics = made.settings.topics
    worker = made.start_worker()
    with Producer(made.settings.kafka_url) as producer:
        for place, drawn in enumerate(islice(Fuzz(11).records(), RECORDS)):
            # What is larger than a topic takes never gets this far.
            producer.send(topics.events, b"key", drawn.value, partition=place % 2)
    made.settle()
    assert worker.poll() is None
    read = made.committed(topics.events)
    found = outcomes(made)
    assert read >= RECORDS
    assert sum(found.values()) == read, found
    letters = made.records(topics.dead_letters)
    assert len(letters) == found["dead_letter"] > 0
    reasons = {dict(letter.headers)["reason"].decode().partition(":")[0] for letter in letters}
    assert not {reason for reason in reasons if reason.endswith("_failed")}
    made.until(
        lambda: made.value("SELECT count() FROM dead_letters_exact") == found["dead_letter"], "their rows"
    )
    made.until(lambda: made.value("SELECT count() FROM events_exact") == found["event"], "the events' rows")
