"""From an event's send to its alert on the broker, at a steady load, both ends seen by one clock.

One process sends the workload at a rate and reads ``<prefix>.alerts``. What is measured is every
``alert.raised`` that an event called for by itself (``opened_at`` is that event's time); alerts that a timer
raised are about something that did not happen at any moment of ours. The alert counts from when it has been
read, so its way back to us is in the figure. The first ``warm_s`` seconds do not count.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks.stage import Stage, batch_producer
from benchmarks.workload import Raw
from streams.clock import monotonic
from streams.lanes.api import Output
from streams.sources.api import rfc3339
from tests.support.world import World

__all__ = ["Latencies", "run"]

# One send a hundredth of a second: a burst of a hundredth of the rate.
BEAT_S = 0.01
# The last alerts are on the broker, and on their way to us.
AFTER_S = 0.5


class _Trigger(msgspec.Struct):
    source: str
    id: str


class _Brief(msgspec.Struct):
    opened_at: int = 0
    trigger_event: _Trigger | None = None


class _Alert(msgspec.Struct):
    type: str
    data: _Brief


class _Event(msgspec.Struct):
    id: str
    time: str


class Latencies(NamedTuple):
    """Seconds of each alert, in order of size; what rate the sender kept; alerts that were not seen back."""

    seconds: list[float]
    eps: float
    other: int

    def share(self, quantile: float) -> float:
        """The latency that a share of the alerts does not exceed."""
        return self.seconds[min(len(self.seconds) - 1, int(quantile * len(self.seconds)))]


class _Probe:
    def __init__(self) -> None:
        self.sent: dict[str, tuple[float, str]] = {}
        self.found: list[tuple[float, float]] = []
        self.other = 0

    async def watch(self, stage: Stage, topic: str, reading: asyncio.Event) -> None:
        consumer = AIOKafkaConsumer(bootstrap_servers=stage.bootstrap, group_id=None, fetch_max_wait_ms=100)
        await consumer.start()
        try:
            places = [TopicPartition(topic, number) for number in range(stage.partitions)]
            consumer.assign(places)
            await consumer.seek_to_end(*places)
            reading.set()
            decode = msgspec.json.Decoder(_Alert).decode
            while True:
                for records in (await consumer.getmany(timeout_ms=1000)).values():
                    now = monotonic()
                    for record in records:
                        self._note(decode(record.value), now)
        finally:
            await consumer.stop()

    def _note(self, alert: _Alert, now: float) -> None:
        if alert.type != "alert.raised" or alert.data.trigger_event is None:
            return
        at, time = self.sent.get(alert.data.trigger_event.id, (0.0, ""))
        if time == rfc3339(alert.data.opened_at):
            self.found.append((at, now - at))
        else:
            self.other += 1


def _settle(world: World) -> None:
    topics = world.settings.topics
    for topic in (topics.events, topics.desk):
        world.until(lambda topic=topic: world.behind(topic) == 0, f"{topic} to be read")  # type: ignore[misc]


async def run(
    stage: Stage, world: World, raws: Sequence[tuple[int, Raw]], eps: float, warm_s: float
) -> Latencies:
    """Send all of ``raws`` to ``world`` at ``eps`` a second, and time the alerts until none is to come.

    Raises ValueError where there is no alert.
    """
    topics = world.settings.topics
    # The sender holds all records: its collector would stop the clock's hand for a tenth of a second.
    gc.collect()
    gc.disable()
    probe, reading = _Probe(), asyncio.Event()
    watching = asyncio.create_task(probe.watch(stage, topics.alerts, reading))
    producer = batch_producer(stage.kafka_url)
    await producer.start()
    waiting = asyncio.create_task(reading.wait())
    await asyncio.wait([watching, waiting], return_when=asyncio.FIRST_COMPLETED)
    read = msgspec.json.Decoder(_Event).decode
    began, place = monotonic(), 0
    while place < len(raws):
        now = monotonic()
        due = raws[place : max(place, int((now - began) * eps))]
        place += len(due)
        for _, raw in due:
            event = read(raw.value)
            probe.sent[event.id] = (now, event.time)
        await producer.send(Output(topics.events, partition, raw.key, raw.value) for partition, raw in due)
        await asyncio.sleep(max(0.0, now + BEAT_S - monotonic()))
    gc.enable()
    kept = len(raws) / (monotonic() - began)
    await asyncio.to_thread(_settle, world)
    await asyncio.sleep(AFTER_S)
    watching.cancel()
    await asyncio.wait([watching])
    await producer.stop()
    seconds = sorted(took for at, took in probe.found if at >= began + warm_s)
    if not seconds:
        raise ValueError(f"no alert of {len(raws)} records could be timed")
    return Latencies(seconds, kept, probe.other)
