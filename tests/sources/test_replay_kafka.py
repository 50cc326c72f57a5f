"""A real file through a real broker: what each partition holds is the story that was told."""

from __future__ import annotations

import pytest
from kafka import KafkaConsumer, TopicPartition

from detectors import policy
from streams import replay
from streams.errors import OperationError
from streams.kafka import admin, urls
from streams.kafka.partitioner import partition_of
from streams.settings import Settings, load
from streams.sources.api import SourceEvent, get_source
from streams.ticks import EVERY_MS, tick_record, with_ticks
from tests.sources.datasets import paths, replayed
from tests.support.kafka import KafkaAt

NAME = "airbnb-sessions"
PARTITIONS = 3


@pytest.fixture(scope="module")
def settings(kafka: KafkaAt) -> Settings:
    """Settings with the topics made."""
    found = load(kafka_url=kafka.url, partitions=PARTITIONS, topic_prefix="told")
    admin.create(found)
    return found


def log(settings: Settings) -> list[list[tuple[bytes | None, bytes]]]:
    """Keys and values of the events topic by partition."""
    with KafkaConsumer(**urls.parse(settings.kafka_url).client(), enable_auto_commit=False) as consumer:
        partitions = [TopicPartition(settings.topics.events, number) for number in range(PARTITIONS)]
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        ends = consumer.end_offsets(partitions)
        found: list[list[tuple[bytes | None, bytes]]] = [[] for _ in partitions]
        while any(consumer.position(partition) < ends[partition] for partition in partitions):
            for partition, records in consumer.poll(timeout_ms=500).items():
                found[partition.partition] += [(record.key, record.value) for record in records]
    return found


@pytest.mark.kafka
def test_a_file_told_to_kafka(settings: Settings) -> None:
    told: list[tuple[int, int]] = []
    summary = replay.run(
        settings, get_source(NAME), paths(NAME), progress=lambda done, total: told.append((done, total))
    )
    events = replayed(NAME).events
    assert (summary.events, told[-1]) == (len(events), (len(events), len(events)))
    assert summary.counts == replayed(NAME).counts
    expected: list[list[tuple[bytes | None, bytes]]] = [[] for _ in range(PARTITIONS)]
    ticks = 0
    for item in with_ticks(events, EVERY_MS, policy.default().longest_timeout_ms):
        if isinstance(item, SourceEvent):
            expected[partition_of(item.key, PARTITIONS)].append((item.key, item.value))
        else:
            ticks += 1
            for partition in expected:
                partition.append((None, tick_record(item.time)))
    assert summary.ticks == ticks
    assert log(settings) == expected


@pytest.mark.kafka
def test_topics_that_are_missing_are_one_line(settings: Settings) -> None:
    other = settings.model_copy(update={"topic_prefix": "untold"})
    with pytest.raises(OperationError, match=r"untold\.events is missing"):
        replay.run(other, get_source(NAME), paths(NAME))
