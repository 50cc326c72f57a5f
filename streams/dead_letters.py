"""A dead letter: the record as it came, with why and where in its headers."""

from __future__ import annotations

from streams.lanes.api import Output, Record
from streams.topics import TopicNames

__all__ = ["dead_letter"]


def dead_letter(topics: TopicNames, topic: str, partition: int, record: Record, reason: str) -> Output:
    """``record`` of ``topic`` on its way to the dead letters; ``reason`` never holds a value of it."""
    headers = [
        ("reason", reason.encode()),
        ("topic", topic.encode()),
        ("partition", str(partition).encode()),
        ("offset", str(record.offset).encode()),
        ("time", str(record.stamp).encode()),
    ]
    return Output(topics.dead_letters, None, record.key, record.value, headers)
