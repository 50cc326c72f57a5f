"""Topics: which there are, how each is kept, and making the brokers agree.

Every topic's stamp is the broker's (``LogAppendTime``): retention counts from arrival however old an event
says it is, and a wrong clock at a sender is seen for what it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError, RetriableError, UnknownBrokerIdError, for_code

from streams.clock import monotonic
from streams.errors import OperationError
from streams.kafka import urls
from streams.kafka.closing import close
from streams.kafka.refusal import refusal
from streams.settings import Settings

__all__ = [
    "LOST",
    "Difference",
    "Topic",
    "asked",
    "connect",
    "create",
    "differences",
    "partitions_of",
    "plan",
]

# A broker that is there answers in milliseconds; a command must give up within ten seconds.
BOOTSTRAP_MS = 5_000
REQUEST_MS = 7_000
# How long to go on asking where a broker is lost meanwhile: the others say who leads now.
AGAIN_S = 5.0
# A broker that answers may name one that this client has not heard of yet, or any more.
LOST = (RetriableError, UnknownBrokerIdError)

DAY_MS = 86_400_000
# Blocks of rows, and dead letters: bytes that were too many to be an event, with headers.
LARGE = 8 * 1024 * 1024
# Kafka's own default, said aloud because LARGE must stay above it.
NORMAL = 1_048_588

UNKNOWN_TOPIC, TOPIC_EXISTS = 3, 36

Answer = TypeVar("Answer")


class Topic(NamedTuple):
    """One topic as it should be."""

    name: str
    partitions: int
    config: dict[str, str]


class Difference(NamedTuple):
    """What is not as planned: ``what`` is ``topic`` (missing), ``partitions`` or the name of an option."""

    topic: str
    what: str
    found: str
    expected: str

    def __str__(self) -> str:
        if self.what == "topic":
            return f"topic {self.topic} is missing"
        return f"topic {self.topic}: {self.what} is {self.found or 'not set'}, expected {self.expected}"


def plan(settings: Settings) -> list[Topic]:
    """Every topic of this installation."""
    names, count = settings.topics, settings.partitions
    # Raw customer ids are in events and dead letters only, and there not for long.
    kept = [
        Topic(names.events, count, _kept(days=7)),
        Topic(names.facts, count, _kept(days=7, largest=LARGE)),
        Topic(names.desk, count, _kept(days=7)),
        Topic(names.alerts, count, _kept(days=30)),
        Topic(names.dead_letters, count, _kept(days=14, largest=LARGE)),
    ]
    # A lane's state has its changelog beside the topic, partition by partition.
    changelogs = [Topic(names.changelog(topic), count, _compacted()) for topic in (names.events, names.desk)]
    single = [Topic(name, 1, _compacted()) for name in (names.policy, names.sources)]
    planned = [*kept, *single, *changelogs]
    # With three copies a write must reach two, or the loss of one broker could take it back.
    safe = {"min.insync.replicas": "2" if settings.replication >= 3 else "1"}
    return [topic._replace(config=topic.config | safe) for topic in planned]


def _kept(days: int, largest: int = NORMAL) -> dict[str, str]:
    return {
        "cleanup.policy": "delete",
        "retention.ms": str(days * DAY_MS),
        "max.message.bytes": str(largest),
        "message.timestamp.type": "LogAppendTime",
    }


def _compacted() -> dict[str, str]:
    return {
        "cleanup.policy": "compact",
        "max.message.bytes": str(NORMAL),
        "message.timestamp.type": "LogAppendTime",
        # Restoring reads all of it: segments small enough that most of it is compacted.
        "segment.bytes": str(64 * 1024 * 1024),
        "min.cleanable.dirty.ratio": "0.2",
    }


@contextmanager
def connect(url: str) -> Iterator[KafkaAdminClient]:
    """An admin client. Raises OperationError within ten seconds where no broker answers or one refuses."""
    address = urls.parse(url)
    where = f"Kafka at {address} (REHUMAN_KAFKA_URL)"
    # The client would try a wrong password for as long as it may, and then say that nobody answered.
    if address.security != "PLAINTEXT" and (why := refusal(address)):
        raise OperationError(f"{where} {why}")
    try:
        client = KafkaAdminClient(
            **address.client(),
            client_id="rehuman-admin",
            bootstrap_timeout_ms=BOOTSTRAP_MS,
            request_timeout_ms=REQUEST_MS,
        )
    except KafkaError as error:
        why = refusal(address) or f"does not answer: {type(error).__name__}"
        raise OperationError(f"{where} {why}") from None
    try:
        yield client
    except KafkaError as error:
        raise OperationError(f"{where} failed: {type(error).__name__}") from None
    finally:
        close(client)


def asked(ask: Callable[[], Answer]) -> Answer:
    """The answer to what changes nothing, asked again where a broker is lost: there may be others."""
    deadline = monotonic() + AGAIN_S
    while True:
        try:
            return ask()
        except LOST:
            if monotonic() > deadline:
                raise
        time.sleep(0.1)


def partitions_of(url: str, topic: str) -> int:
    """How many partitions a topic has. Raises OperationError where there is no such topic."""
    with connect(url) as client:
        (found,) = asked(lambda: client.describe_topics([topic]))
    if not found["partitions"]:
        raise OperationError(f"topic {topic} is missing: run 'rehuman topics create'")
    return len(found["partitions"])


def differences(client: KafkaAdminClient, settings: Settings) -> list[Difference]:
    """Everything about the topics that is not as planned."""
    planned = {topic.name: topic for topic in plan(settings)}
    found: list[Difference] = []
    there = []
    for described in asked(lambda: client.describe_topics(list(planned))):
        topic = planned[described["name"]]
        if described["error_code"] == UNKNOWN_TOPIC:
            found.append(Difference(topic.name, "topic", "none", "one"))
            continue
        if described["error_code"]:
            raise for_code(described["error_code"])
        there.append(ConfigResource(ConfigResourceType.TOPIC, topic.name))
        if len(described["partitions"]) != topic.partitions:
            count = len(described["partitions"])
            found.append(Difference(topic.name, "partitions", str(count), str(topic.partitions)))
    answer = asked(lambda: client.describe_configs(there, config_filter="all")) if there else {}
    configs = answer.get("topic", {})
    for name, options in configs.items():
        for option, expected in planned[name].config.items():
            value = str((options.get(option) or {}).get("value") or "")
            if value != expected:
                found.append(Difference(name, option, value, expected))
    return found


def create(settings: Settings) -> dict[str, str]:
    """Make every topic as planned: name -> ``created``, ``updated`` or ``unchanged``.

    Raises OperationError for what it cannot mend: too few brokers for the copies, another partition count.
    """
    with connect(settings.kafka_url) as client:
        todo = differences(client, settings)
        planned = plan(settings)
        missing = {difference.topic for difference in todo if difference.what == "topic"}
        _create(client, [topic for topic in planned if topic.name in missing], settings.replication)
        updates: dict[str, dict[str, str]] = {}
        for difference in todo:
            if difference.what not in ("topic", "partitions"):
                updates.setdefault(difference.topic, {})[difference.what] = difference.expected
        _update(client, settings, updates)
        _refuse_other_counts([difference for difference in todo if difference.what == "partitions"])
    return {topic.name: _outcome(topic.name, missing, updates) for topic in planned}


def _update(client: KafkaAdminClient, settings: Settings, updates: dict[str, dict[str, str]]) -> None:
    if not updates:
        return
    topic = ConfigResourceType.TOPIC
    client.alter_configs([ConfigResource(topic, name, options) for name, options in updates.items()])
    # The brokers take a moment to see what they have agreed to.
    deadline = monotonic() + REQUEST_MS / 1000
    while any(left.what in updates.get(left.topic, ()) for left in differences(client, settings)):
        if monotonic() > deadline:
            raise OperationError(f"the brokers did not take the options of {', '.join(updates)}")
        time.sleep(0.1)


def _outcome(name: str, created: Container[str], updated: Container[str]) -> str:
    if name in created:
        return "created"
    return "updated" if name in updated else "unchanged"


def _refuse_other_counts(wrong: list[Difference]) -> None:
    """Keys move to other partitions when their number changes, and their state would stay behind."""
    if wrong:
        more = f" ({len(wrong) - 1} more like this)" if len(wrong) > 1 else ""
        way = f"set REHUMAN_PARTITIONS to {wrong[0].found}, or take another REHUMAN_TOPIC_PREFIX"
        raise OperationError(f"{wrong[0]}{more}: {way}")


def _create(client: KafkaAdminClient, topics: list[Topic], replication: int) -> None:
    if not topics:
        return
    wanted = {
        topic.name: {
            "num_partitions": topic.partitions,
            "replication_factor": replication,
            "configs": topic.config,
        }
        for topic in topics
    }
    answer = client.create_topics(wanted, timeout_ms=REQUEST_MS, raise_errors=False)
    for topic in answer["topics"]:
        # Another process may have been faster.
        if topic["error_code"] not in (0, TOPIC_EXISTS):
            reason = topic["error_message"] or for_code(topic["error_code"]).__name__
            raise OperationError(
                f"topic {topic['name']} cannot be made (REHUMAN_REPLICATION={replication}): {reason}"
            )
    client.wait_for_topics(list(wanted), timeout_ms=REQUEST_MS)
