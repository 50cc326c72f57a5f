"""A real worker on real Kafka, killed and joined while records keep coming: every key's state stays exact."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections import defaultdict
from pathlib import Path

import msgspec
import pytest
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient

from streams.kafka.closing import close
from streams.lanes.changelog import Merge
from tests.lanes.counting import CHANGELOG, OUTPUTS, TOPIC, State, step
from tests.lanes.process import Topics, Worker, fresh_topics, members, until
from tests.support.kafka import KafkaAt

PARTITIONS = 8
KEYS = 400
# Enough that a kill lands in the middle of chunks and checkpoints, and light enough for two shared cores.
A_SECOND = 2_000
SESSION_S = "3"
PATIENCE_S = 90.0


class Stream:
    """Sends records with unique ids until it is stopped."""

    def __init__(self, bootstrap: str) -> None:
        self._producer = KafkaProducer(bootstrap_servers=bootstrap, linger_ms=5, acks="all")
        self._going = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.sent = 0

    def _run(self) -> None:
        while not self._going.wait(0.05):
            for _ in range(A_SECOND // 20):
                number = self.sent
                value = json.dumps({"id": f"e{number:07}", "pad": "x" * 200}).encode()
                key = number * 7919 % KEYS
                self._producer.send(TOPIC, key=b"k%d" % key, value=value, partition=key % PARTITIONS)
                self.sent += 1
        self._producer.flush()
        self._producer.close()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._going.set()
        self._thread.join()


def committed(bootstrap: str) -> dict[int, int]:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        return {
            place.partition: at.offset
            for place, at in admin.list_group_offsets("counting")["counting"].items()
        }
    finally:
        close(admin)


@pytest.mark.kafka
def test_states_outputs_and_changelog_through_kills_joins_and_leaves(kafka: KafkaAt, tmp_path: Path) -> None:
    compacted = {"cleanup.policy": "compact"}
    fresh_topics(
        kafka.bootstrap,
        {TOPIC: PARTITIONS, CHANGELOG: PARTITIONS, OUTPUTS: PARTITIONS},
        configs={CHANGELOG: compacted},
    )
    topics = Topics(kafka.bootstrap)
    environment = {"LANES_KAFKA": kafka.url, "LANES_SESSION": SESSION_S}
    runs = 0

    def start() -> Worker:
        nonlocal runs
        runs += 1
        return Worker("tests.lanes.counting", tmp_path / str(runs), environment)

    def wait_for_progress() -> None:
        """Half a second of outputs more than there are now."""
        goal = topics.size(OUTPUTS, PARTITIONS) + A_SECOND // 2
        until(lambda: topics.size(OUTPUTS, PARTITIONS) >= goal, PATIENCE_S, "outputs")

    stream = Stream(kafka.bootstrap)
    stream.start()
    first = start()
    try:
        for pause in (0.3, 0.6, 0.9):
            wait_for_progress()
            time.sleep(pause)
            first.end(signal.SIGKILL)
            first = start()
        wait_for_progress()
        second = start()  # joins
        until(lambda: members(kafka.bootstrap) == 2, PATIENCE_S, "both in the group")
        wait_for_progress()
        assert second.end(signal.SIGTERM, PATIENCE_S) == 0, second.text()  # leaves
        wait_for_progress()
        assert first.end(signal.SIGTERM, PATIENCE_S) == 0, first.text()
        first = start()
        wait_for_progress()
    finally:
        stream.stop()
    ends = topics.ends(TOPIC, PARTITIONS)
    until(lambda: committed(kafka.bootstrap) == ends, PATIENCE_S, "everything committed")
    assert first.end(signal.SIGTERM, PATIENCE_S) == 0, first.text()

    expected: dict[bytes, State] = defaultdict(State)
    ids = set()
    for _, _, key, value in topics.read(TOPIC, PARTITIONS):
        step(expected[key], value)
        ids.add(json.loads(value)["id"].encode())
    assert len(ids) == stream.sent

    unpack = msgspec.msgpack.Decoder(State).decode
    merges = [Merge() for _ in range(PARTITIONS)]
    highest: dict[tuple[int, bytes], bytes] = {}
    for partition, _, key, value in topics.read(CHANGELOG, PARTITIONS):
        merges[partition].offer(key, value)
        assert value[:8] >= highest.get((partition, key), b""), "the changelog went back"
        highest[partition, key] = value[:8]
    found = {key: unpack(state) for merge in merges for key, state in merge.states()}
    assert {key: (s.count, s.hash) for key, s in found.items()} == {
        key: (s.count, s.hash) for key, s in expected.items()
    }
    assert {number: merge.mark for number, merge in enumerate(merges)} == ends

    outputs = [value for _, _, _, value in topics.read(OUTPUTS, PARTITIONS)]
    assert set(outputs) == ids
    topics.close()
    print(f"{stream.sent} records, {len(outputs) - len(ids)} outputs twice, {runs} runs")
