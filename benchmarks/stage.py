"""What the benchmarks run on: a real Apache Kafka, a current ClickHouse engine, workers as processes.

The parts are those of the tests (``tests/support``). One installation is used for a whole run: its topic of
events is filled once, and between two measurements everything that a worker leaves behind is made new.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

from kafka import KafkaAdminClient, OffsetSpec, TopicPartition
from kafka.errors import CoordinatorNotAvailableError, GroupIdNotFoundError, UnknownTopicOrPartitionError

from benchmarks.workload import partitioned, records
from detectors.tables import TABLES
from streams.clock import monotonic
from streams.kafka import admin, urls
from streams.lanes.api import Output
from streams.lanes.producer import BatchProducer
from streams.topics import TopicNames
from streams.warehouse.migrate import migrate
from tests.support.engine import EngineUnderTest
from tests.support.world import World

__all__ = ["ROOT", "Stage", "batch_producer", "ended", "scrape"]

ROOT = Path(__file__).resolve().parents[1]
STEP = 10_000
PATIENCE_S = 120.0
# Handed to the producer and not acknowledged: enough to keep the broker busy.
IN_FLIGHT_BYTES = 32 * 1024 * 1024


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """Kill the process at the end of the block."""
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def batch_producer(kafka_url: str) -> BatchProducer:
    """The lanes' own producer: it fills a topic as fast as records can be made."""
    servers = {"bootstrap_servers": urls.parse(kafka_url).client()["bootstrap_servers"]}
    return BatchProducer(servers, unacknowledged_bytes=IN_FLIGHT_BYTES)


class Stage:
    """An installation on a broker and an engine that run. Use as a context manager."""

    def __init__(self, kafka_url: str, engine: EngineUnderTest, home: Path, *, partitions: int = 8) -> None:
        self.kafka_url, self.engine = kafka_url, engine
        self.partitions = partitions
        self._home = home
        self._started = 0
        url = engine.database(migrated=False)
        self.world = World(kafka_url, url, home / "world", partitions=partitions)
        self._client: KafkaAdminClient

    def __enter__(self) -> Stage:
        self._connected = admin.connect(self.kafka_url)
        self._client = self._connected.__enter__()
        admin.create(self.world.settings)
        migrate(self.world.values["clickhouse_url"])
        return self

    def __exit__(self, *_: object) -> None:
        self.world.close()
        self._connected.__exit__(None, None, None)

    @property
    def topics(self) -> TopicNames:
        """The names of the installation's topics."""
        return self.world.settings.topics

    @property
    def bootstrap(self) -> str:
        """``host:port`` of the broker."""
        return self.kafka_url.removeprefix("kafka://")

    # -- filling and emptying ------------------------------------------------------------------------------

    def fill(self, events: int, *, scattered: bool = False) -> None:
        """Put the workload into the topic of events."""
        topic = self.topics.events
        raws = partitioned(records(events, scattered=scattered), self.partitions)
        self.send(Output(topic, partition, raw.key, raw.value) for partition, raw in raws)

    def send(self, outputs: Iterable[Output]) -> None:
        """Send records and wait until the broker has them."""

        async def run() -> None:
            producer = batch_producer(self.kafka_url)
            await producer.start()
            pending: set[asyncio.Future[None]] = set()
            rest = iter(outputs)
            while some := list(islice(rest, STEP)):
                pending = {future for future in pending if not future.done()} | await producer.send(some)
            if pending:
                await asyncio.wait(pending)
            for future in pending:
                future.result()
            await producer.stop()

        asyncio.run(run())

    def reset(self, *, keep_facts: bool = False) -> None:
        """Make new what workers have left: everything but the events (and, if told, the facts)."""
        world, client = self.world, self._client
        planned = [topic for topic in admin.plan(world.settings) if topic.name != self.topics.events]
        if keep_facts:
            planned = [topic for topic in planned if topic.name != self.topics.facts]
        names = [topic.name for topic in planned]
        # A broker that never had a group says that nobody coordinates any.
        with suppress(GroupIdNotFoundError, CoordinatorNotAvailableError):
            client.delete_groups([world.settings.group])
        client.delete_topics(names, raise_errors=False)
        deadline = monotonic() + PATIENCE_S
        while any(topic["partitions"] for topic in client.describe_topics(names)):
            assert monotonic() < deadline, "topics were not deleted"
            time.sleep(0.1)
        admin.create(world.settings)
        for table in TABLES:
            self.engine.ask(f"TRUNCATE TABLE IF EXISTS {self.database}.{table}")

    @property
    def database(self) -> str:
        """The installation's database."""
        return self.world.values["clickhouse_url"].rpartition("database=")[2]

    def another(self, name: str) -> World:
        """An installation beside this one, with topics of its own and no tables."""
        url = self.world.values["clickhouse_url"]
        world = World(self.kafka_url, url, self._home / name, partitions=self.partitions)
        admin.create(world.settings)
        return world

    def topic(self, name: str) -> None:
        """One more topic, as many partitions as the others have."""
        self._client.create_topics(
            {name: {"num_partitions": self.partitions, "replication_factor": 1}}, wait_for_metadata=True
        )

    # -- looking -------------------------------------------------------------------------------------------

    def ends(self, topic: str) -> dict[int, int]:
        """Where each partition of a topic ends; nothing where there is no topic."""
        places = {TopicPartition(topic, number): OffsetSpec.LATEST for number in range(self.partitions)}
        try:
            found = self._client.list_partition_offsets(places)
        except UnknownTopicOrPartitionError:
            return {}
        return {place.partition: info.offset for place, info in found.items()}

    def committed(self, topic: str) -> dict[int, int]:
        """What the worker's group has committed, by partition."""
        places = [TopicPartition(topic, number) for number in range(self.partitions)]
        try:
            found = self._client.list_group_offsets({self.world.settings.group: places})
        except CoordinatorNotAvailableError:
            return dict.fromkeys(range(self.partitions), 0)  # the first group of a broker's life
        offsets = found[self.world.settings.group]
        return {place.partition: max(0, info.offset) for place, info in offsets.items()}

    # -- processes -----------------------------------------------------------------------------------------

    def worker(self, lanes: str) -> subprocess.Popen[bytes]:
        """``rehuman worker``; ended with the stage at the latest."""
        self._started += 1
        return self.world.start_worker(lanes)

    def python(self, module: str, *arguments: object) -> subprocess.Popen[bytes]:
        """A module of the benchmarks as a process of its own, its output in the home."""
        log = self._home / f"{module}.log"
        with log.open("ab") as out:
            command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
            environment = self.world.environment
            return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)

    def answer(self, module: str, *arguments: object) -> dict[str, float]:
        """What a module of the benchmarks prints: one JSON object."""
        command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{module} failed:\n{done.stderr[-3000:]}")
        found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return found

    def metrics_urls(self) -> list[str]:
        """Where the workers that run serve their metrics, once all do."""
        self.world.until(lambda: len(self._urls()) >= self._started, "the workers' metrics")
        return self._urls()[-len(self.world.workers) :]

    def _urls(self) -> list[str]:
        return re.findall(r"http://[\d.]+:\d+/metrics", self.world.log())


def scrape(url: str) -> Mapping[str, float]:
    """Samples of a worker's metrics, by name and labels as they are written."""
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - an address of our own worker
        lines = answer.read().decode().splitlines()
    pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in pairs}
