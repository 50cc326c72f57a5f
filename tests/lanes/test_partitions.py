"""256 partitions in one worker: assigned, fenced, restored, counted, killed and started again."""

from __future__ import annotations

import json
import signal
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from kafka import KafkaProducer

from streams.lanes.changelog import Merge
from tests.lanes.counting import CHANGELOG, OUTPUTS, TOPIC, State, step
from tests.lanes.process import Topics, Worker, fresh_topics
from tests.support.asking import Asking
from tests.support.kafka import KafkaAt

PARTITIONS = 256
KEYS = 20 * PARTITIONS
EACH = 40
# The broker makes files for each partition at its first record, which takes longer than all the rest.
PATIENCE_S = 240.0


def send(bootstrap: str, first: int) -> None:
    """So many records to each partition, ids from ``first`` on."""
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all", linger_ms=50)
    for number in range(first, first + EACH * PARTITIONS):
        value = json.dumps({"id": f"e{number:07}"}).encode()
        producer.send(TOPIC, key=b"k%d" % (number % KEYS), value=value, partition=number % PARTITIONS)
    producer.flush(PATIENCE_S)
    producer.close()


def until_counted(broker: KafkaAt, worker: Worker, goal: int) -> float:
    """Wait until so many records are committed; the seconds it took."""
    began = time.monotonic()
    with closing(Asking(broker.url, "counting")) as asking:
        wait(lambda: sum(lag.committed or 0 for lag in asking.lags(TOPIC)) >= goal, worker)
    return time.monotonic() - began


def wait(done: Callable[[], bool], worker: Worker) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        assert worker.process.poll() is None, worker.text()
        assert time.monotonic() < deadline, worker.text()
        time.sleep(0.5)


@pytest.mark.kafka
def test_one_worker_has_256_partitions(kafka: KafkaAt, tmp_path: Path) -> None:
    fresh_topics(kafka.bootstrap, dict.fromkeys((TOPIC, CHANGELOG, OUTPUTS), PARTITIONS))
    environment = {"LANES_KAFKA": kafka.url, "LANES_SESSION": "6"}
    send(kafka.bootstrap, 0)
    worker = Worker("tests.lanes.counting", tmp_path / "1", environment)
    took = [until_counted(kafka, worker, EACH * PARTITIONS)]
    worker.end(signal.SIGKILL)
    send(kafka.bootstrap, EACH * PARTITIONS)
    worker = Worker("tests.lanes.counting", tmp_path / "2", environment)
    took.append(until_counted(kafka, worker, 2 * EACH * PARTITIONS))
    assert worker.end(signal.SIGTERM, within_s=PATIENCE_S) == 0, worker.text()
    print(f"fresh {took[0]:.1f} s, after kill -9 (session of 6 s) {took[1]:.1f} s")

    topics = Topics(kafka.bootstrap)
    expected: dict[bytes, State] = defaultdict(State)
    for _, _, key, value in topics.read(TOPIC, PARTITIONS):
        step(expected[key], value)
    merges = [Merge() for _ in range(PARTITIONS)]
    for partition, _, key, value in topics.read(CHANGELOG, PARTITIONS):
        merges[partition].offer(key, value)
    unpack = msgspec.msgpack.Decoder(State).decode
    found = {key: unpack(state) for merge in merges for key, state in merge.states()}
    assert {key: (state.count, state.hash) for key, state in found.items()} == {
        key: (state.count, state.hash) for key, state in expected.items()
    }
    assert [merge.mark for merge in merges] == [2 * EACH] * PARTITIONS
    topics.close()
