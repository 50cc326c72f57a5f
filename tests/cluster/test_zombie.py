"""A worker whose write arrives after another one has taken over: refused, as its commit is."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient

from tests.cluster.link import Link, is_produce_to
from tests.lanes.counting import CHANGELOG, OUTPUTS, TOPIC
from tests.lanes.process import Topics, Worker, until
from tests.support.kafka import QUICK, KafkaBroker, create_topics
from tests.support.ports import server_port

PARTITIONS = 2
SESSION_S = "3"


class Stream:
    """A few hundred records a second until it is stopped."""

    def __init__(self, bootstrap: str) -> None:
        self._producer = KafkaProducer(bootstrap_servers=bootstrap, linger_ms=5, acks="all")
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.sent = 0

    def _run(self) -> None:
        while not self._end.wait(0.05):
            for _ in range(20):
                key = self.sent % 20
                value = json.dumps({"id": f"e{self.sent:07}"}).encode()
                self._producer.send(TOPIC, key=b"k%d" % key, value=value, partition=key % PARTITIONS)
                self.sent += 1
        self._producer.flush()
        self._producer.close()

    def __enter__(self) -> Stream:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()


@pytest.fixture(scope="module")
def slow() -> Iterator[tuple[KafkaBroker, Link, str]]:
    """A broker, a link to it, and the address that goes over the link."""
    inner, outer = server_port(), server_port()
    plain = "PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller_port}"
    settings = {
        "listeners": f"{plain},SLOW://127.0.0.1:{inner}",
        "advertised.listeners": f"{plain},SLOW://127.0.0.1:{outer}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SLOW:PLAINTEXT",
    }
    link = Link(outer, inner)
    with KafkaBroker(options=QUICK, settings=settings) as broker:
        yield broker, link, f"kafka://127.0.0.1:{outer}"
    link.close()


def committed(bootstrap: str) -> int:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        return sum(at.offset for at in admin.list_group_offsets("counting")["counting"].values())
    finally:
        admin.close()


def test_states_that_arrive_after_the_new_owners_are_refused(
    slow: tuple[KafkaBroker, Link, str], tmp_path: Path
) -> None:
    broker, link, slow_url = slow
    create_topics(broker.bootstrap, {TOPIC: PARTITIONS, CHANGELOG: PARTITIONS, OUTPUTS: PARTITIONS})
    topics = Topics(broker.bootstrap)
    with Stream(broker.bootstrap):
        first = Worker(
            "tests.lanes.counting", tmp_path / "1", {"LANES_KAFKA": slow_url, "LANES_SESSION": SESSION_S}
        )
        until(lambda: topics.size(CHANGELOG, PARTITIONS) > 50, 30, "the first worker's states")
        # Its next states leave it, and stay on the way; so does everything after them, heartbeats too.
        link.hold_from(is_produce_to(CHANGELOG))
        assert link.held.wait(10)
        before = topics.size(CHANGELOG, PARTITIONS)
        second = Worker(
            "tests.lanes.counting", tmp_path / "2", {"LANES_KAFKA": broker.url, "LANES_SESSION": SESSION_S}
        )
        until(lambda: topics.size(CHANGELOG, PARTITIONS) > before + 100, 40, "the second worker's states")
        link.release()
        time.sleep(2)
        assert second.process.poll() is None, second.text()
    until(lambda: committed(broker.bootstrap) == topics.size(TOPIC, PARTITIONS), 40, "everything committed")
    # What it had on the way did not count: it is a member again, or has ended and said why.
    if first.process.poll() is None:
        assert first.end(signal.SIGTERM) == 0, first.text()
    else:
        assert "another process has taken over" in first.text()
    assert second.end(signal.SIGTERM) == 0, second.text()
    highest: dict[tuple[int, bytes], bytes] = {}
    for partition, offset, key, value in topics.read(CHANGELOG, PARTITIONS):
        assert value[:8] >= highest.get((partition, key), b""), f"the changelog went back at {offset}"
        highest[partition, key] = value[:8]
    topics.close()
