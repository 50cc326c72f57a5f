"""Topics on real brokers: made as planned, once, and what differs is named."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest
from kafka.errors import NodeNotReadyError, UnknownBrokerIdError

from streams.errors import OperationError
from streams.kafka.admin import LOST, asked, connect, create, differences, plan
from streams.settings import Settings, load


def _settings(url: str, prefix: str, **others: Any) -> Settings:
    return load(kafka_url=url, topic_prefix=prefix, **({"partitions": 3} | others))


def _differences(settings: Settings) -> list[str]:
    with connect(settings.kafka_url) as client:
        return [str(difference) for difference in differences(client, settings)]


def test_the_plan_covers_every_topic() -> None:
    settings = load(topic_prefix="p", partitions=5, replication=3)
    topics = {topic.name: topic for topic in plan(settings)}
    assert {name.removeprefix("p.") for name in topics} == {
        *("events", "facts", "desk", "alerts", "policy", "sources", "dead-letters"),
        *("events-changelog", "desk-changelog"),
    }
    compacted = {name for name, topic in topics.items() if topic.config["cleanup.policy"] == "compact"}
    assert compacted == {"p.policy", "p.sources", "p.events-changelog", "p.desk-changelog"}
    single = {name for name, topic in topics.items() if topic.partitions == 1}
    assert single == {"p.policy", "p.sources"}
    assert {topic.partitions for name, topic in topics.items() if name not in single} == {5}
    assert int(topics["p.dead-letters"].config["max.message.bytes"]) == 8 * 1024 * 1024
    assert {topic.config["min.insync.replicas"] for topic in topics.values()} == {"2"}


def test_create_twice(broker_url: str) -> None:
    settings = _settings(broker_url, "twice")
    assert len(_differences(settings)) == len(plan(settings))
    assert set(create(settings).values()) == {"created"}
    assert _differences(settings) == []
    assert set(create(settings).values()) == {"unchanged"}


def test_another_partition_count_is_named_and_not_touched(broker_url: str) -> None:
    create(_settings(broker_url, "count"))
    other = _settings(broker_url, "count", partitions=4)
    assert "topic count.events: partitions is 3, expected 4" in _differences(other)
    with pytest.raises(OperationError, match=r"partitions is 3, expected 4.*set REHUMAN_PARTITIONS to 3"):
        create(other)


def test_options_are_brought_up_to_date(kafka: Any) -> None:
    settings = _settings(f"kafka://{kafka.bootstrap}", "options")
    name = settings.topics.changelog(settings.topics.events)
    with connect(settings.kafka_url) as client:
        client.create_topics({name: {"num_partitions": 3, "replication_factor": 1}})
        client.wait_for_topics([name])
    assert f"topic {name}: cleanup.policy is delete, expected compact" in _differences(settings)
    outcome = create(settings)
    assert outcome[name] == "updated"
    assert outcome[settings.topics.events] == "created"
    assert _differences(settings) == []


def test_more_copies_than_brokers(kafka: Any) -> None:
    settings = _settings(f"kafka://{kafka.bootstrap}", "copies", replication=3)
    with pytest.raises(OperationError, match=r"REHUMAN_REPLICATION=3.*eplication factor") as caught:
        create(settings)
    assert "\n" not in str(caught.value)


def test_nobody_there_is_said_in_time() -> None:
    began = time.monotonic()
    with pytest.raises(
        OperationError, match=r"Kafka at 127\.0\.0\.1:1 \(REHUMAN_KAFKA_URL\) does not answer"
    ):
        create(_settings("kafka://127.0.0.1:1", "nobody"))
    assert time.monotonic() - began < 10


def test_somebody_who_never_answers_is_said_in_time() -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        port = mute.getsockname()[1]
        began = time.monotonic()
        with pytest.raises(OperationError, match="does not answer"):
            create(_settings(f"kafka://127.0.0.1:{port}", "mute"))
        assert time.monotonic() - began < 10


def test_what_changes_nothing_is_asked_again_where_a_broker_is_lost_or_not_heard_of_yet() -> None:
    lost = [NodeNotReadyError(1), UnknownBrokerIdError(2)]

    def ask() -> str:
        if lost:
            raise lost.pop()
        return "answer"

    assert asked(ask) == "answer"


def test_a_broker_that_a_client_has_not_heard_of_is_among_the_lost(broker_url: str) -> None:
    """Brokers that come back are named to clients that know them not, and a command ended of it."""
    with connect(broker_url) as client, pytest.raises(LOST):
        client.get_broker_version_data(4711)
