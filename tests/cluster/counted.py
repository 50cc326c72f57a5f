"""The counting lanes on a cluster: records with unique ids, workers that come and go, the sum at the end."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from streams.errors import OperationError
from streams.kafka import urls
from streams.lanes.changelog import Merge
from tests.lanes.counting import CHANGELOG, OUTPUTS, TOPIC, State, step
from tests.lanes.process import Worker
from tests.support.asking import Asking
from tests.support.cluster import KafkaCluster
from tests.support.kafka import create_topics

PARTITIONS = 6
KEYS = 300
SESSION_S = 3
WORKERS = 2
PROGRESS_S = 90.0


class Counted:
    """Begins at once; :meth:`finish` says what came of it."""

    changelog = CHANGELOG

    def __init__(self, cluster: KafkaCluster, home: Path, *, rate: int) -> None:
        """``rate``: records a second."""
        self._cluster, self._home, self._rate = cluster, home, rate
        self._asking = Asking(cluster.url, "counting")
        topics = dict.fromkeys((TOPIC, CHANGELOG, OUTPUTS), PARTITIONS)
        compacted = {CHANGELOG: {"cleanup.policy": "compact", "segment.ms": "5000"}}
        create_topics(cluster.bootstrap, topics, configs=compacted, copies=3)
        self.sent = self.ended = self._runs = 0
        # Workers that were asked to end, or killed, are none that ended by themselves.
        self.disturbed = 0
        self._workers = [self._start() for _ in range(WORKERS)]
        self._end = threading.Event()
        self._stream = threading.Thread(target=self._send)
        self._stream.start()

    def _start(self) -> Worker:
        self._runs += 1
        # Two accounts of one cluster: with a password over TLS, and plainly.
        url = self._cluster.login() if self._runs % 2 else self._cluster.url
        environment = {"LANES_KAFKA": url, "LANES_SESSION": str(SESSION_S)}
        return Worker("tests.lanes.counting", self._home / str(self._runs), environment)

    def _send(self) -> None:
        producer = KafkaProducer(
            bootstrap_servers=self._cluster.bootstrap,
            acks="all",
            enable_idempotence=True,
            linger_ms=5,
            delivery_timeout_ms=120_000,
        )
        while not self._end.wait(0.05):
            for _ in range(self._rate // 20):
                key = self.sent * 7919 % KEYS
                value = json.dumps({"id": f"e{self.sent:07}", "pad": "x" * 200}).encode()
                producer.send(TOPIC, key=b"k%d" % key, value=value, partition=key % PARTITIONS)
                self.sent += 1
        producer.flush(120)
        producer.close()

    # -- workers -------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Start workers again that have ended."""
        for worker in list(self._workers):
            if worker.process.poll() is not None:
                self.ended += 1
                self._workers.remove(worker)
                self._workers.append(self._start())

    def disturb(self, how: str) -> None:
        """``kill``, ``leave``, ``freeze`` (past the session) or ``join``."""
        self.disturbed += 1
        worker = self._workers.pop(0)
        if how == "kill":
            worker.end(signal.SIGKILL)
            self._workers.append(self._start())
        elif how == "leave":
            code = worker.end(signal.SIGTERM, within_s=60)
            assert code == 0, worker.text()
            self._workers.append(self._start())
        elif how == "freeze":
            worker.process.send_signal(signal.SIGSTOP)
            time.sleep(SESSION_S * 1.7)
            worker.process.send_signal(signal.SIGCONT)
            self._workers.append(worker)
        else:
            self._workers += [worker, self._start()]
            if len(self._workers) > WORKERS + 1:
                self._workers.pop(0).end(signal.SIGTERM, within_s=60)

    def restarts(self) -> list[Callable[[], None]]:
        """One for each worker there is: end it and start another."""
        return [partial(self.disturb, "leave")] * len(self._workers)

    def progress(self, look: Callable[[float], None]) -> None:
        """Return when something sent from now on has been counted."""
        goal = self._done() + self._rate
        deadline = time.monotonic() + PROGRESS_S
        while self._done() < goal:
            look(0.3)
            assert time.monotonic() < deadline, f"nothing is counted any more: {self.logs()}"

    def _done(self) -> int:
        deadline = time.monotonic() + PROGRESS_S
        while True:
            try:
                return sum(lag.committed or 0 for lag in self._asking.lags(TOPIC))
            except (KafkaError, OperationError):
                # The broker that was asked has just been killed.
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)

    def logs(self) -> str:
        """The last lines of every worker."""
        return "\n".join(worker.text()[-800:] for worker in self._workers)

    # -- the sum -------------------------------------------------------------------------------------------

    def finish(self, patience_s: float) -> str:
        """Stop sending, wait until everything is counted, end the workers, and see whether all is exact."""
        self._end.set()
        self._stream.join()
        ends = self._ends(TOPIC)
        assert sum(ends.values()) == self.sent, "the producer of the test lost or doubled something"
        deadline = time.monotonic() + patience_s
        while self._done() < self.sent:
            self.look()
            assert time.monotonic() < deadline, f"not everything is counted: {self.logs()}"
            time.sleep(0.3)
        for worker in self._workers:
            assert worker.end(signal.SIGTERM, within_s=60) == 0, worker.text()
        self._workers.clear()
        expected: dict[bytes, State] = defaultdict(State)
        ids = set()
        for _, key, value in self._read(TOPIC):
            step(expected[key], value)
            ids.add(json.loads(value)["id"].encode())
        assert len(ids) == self.sent
        outputs = [value for _, _, value in self._read(OUTPUTS)]
        assert set(outputs) == ids
        self._check_states(expected, ends)
        twice = len(outputs) - len(ids)
        if not self.ended and not self.disturbed:
            assert not twice, "an idempotent producer says nothing twice"
        return f"{self.sent} records counted exactly, {twice} outputs twice, {self._runs} runs of workers"

    def _check_states(self, expected: dict[bytes, State], ends: dict[int, int]) -> None:
        merges = [Merge() for _ in range(PARTITIONS)]
        highest: dict[tuple[int, bytes], bytes] = {}
        for partition, key, value in self._read(CHANGELOG):
            assert value[:8] >= highest.get((partition, key), b""), "the changelog went back"
            highest[partition, key] = value[:8]
            merges[partition].offer(key, value)
        unpack = msgspec.msgpack.Decoder(State).decode
        found = {key: unpack(state) for merge in merges for key, state in merge.states()}
        assert {key: (state.count, state.hash) for key, state in found.items()} == {
            key: (state.count, state.hash) for key, state in expected.items()
        }
        assert {number: merge.mark for number, merge in enumerate(merges)} == ends

    def _consumer(self) -> KafkaConsumer:
        client = urls.parse(self._cluster.url).client()
        return KafkaConsumer(**client, group_id=None, enable_auto_commit=False)

    def _ends(self, topic: str) -> dict[int, int]:
        consumer = self._consumer()
        places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        ends = {place.partition: end for place, end in consumer.end_offsets(places).items()}
        consumer.close()
        return ends

    def _read(self, topic: str) -> list[tuple[int, bytes, bytes]]:
        """Partition, key and value of every record, each partition in order."""
        consumer = self._consumer()
        places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer.assign(places)
        ends = consumer.end_offsets(places)
        consumer.seek_to_beginning(*places)
        found = []
        while any(consumer.position(place) < end for place, end in ends.items()):
            for records in consumer.poll(timeout_ms=500).values():
                found += [(record.partition, record.key, record.value) for record in records]
        consumer.close()
        return found

    def close(self) -> None:
        """End everything."""
        self._end.set()
        for worker in self._workers:
            worker.process.kill()
            worker.process.wait()
        self._stream.join()
        self._asking.close()
