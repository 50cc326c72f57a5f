"""What is of Kafka: brokers, topics, how far the worker is behind."""

from __future__ import annotations

from kafka import KafkaAdminClient

from streams.doctor.check import Check
from streams.errors import OperationError
from streams.kafka.admin import connect, differences, plan
from streams.kafka.lag import group_lag
from streams.settings import Settings

__all__ = ["examine"]

# Ten seconds' work of one worker at a tenth of its pace: below it nobody notices.
MUCH = 100_000


def examine(settings: Settings) -> list[Check]:
    """All of Kafka's checks. Raises OperationError if it fails in the middle."""
    try:
        with connect(settings.kafka_url) as client:
            count = len(client.describe_cluster()["brokers"])
            return [
                Check("kafka", "ok", f"{count} broker{'s' if count > 1 else ''}"),
                *_topics(client, settings),
                *_lag(client, settings),
            ]
    except OperationError as error:
        return [
            Check(
                "kafka", "fail", str(error), "start the brokers, or set REHUMAN_KAFKA_URL to where they are"
            )
        ]


def _topics(client: KafkaAdminClient, settings: Settings) -> list[Check]:
    found = differences(client, settings)
    if not found:
        return [Check("topics", "ok", f"{len(plan(settings))} as planned, changelogs compacted")]
    checks = []
    for difference in found:
        mend = "rehuman topics create"
        if difference.what == "partitions":
            mend = f"set REHUMAN_PARTITIONS to {difference.found}, or take another REHUMAN_TOPIC_PREFIX"
        checks.append(Check("topics", "fail", str(difference), mend))
    return checks


def _lag(client: KafkaAdminClient, settings: Settings) -> list[Check]:
    names = settings.topics
    lags = group_lag(client, settings.group, [names.events, names.facts, names.desk])
    if not lags:
        return []
    if all(lag.committed is None for lag in lags.values()):
        return [
            Check("lag", "warn", f"group {settings.group} has never committed", "start one: rehuman worker")
        ]
    checks = []
    for topic in (names.events, names.facts, names.desk):
        behind = sum(lag.behind for (name, _), lag in lags.items() if name == topic)
        if behind > MUCH:
            mend = "see whether a worker is running and ready, or start more of them"
            checks.append(Check("lag", "warn", f"{behind} records of {topic} are waiting", mend))
        else:
            checks.append(Check("lag", "ok", f"{behind} records of {topic} are waiting"))
    return checks
