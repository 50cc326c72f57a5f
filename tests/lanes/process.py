"""A worker as a process of its own, and what the topics say about it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition

from streams.kafka.closing import close
from tests.support.kafka import create_topics
from tests.support.output import excerpt

ROOT = Path(__file__).resolve().parents[2]
_started: list[subprocess.Popen[bytes]] = []


class Worker:
    """One run of a worker module, by itself or by Faust's command; its log is a file."""

    def __init__(
        self, module: str, directory: Path, environment: dict[str, str], *, by_faust: bool = False
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.log = directory / "log"
        command = ["-m", "faust", "-A", module, "worker", "-l", "warn"] if by_faust else ["-m", module]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env=os.environ | environment | {"LANES_DATA": str(directory)},
                stdout=log,
                stderr=log,
            )
        _started.append(self.process)

    def end(self, how: signal.Signals, within_s: float = 20.0) -> int:
        self.process.send_signal(how)
        return self.wait(within_s)

    def wait(self, within_s: float) -> int:
        try:
            return self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"still alive after {within_s} s:\n{excerpt(self.text())}") from None

    def text(self) -> str:
        return self.log.read_text(errors="replace")


def end_all() -> None:
    """Kill whoever is left of all that was started."""
    while _started:
        process = _started.pop()
        process.kill()
        process.wait()


def until(done: Callable[[], bool], within_s: float, what: str) -> None:
    """Wait for something; fail with its name."""
    deadline = time.monotonic() + within_s
    while not done():
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
        # Asking costs what is waited for some of its time.
        time.sleep(0.2)


def fresh_topics(
    bootstrap: str, topics: Mapping[str, int], *, configs: Mapping[str, Mapping[str, str]] | None = None
) -> None:
    """These topics, empty, and a group without offsets: their names are the same in every test."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    there = set(admin.list_topics())
    if old := [topic for topic in topics if topic in there]:
        admin.delete_topics(old)
        until(lambda: not set(old) & set(admin.list_topics()), 60, "topics deleted")
    if any(group.get("group_id") == "counting" for group in admin.list_groups()):
        # Its last member may have been killed.
        until(lambda: _deleted(admin), 60, "group deleted")
    close(admin)
    create_topics(bootstrap, topics, configs=configs)


def members(bootstrap: str) -> int:
    """How many workers are in the group."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        return len(admin.describe_groups(["counting"])["counting"]["members"])
    finally:
        close(admin)


def _deleted(admin: KafkaAdminClient) -> bool:
    try:
        admin.delete_groups(["counting"])
    except Exception:  # still has a member
        return False
    return True


class Topics:
    """Reads whole topics."""

    def __init__(self, bootstrap: str) -> None:
        self._consumer = KafkaConsumer(
            bootstrap_servers=bootstrap, group_id=None, auto_offset_reset="earliest", enable_auto_commit=False
        )

    def ends(self, topic: str, partitions: int) -> dict[int, int]:
        places = [TopicPartition(topic, number) for number in range(partitions)]
        return {place.partition: end for place, end in self._consumer.end_offsets(places).items()}

    def size(self, topic: str, partitions: int) -> int:
        return sum(self.ends(topic, partitions).values())

    def read(self, topic: str, partitions: int) -> Iterator[tuple[int, int, bytes, bytes]]:
        """Partition, offset, key, value; each partition in order."""
        places = [TopicPartition(topic, number) for number in range(partitions)]
        ends = self._consumer.end_offsets(places)
        self._consumer.assign(places)
        self._consumer.seek_to_beginning(*places)
        while any(self._consumer.position(place) < end for place, end in ends.items()):
            for place, records in self._consumer.poll(timeout_ms=500).items():
                for record in records:
                    if record.offset < ends[place]:
                        yield record.partition, record.offset, record.key, record.value

    def close(self) -> None:
        close(self._consumer)
