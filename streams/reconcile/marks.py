"""Where the log begins and ends, and how far the lanes are: one snapshot, in an order that makes it sound.

The commits come first and the ends after them: what the events lane has committed was acknowledged before,
so its rows lie in the facts' topic below the end that is told afterwards. What the facts lane has committed
is in ClickHouse before ClickHouse is asked.
"""

from __future__ import annotations

from typing import NamedTuple

from streams.errors import OperationError
from streams.kafka.admin import connect
from streams.kafka.lag import group_lag
from streams.settings import Settings

__all__ = ["Marks", "take"]


class Marks(NamedTuple):
    """Of one partition: offsets of the events' topic and of the facts'. A mark is the offset to read next."""

    begin: int
    end: int
    folded: int
    facts_folded: int
    facts_end: int


def take(settings: Settings) -> dict[int, Marks]:
    """Each partition's. Raises OperationError where the brokers do not answer or a topic is missing."""
    topics = settings.topics
    with connect(settings.kafka_url) as client:
        lags = group_lag(client, settings.group, [topics.events, topics.facts])
    for topic in (topics.events, topics.facts):
        if not any(name == topic for name, _ in lags):
            raise OperationError(f"topic {topic} is missing: run 'rehuman topics create'")
    found = {}
    for topic, partition in sorted(lags):
        if topic != topics.events:
            continue
        events, facts = lags[topic, partition], lags[topics.facts, partition]
        folded = events.start if events.committed is None else events.committed
        facts_folded = facts.start if facts.committed is None else facts.committed
        found[partition] = Marks(
            events.start,
            # The embedded broker gives an end that is inside the last batch.
            max(events.end, folded),
            folded,
            facts_folded,
            max(facts.end, facts_folded),
        )
    return found
