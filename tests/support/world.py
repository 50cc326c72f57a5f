"""One installation as a user has it: settings, the ``rehuman`` command, and workers as processes."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from streams.errors import OperationError
from streams.kafka import admin, urls
from streams.kafka.closing import close
from streams.kafka.producer import Producer
from streams.policies import seed
from streams.replay import publish
from streams.settings import Settings, load
from streams.sources.api import SourceEvent
from streams.ticks import TickAt
from streams.warehouse.migrate import migrate
from streams.warehouse.query import run_sql
from tests.support.asking import Asking
from tests.support.output import excerpt

__all__ = ["PSEUDONYM_KEY", "REFERENCE_KEY", "World"]

PROGRAM = Path(sys.executable).parent / "rehuman"
PATIENCE_S = 180.0
# The same in every installation of a test run, so that all of them find facts of the same ids.
PSEUDONYM_KEY = "test-pseudonym-key-0123456789"
REFERENCE_KEY = "test-reference-key-0123456789"


class World:
    """A topic prefix, a database and a data directory of its own on brokers and an engine that run."""

    def __init__(self, kafka_url: str, clickhouse_url: str, home: Path, **settings: object) -> None:
        """``settings`` are REHUMAN_* in lower case; the clock is the events' own unless told otherwise."""
        home.mkdir(parents=True, exist_ok=True)
        self.home = home
        given: dict[str, object] = {
            "kafka_url": kafka_url,
            "clickhouse_url": clickhouse_url,
            "pseudonym_key": PSEUDONYM_KEY,
            "reference_key": REFERENCE_KEY,
            "topic_prefix": f"t{secrets.token_hex(4)}",
            "clock": "events",
            "metrics_port": 0,
            "web_port": 0,
            "data_dir": home / "data",
            "log_format": "json",
            **settings,
        }
        self.values = {name: str(value) for name, value in given.items()}
        self.workers: list[subprocess.Popen[bytes]] = []
        self._asking = Asking(self.values["kafka_url"], self.settings.group)

    @property
    def settings(self) -> Settings:
        """What every process of this installation is told."""
        return _loaded(tuple(self.values.items()))

    @property
    def environment(self) -> dict[str, str]:
        """The same as environment variables, with nothing else of ours."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("REHUMAN_")}
        return kept | {f"REHUMAN_{name.upper()}": value for name, value in self.values.items()}

    def rehuman(self, *arguments: object, timeout: float = PATIENCE_S, ok: bool = True) -> str:
        """Run one command; its output. ``ok``: fail the test where it fails."""
        done = subprocess.run(
            [PROGRAM, *map(str, arguments)],
            env=self.environment,
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        assert not ok or done.returncode == 0, (
            f"rehuman {arguments[0]}: {done.returncode} {excerpt(done.stderr)}"
        )
        return done.stdout

    def prepare(self) -> World:
        """What ``rehuman topics create`` and ``rehuman migrate`` do."""
        settings = self.settings
        self.until(lambda: _created(settings), "the topics")
        seed(settings)
        migrate(settings.clickhouse_url)
        return self

    def sql(self, query: str) -> list[dict[str, Any]]:
        """Rows of ``rehuman sql --json``."""
        answer: list[dict[str, Any]] = json.loads(self.rehuman("sql", query, "--json"))
        return answer

    def value(self, query: str) -> Any:
        """The one value of a query, asked in this process: it is what tests ask again and again."""
        ((value,),) = run_sql(self.settings.clickhouse_url, query)[1]
        return value

    def send(self, items: Sequence[SourceEvent | TickAt], speed: float | None = None) -> None:
        """What ``rehuman replay`` sends of these, and as fast."""
        with Producer(self.values["kafka_url"]) as producer:
            publish(producer, self.settings.topics.events, items, total=len(items), speed=speed)

    # -- workers -------------------------------------------------------------------------------------------

    def start_worker(
        self, lanes: str = "events,facts,desk", *, tree: Path | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a worker, of another tree of this project if told; it ends with this world at the latest."""
        log = (self.home / "worker.log").open("ab")
        command: list[str | Path] = [PROGRAM]
        environment = self.environment
        if tree is not None:
            command = [sys.executable, "-c", "from streams.cli import main; main()"]
            environment["PYTHONPATH"] = str(tree)
        worker = subprocess.Popen(
            [*command, "worker", "--lanes", lanes], env=environment, cwd=self.home, stdout=log, stderr=log
        )
        log.close()
        self.workers.append(worker)
        return worker

    def log(self) -> str:
        """What the workers have logged."""
        path = self.home / "worker.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        """``kill -9``."""
        worker.kill()
        worker.wait()
        self.workers.remove(worker)

    def stop(self, worker: subprocess.Popen[bytes]) -> int:
        """SIGTERM; the exit code."""
        worker.send_signal(signal.SIGTERM)
        code = worker.wait(60)
        self.workers.remove(worker)
        return code

    def until(self, condition: Callable[[], bool], what: str, patience: float = PATIENCE_S) -> None:
        """Wait for a condition; fail when a worker dies or patience ends."""
        deadline = time.monotonic() + patience
        while not condition():
            for worker in self.workers:
                assert worker.poll() is None, f"the worker died: {excerpt(self.log())}"
            assert time.monotonic() < deadline, f"waited {patience:g} s for {what}: {excerpt(self.log())}"
            time.sleep(0.25)

    def records(self, topic: str) -> list[Any]:
        """Every record of a topic, partition by partition, as kafka-python gives them."""
        consumer = KafkaConsumer(
            **urls.parse(self.values["kafka_url"]).client(),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        try:
            places = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
            consumer.assign(places)
            ends = consumer.end_offsets(places)
            consumer.seek_to_beginning(*places)
            found: list[Any] = []
            while any(consumer.position(place) < end for place, end in ends.items()):
                for batch in consumer.poll(timeout_ms=500).values():
                    found.extend(batch)
            return sorted(found, key=lambda record: (record.partition, record.offset))
        finally:
            close(consumer)

    def values_of(self, topic: str) -> list[bytes]:
        """Every value of a topic."""
        return [record.value for record in self.records(topic) if record.value is not None]

    def behind(self, *topics: str) -> int:
        """Records that the workers' group has not committed yet."""
        return sum(lag.behind for lag in self._asking.lags(*topics))

    def committed(self, topic: str) -> int:
        """Records of a topic that the group has committed."""
        return sum((lag.committed or lag.start) - lag.start for lag in self._asking.lags(topic))

    def settle(self, patience: float = PATIENCE_S) -> None:
        """Wait until everything sent has been scored, raised and stored."""
        names = self.settings.topics
        for topics in ((names.events,), (names.desk,), (names.facts,)):
            self.until(lambda topics=topics: self.behind(*topics) == 0, f"{topics[0]} to be read", patience)

    def close(self) -> None:
        """End every process."""
        for worker in list(self.workers):
            self.kill(worker)
        self._asking.close()


def _created(settings: Settings) -> bool:
    """A command gives up within ten seconds; a broker that starts beside others may take longer."""
    try:
        admin.create(settings)
    except OperationError as error:
        if "Timeout" not in str(error):
            raise
        return False
    return True


@cache
def _loaded(values: tuple[tuple[str, str], ...]) -> Settings:
    """Tests ask all the time, and checking takes milliseconds."""
    return load(None, **dict(values))
