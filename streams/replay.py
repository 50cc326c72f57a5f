"""Replay: a file's events, and the ticks of their own time, published to Kafka in their order.

Records of one partition arrive in the order they are sent, and a tick goes to every partition between the
events around it, so that every partition's log tells the same story in the same order, however fast it is
told.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from streams import policies
from streams.clock import monotonic, wall_ms
from streams.errors import SettingError
from streams.settings import Settings
from streams.sources.api import Source, SourceCounts, SourceEvent
from streams.sources.files import read_merged
from streams.ticks import EVERY_MS, TickAt, tick_record, under

__all__ = ["Publisher", "ReplaySummary", "publish", "run"]

# Told what has been sent so far, and of how many events: the command line shows it.
Progress = Callable[[int, int], None]
# Often enough to look alive, seldom enough to cost nothing.
PROGRESS_EVERY = 1_000
# Waiting less than this is not worth a system call; events of one pace step leave together.
LEAST_SLEEP_S = 0.005


class Publisher(Protocol):
    """What a replay needs of :class:`streams.kafka.producer.Producer`."""

    def partitions(self, topic: str) -> int:
        """How many partitions the topic has."""
        ...

    def send(
        self, topic: str, key: bytes | None, value: bytes | None, *, partition: int | None = None
    ) -> None:
        """Send one record, in order within its partition."""
        ...

    def flush(self) -> None:
        """Return when everything sent is acknowledged."""
        ...


@dataclass
class ReplaySummary:
    """What was read and sent. A tick counts once, though every partition gets it."""

    counts: SourceCounts
    events: int
    ticks: int
    seconds: float


def run(
    settings: Settings,
    source: Source,
    paths: Sequence[Path],
    *,
    speed: float | None = None,
    progress: Progress | None = None,
    every_ms: int = EVERY_MS,
) -> ReplaySummary:
    """Publish all events of ``paths`` to this installation's events topic; returns when all are acknowledged.

    ``speed`` 60 lets an hour of event time pass in a minute; None sends as fast as the brokers take it.
    Raises :class:`SettingError` for a wrong file, speed or policy, :class:`OperationError` when a file cannot
    be read or a broker does not answer.
    """
    # Only a replay needs the client; naming its summary should not take the time to load it.
    from streams.kafka.producer import Producer

    if speed is not None and not 0 < speed < float("inf"):
        raise SettingError("--speed", repr(speed), "a number above 0, or max")
    policy = policies.configured(settings)
    counts = SourceCounts()
    began = monotonic()
    # Connected first: no file should be read for minutes before it is said that nobody takes its events.
    with Producer(settings.kafka_url) as producer:
        producer.partitions(settings.topics.events)
        events = list(read_merged(source, paths, counts))
        timed = under(policy, events, now_ms=wall_ms(), every_ms=every_ms, fill_gaps=speed is not None)
        sent, ticks = publish(
            producer, settings.topics.events, timed, total=len(events), speed=speed, progress=progress
        )
    return ReplaySummary(counts, sent, ticks, monotonic() - began)


def publish(
    producer: Publisher,
    topic: str,
    items: Iterable[SourceEvent | TickAt],
    *,
    total: int,
    speed: float | None = None,
    progress: Progress | None = None,
    now: Callable[[], float] = monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[int, int]:
    """Send ``items`` in their order and wait for the acknowledgements; returns how many events and ticks."""
    partitions = producer.partitions(topic)
    pace = _Pace(speed, now, sleep)
    events = ticks = 0
    for item in items:
        if isinstance(item, TickAt):
            if not item.final:
                pace.wait(item.time)
            record = tick_record(item.time)
            for partition in range(partitions):
                producer.send(topic, None, record, partition=partition)
            ticks += 1
            continue
        pace.wait(item.time)
        producer.send(topic, item.key, item.value)
        events += 1
        if progress and events % PROGRESS_EVERY == 0:
            progress(events, total)
    producer.flush()
    if progress:
        progress(events, total)
    return events, ticks


class _Pace:
    """Event time scaled to the wall: waits until ``time`` is due, from the first time it is given."""

    def __init__(self, speed: float | None, now: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._speed = speed
        self._now = now
        self._sleep = sleep
        self._zero: tuple[int, float] | None = None

    def wait(self, time_ms: int) -> None:
        if self._speed is None:
            return
        if self._zero is None:
            self._zero = (time_ms, self._now())
        due = self._zero[1] + (time_ms - self._zero[0]) / 1000 / self._speed
        if (left := due - self._now()) > LEAST_SLEEP_S:
            self._sleep(left)
