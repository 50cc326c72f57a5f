"""A worker that cannot start says why in one line, with the right exit code, within ten seconds."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from detectors.policy import DEFAULT_TEXT
from streams.kafka import admin
from streams.settings import load
from streams.warehouse.client import connect
from tests.cli.conftest import IN_TIME_S, Outcome, Run
from tests.support.engine import EngineUnderTest

Start = Callable[..., Outcome]


@pytest.fixture(scope="module")
def good(broker_url: str, engine: EngineUnderTest) -> dict[str, object]:
    """Settings of an installation whose parts are all right."""
    settings: dict[str, object] = {
        "kafka_url": broker_url,
        "clickhouse_url": engine.database(),
        "topic_prefix": "started",
        "pseudonym_key": "k" * 32,
        "reference_key": "r" * 32,
        "metrics_port": 0,
        "web_port": 0,
    }
    admin.create(load(None, **settings))
    return settings


@pytest.fixture
def start(rehuman: Run, good: dict[str, object]) -> Start:
    """``rehuman worker`` on such parts but for what the test gives."""

    def run(*arguments: object, **settings: object) -> Outcome:
        return rehuman("worker", *arguments, **(good | settings))

    return run


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody has."""
    with socket.socket() as listener:
        listener.bind(("0.0.0.0", 0))  # noqa: S104 - where the worker's own servers may listen
        listener.listen()
        yield listener.getsockname()[1]


def refused(outcome: Outcome, code: int, *words: str) -> None:
    """One line with these words, this exit code, in time."""
    assert outcome.code == code, outcome
    assert outcome.out == ""
    assert outcome.err.count("\n") == 1, outcome.err
    for word in words:
        assert word in outcome.err
    assert outcome.seconds < IN_TIME_S


def test_a_bad_url(start: Start) -> None:
    refused(start(kafka_url="localhost:9092"), 2, "REHUMAN_KAFKA_URL", "kafka://")
    refused(start(clickhouse_url="http://localhost"), 2, "REHUMAN_CLICKHOUSE_URL", "clickhouse://")


def test_a_key_that_is_missing(start: Start) -> None:
    refused(start(pseudonym_key=""), 2, "REHUMAN_PSEUDONYM_KEY", "16 characters")


def test_a_broker_that_is_down(start: Start) -> None:
    refused(start(kafka_url="kafka://127.0.0.1:1"), 1, "127.0.0.1:1", "does not answer")


def test_topics_that_are_missing(start: Start) -> None:
    refused(start(topic_prefix="nobody"), 1, "nobody.events", "rehuman topics create")


def test_an_unknown_key_in_the_policy(start: Start, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(DEFAULT_TEXT.replace("rage_click = 4.0", "rage_clik = 4.0"))
    refused(start(policy=policy), 2, "REHUMAN_POLICY", "rage_clik", "rage_click")


@pytest.mark.parametrize("setting", ["metrics_port", "web_port"])
def test_a_port_in_use(start: Start, taken: int, setting: str) -> None:
    refused(start(**{setting: taken}), 2, f"REHUMAN_{setting.upper()}", str(taken), "in use")


def test_clickhouse_down_for_a_worker_of_facts_alone(start: Start) -> None:
    refused(start("--lanes", "facts", clickhouse_url="clickhouse://127.0.0.1:1/x"), 1, "127.0.0.1:1")


def test_a_table_missing_for_a_worker_of_facts_alone(start: Start, engine: EngineUnderTest) -> None:
    url = engine.database()
    client = connect(url)
    client.execute("DROP TABLE waits")
    client.disconnect()
    refused(start("--lanes", "facts", clickhouse_url=url), 1, "waits is missing")


def test_an_unknown_lane(start: Start) -> None:
    refused(start("--lanes", "events,notify"), 2, "--lanes", "notify")
