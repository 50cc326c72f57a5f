"""What can be wrong with a database, and traffic whose alerts are timed while it is."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from detectors.tables import TABLES
from streams.clock import monotonic, wall_ms
from streams.kafka import urls
from streams.kafka.producer import Producer
from streams.sources.api import cloud_event
from tests.support.engine import EngineUnderTest
from tests.support.world import World

__all__ = ["HOW", "Alerts", "Traffic"]

CUSTOMERS = 20_000
# Each asks for a human once, and so calls for an alert by itself.
ALERTS_PER_S = 10
KINDS = ("page_view", "button_click", "form_change", "form_error", "step.entered", "step.completed")
STEPS = ("basket", "address", "delivery", "pay")


# -- what can be wrong with a database ---------------------------------------------------------------------


@contextmanager
def _killed(engine: EngineUnderTest) -> Iterator[None]:
    engine.kill()
    yield
    engine.start()


@contextmanager
def _frozen(engine: EngineUnderTest) -> Iterator[None]:
    pid = engine.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def _full(engine: EngineUnderTest) -> Iterator[None]:
    """Somebody else's file takes what is left of the engine's file system, and all that comes free."""
    over = threading.Event()
    own = engine.directory.stat().st_dev != Path(tempfile.gettempdir()).stat().st_dev
    assert own, f"{engine.directory} is to be on a small file system of its own"

    def fill() -> None:
        with (engine.directory.parent / "filler").open("ab", buffering=0) as filler:
            size = 1 << 20
            while not over.is_set():
                try:
                    filler.write(bytes(size))
                except OSError:
                    size = max(1, size // 2)
                    if size == 1:
                        over.wait(0.05)
                        size = 1 << 16

    thread = threading.Thread(target=fill, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        (engine.directory.parent / "filler").unlink()


@contextmanager
def _no_growth(engine: EngineUnderTest) -> Iterator[None]:
    """No file of the engine may grow any more: nearly what a full disk does, for this process alone."""
    pid, endless = engine.pid, resource.RLIM_INFINITY
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, endless))
    yield
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (endless, endless))


@contextmanager
def _read_only(engine: EngineUnderTest) -> Iterator[None]:
    for table in TABLES:
        engine.ask(f"ALTER TABLE rehuman.`{table}` MODIFY SETTING table_readonly = 1")
    yield
    for table in TABLES:
        engine.ask(f"ALTER TABLE rehuman.`{table}` RESET SETTING table_readonly")


HOW = {
    "killed": _killed,
    "frozen": _frozen,
    "disk-full": _full,
    "no-growth": _no_growth,
    "read-only": _read_only,
}


# -- traffic and alerts ------------------------------------------------------------------------------------


class Traffic(threading.Thread):
    """Sends events at a rate; remembers when those left that call for an alert."""

    def __init__(self, world: World, rate: float) -> None:
        super().__init__(daemon=True)
        self._world, self._rate = world, rate
        self._over = threading.Event()
        self.count = 0
        self.asked: dict[str, int] = {}
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            self._send()
        except BaseException as failure:
            self.failure = failure

    def _send(self) -> None:
        rng, topic = random.Random(4), self._world.settings.topics.events
        began, asked = monotonic(), 0
        with Producer(self._world.settings.kafka_url) as producer:
            while not self._over.is_set():
                spent = monotonic() - began
                while self.count < spent * self._rate:
                    now, number = wall_ms(), self.count
                    if asked < spent * ALERTS_PER_S:
                        asked += 1
                        subject, kind = f"asks-{number}", "human.requested"
                        data: dict[str, Any] = {"journey": "order", "prefers": "human", "problem": True}
                        self.asked[f"e{number}"] = now
                    else:
                        subject, kind = f"c-{rng.randrange(CUSTOMERS)}", rng.choice(KINDS)
                        data = {"channel": "web", "journey": "order", "step": rng.choice(STEPS)}
                    event = cloud_event(kind, now, "web/shop", f"e{number}", subject, data)
                    producer.send(topic, event.key, event.value)
                    self.count += 1
                time.sleep(0.01)

    def stop(self) -> None:
        self._over.set()
        self.join(60)
        if self.failure is not None:
            raise self.failure


class Alerts(threading.Thread):
    """When each event's alert was on the broker, by the broker's own time stamp."""

    def __init__(self, world: World) -> None:
        super().__init__(daemon=True)
        self._world = world
        self._over = threading.Event()
        self.at: dict[str, int] = {}

    def run(self) -> None:
        consumer = KafkaConsumer(
            **urls.parse(self._world.settings.kafka_url).client(),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        topic = self._world.settings.topics.alerts
        consumer.assign([TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)])
        while not self._over.is_set():
            for records in consumer.poll(timeout_ms=200).values():
                for record in records:
                    said = json.loads(record.value)
                    if said["type"] == "alert.raised":
                        trigger = said["data"].get("trigger_event", {}).get("id", "")
                        self.at.setdefault(trigger, record.timestamp)
        consumer.close()

    def stop(self) -> None:
        self._over.set()
        self.join(30)
