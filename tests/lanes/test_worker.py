"""A real worker: a database that is away, a value that no fold bears, what is missing, another broker."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest
from kafka import KafkaAdminClient, KafkaProducer

from streams.embedded_broker import EmbeddedBroker
from streams.kafka.closing import close
from tests.lanes.counting import CHANGELOG, OUTPUTS, PLAIN, SINK, TOPIC
from tests.lanes.process import Topics, Worker, fresh_topics, until
from tests.support.kafka import KafkaAt, create_topics
from tests.support.output import no_traceback
from tests.support.ports import server_port

ALL = {TOPIC: 2, CHANGELOG: 2, OUTPUTS: 2, SINK: 2, PLAIN: 2}
SESSION_S = 3
# Seconds on a machine of one's own; two cores may be shared with other tests' brokers.
PATIENCE_S = 60.0


@pytest.fixture
def topics(kafka: KafkaAt) -> Iterator[Topics]:
    """Fresh topics, and a group without offsets."""
    fresh_topics(kafka.bootstrap, ALL)
    reader = Topics(kafka.bootstrap)
    yield reader
    reader.close()


def send(bootstrap: str, topic: str, values: list[bytes]) -> None:
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all")
    for number, value in enumerate(values):
        producer.send(topic, key=b"k%d" % (number % 7), value=value, partition=number % 2)
    producer.flush()
    producer.close()


def events(count: int) -> list[bytes]:
    return [json.dumps({"id": f"e{number}"}).encode() for number in range(count)]


def offsets(bootstrap: str, topic: str) -> dict[int, int]:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        found = admin.list_group_offsets("counting")["counting"]
        return {place.partition: at.offset for place, at in found.items() if place.topic == topic}
    finally:
        close(admin)


def environment(url: str, **more: str) -> dict[str, str]:
    return {"LANES_KAFKA": url, "LANES_SESSION": str(SESSION_S), **more}


@pytest.mark.kafka
def test_a_sink_that_waits_holds_up_nobody_and_is_let_go_without_a_commit(
    kafka: KafkaAt, topics: Topics, tmp_path: Path
) -> None:
    rows = [b"row %d" % number for number in range(10_000)]
    send(kafka.bootstrap, SINK, rows)
    send(kafka.bootstrap, TOPIC, events(100))
    web = server_port()
    worker = Worker("tests.lanes.counting", tmp_path, environment(kafka.url, LANES_BESIDE=str(web)))
    until(lambda: topics.size(OUTPUTS, 2) == 100, PATIENCE_S, "outputs")
    time.sleep(SESSION_S * 1.5)  # longer than a session: it must still be a member
    send(kafka.bootstrap, TOPIC, events(100))
    send(kafka.bootstrap, PLAIN, [b"p%d" % number for number in range(500)])
    until(lambda: topics.size(OUTPUTS, 2) == 200, PATIENCE_S, "outputs beside a waiting sink")
    plain = tmp_path / "plain"
    until(lambda: plain.exists() and plain.read_bytes().count(b"\n") == 500, PATIENCE_S, "Faust's own agent")
    with urlopen(f"http://127.0.0.1:{web}/", timeout=PATIENCE_S) as page:
        assert page.status == 200, "Faust's own web server"
    assert worker.end(signal.SIGTERM, within_s=PATIENCE_S) == 0, worker.text()
    assert "member_id was not recognized" not in worker.text()
    assert offsets(kafka.bootstrap, SINK) == {}
    assert sum(offsets(kafka.bootstrap, TOPIC).values()) == 200

    (tmp_path / "back").touch()
    worker = Worker("tests.lanes.counting", tmp_path, environment(kafka.url, LANES_BESIDE=str(web)))
    until(lambda: sum(offsets(kafka.bootstrap, SINK).values()) == len(rows), PATIENCE_S, "rows committed")
    assert worker.end(signal.SIGTERM, within_s=PATIENCE_S) == 0, worker.text()
    written = (tmp_path / "rows").read_bytes().splitlines()
    assert sorted(written) == sorted(rows)


@pytest.mark.kafka
def test_a_fold_that_raises_ends_the_process_with_one_line_and_nothing_is_skipped(
    kafka: KafkaAt, topics: Topics, tmp_path: Path
) -> None:
    send(kafka.bootstrap, TOPIC, [*events(20), b"poison", *events(5)])
    worker = Worker("tests.lanes.counting", tmp_path, environment(kafka.url))
    assert worker.wait(PATIENCE_S) == 1
    lines = [line for line in worker.text().splitlines() if "streams.lanes" in line]
    assert len(lines) == 1, worker.text()
    assert "lane counting.events/0 stopped after offset" in lines[0]
    assert "KeyError at counting.py" in lines[0]
    assert "must not be in the log" not in worker.text()
    no_traceback(worker.text())
    assert offsets(kafka.bootstrap, TOPIC).get(0, 0) <= 10


@pytest.mark.kafka
def test_a_missing_topic_is_one_line(kafka: KafkaAt, topics: Topics, tmp_path: Path) -> None:
    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    admin.delete_topics([OUTPUTS])
    until(lambda: OUTPUTS not in admin.list_topics(), PATIENCE_S, "deleted")
    close(admin)
    worker = Worker("tests.lanes.counting", tmp_path, environment(kafka.url))
    assert worker.wait(PATIENCE_S) == 1
    assert "topic counting.outputs does not exist" in worker.text()
    no_traceback(worker.text())


def test_a_broker_that_is_away_is_one_line(tmp_path: Path) -> None:
    worker = Worker("tests.lanes.counting", tmp_path, environment("kafka://127.0.0.1:9"))
    assert worker.wait(PATIENCE_S) == 1
    lines = [line for line in worker.text().splitlines() if "streams.lanes" in line]
    assert len(lines) == 1, worker.text()
    assert "Unable to bootstrap from [('127.0.0.1', 9" in lines[0]
    no_traceback(worker.text())


def test_state_comes_back_on_the_embedded_broker(tmp_path: Path) -> None:
    """It has no producer ids and tells wrong ends of partitions; lanes must cope."""
    with EmbeddedBroker(tmp_path / "broker") as broker:
        create_topics(broker.bootstrap, ALL)
        send(broker.bootstrap, TOPIC, events(1_000))
        url = f"kafka://{broker.bootstrap}"
        for expected, how, code, by_faust in (
            (500, signal.SIGTERM, 0, False),
            (500, signal.SIGKILL, -9, True),
            (750, signal.SIGTERM, 0, True),
        ):
            if expected == 750:
                send(broker.bootstrap, TOPIC, events(500))
            worker = Worker("tests.lanes.counting", tmp_path, environment(url), by_faust=by_faust)
            goal = {0: expected, 1: expected}
            until(lambda goal=goal: offsets(broker.bootstrap, TOPIC) == goal, PATIENCE_S, f"{goal}")  # type: ignore[misc]
            assert worker.end(how, within_s=PATIENCE_S) == code, worker.text()
            assert "no former owner can be fenced out" in worker.text()
