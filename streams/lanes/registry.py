"""The registry: which topics have lanes, and the lives of the lanes of this process.

Everything here runs in the app's own loop. After an assignment each partition of a lane topic gets a lane,
as a task; before the group takes the partitions away, and before the process ends, :meth:`Lanes.release`
stops the feed and lets every lane finish:

* a lane that is still restoring has nothing to save and is cancelled;
* when the lease is not held, nobody may write, so all are cancelled and the next owner starts from what is
  durable;
* a sink lane that is not done within ``sink_stop_s`` is cancelled without a commit;
* a fold lane that is not done within ``stop_s`` ends the process: its partition must not go on without it.

Whatever a lane raises ends the process with code 1 and one line in the log.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth, server_list

from streams.errors import OperationError
from streams.lanes import codecs, slices
from streams.lanes.api import Fold, Output, Sink
from streams.lanes.chunk import Place
from streams.lanes.failure import end_process
from streams.lanes.hooks import LaneConsumer, LaneTransport
from streams.lanes.lane import FoldLane, Lane, SinkLane
from streams.lanes.lease import Lease
from streams.lanes.observer import LaneObserver
from streams.lanes.options import LaneOptions
from streams.lanes.producer import BatchProducer
from streams.lanes.wire import KafkaWire

__all__ = ["Lanes"]

log = logging.getLogger("streams.lanes")

# A cancelled sink may have to clean up; it is not waited for longer than this.
CANCEL_S = 1.0


@dataclass(frozen=True)
class _Definition:
    """How a topic's lanes are made: from a place, the topic's number of partitions, and the wire."""

    build: Callable[[Place, int, KafkaWire], Lane]
    changelog: str | None = None
    outputs: Sequence[str] = ()


class Lanes:
    """Add to a Faust app, before it starts: ``lanes = Lanes(app)``, then :meth:`fold` and :meth:`sink`."""

    def __init__(
        self,
        app: Any,
        options: LaneOptions | None = None,
        observer: LaneObserver | None = None,
        failed: Callable[[str, BaseException], None] = end_process,
    ) -> None:
        """``failed`` gets what could not go on, and why; it does not return in production."""
        self.options = options or LaneOptions()
        self.lease = Lease(app.conf.broker_session_timeout * self.options.lease_share)
        self._app, self._observer, self._failed = app, observer or LaneObserver(), failed
        self._definitions: dict[str, _Definition] = {}
        self._lanes: dict[Lane, asyncio.Task[None]] = {}
        self._wire: KafkaWire | None = None
        codecs.install()
        slices.install()
        self._producer = BatchProducer(self._client(), unacknowledged_bytes=self.options.unacknowledged_bytes)
        self._releasing = asyncio.Lock()
        app.transport = LaneTransport(app.conf.broker_consumer, app, self)

    def fold(
        self,
        *,
        topic: str,
        make: Callable[[int, int], Fold],
        changelog: str | None = None,
        headers: bool = False,
        outputs: Sequence[str] = (),
        dense: Sequence[str] = (),
    ) -> None:
        """Give a topic lanes with state. ``make(partition, partitions)`` is called at each assignment.

        ``changelog`` has as many partitions as the topic; None for a fold whose state may be lost.
        ``outputs`` names the topics that it sends to, so that a missing one is found at the start;
        ``dense`` those of them that nobody but lanes reads, which travel smaller.
        """

        def build(place: Place, partitions: int, wire: KafkaWire) -> Lane:
            return FoldLane(
                place,
                wire,
                self.options,
                self._observer,
                headers=headers,
                fold=make(place.partition, partitions),
                changelog=changelog,
            )

        self._add(topic, _Definition(build, changelog, outputs))
        self._producer.dense([*dense, changelog] if changelog else dense)

    def sink(self, *, topic: str, make: Callable[[int], Sink], headers: bool = False) -> None:
        """Give a topic lanes without state. ``make(partition)`` is called at each assignment."""

        def build(place: Place, _: int, wire: KafkaWire) -> Lane:
            sink = make(place.partition)
            return SinkLane(place, wire, self.options, self._observer, headers=headers, sink=sink)

        self._add(topic, _Definition(build))

    def _add(self, topic: str, definition: _Definition) -> None:
        if topic in self._definitions:
            raise ValueError(f"topic {topic} has a lane already")
        self._definitions[topic] = definition
        self._app.topics.add(self._app.topic(topic))

    def owns(self, topic: str) -> bool:
        """Whether a topic has a lane."""
        return topic in self._definitions

    def open(self, topic: str) -> list[int]:
        """The partitions of a topic whose lanes are restored and reading."""
        return sorted(
            lane.place.partition for lane in self._lanes if lane.opened and lane.place.topic == topic
        )

    def ready(self) -> bool:
        """Whether this process has partitions, and the lanes of all of them are restored and reading."""
        return bool(self._lanes) and all(lane.opened for lane in self._lanes)

    async def behind(self) -> dict[Place, int]:
        """Records beyond what each open lane has taken, also of one that waits; one request a broker.

        Not for every chunk: those say themselves how far it was to the end. Raises aiokafka's KafkaError.
        """
        lanes = [lane for lane in self._lanes if lane.opened]
        if self._wire is None or not lanes:
            return {}
        ends = await self._wire.ends([lane.place for lane in lanes])
        return {lane.place: max(0, ends[lane.place] - lane.position) for lane in lanes}

    async def send(self, outputs: Iterable[Output]) -> None:
        """Send what no lane's checkpoint waits for (ticks); a failure is the next sender's to find."""
        await self._producer.send(outputs)

    async def deliver(self, outputs: Iterable[Output]) -> None:
        """Send, and return when everything is acknowledged: for what a sink puts aside."""
        await self.lease.hold()
        for acknowledged in await self._producer.send(outputs):
            await asyncio.shield(acknowledged)

    def _client(self) -> dict[str, Any]:
        conf = self._app.conf
        return {
            "bootstrap_servers": server_list(conf.broker_consumer, 9092),
            **credentials_to_aiokafka_auth(conf.broker_credentials, conf.ssl_context),
        }

    async def start(self) -> None:
        """Connect the producer; end the process when a topic is missing."""
        try:
            await self._producer.start()
            if not self._producer.idempotent:
                log.warning("the brokers give no producer ids: no former owner can be fenced out")
            for topic, definition in self._definitions.items():
                count = await self._producer.partitions(topic)
                for output in definition.outputs:
                    await self._producer.partitions(output)
                if changelog := definition.changelog:
                    there = await self._producer.partitions(changelog)
                    if there != count:
                        raise OperationError(f"topic {changelog} has {there} partitions, {topic} has {count}")
        except Exception as error:
            self._failed("lanes cannot start", error)

    async def assigned(self, consumer: LaneConsumer, partitions: Iterable[Any]) -> None:
        """Start a lane for each partition of a lane topic."""
        try:
            await self._assigned(consumer, partitions)
        except Exception as error:
            # aiokafka would log it and go on without lanes.
            self._failed("lanes cannot start", error)

    async def _assigned(self, consumer: LaneConsumer, partitions: Iterable[Any]) -> None:
        thread = consumer._thread
        wire = self._wire = KafkaWire(
            self._client(),
            thread._ensure_consumer(),
            thread.thread_loop,
            self._producer,
            self.lease,
            self.options,
            partial(self._failed, "the feed stopped"),
        )
        places = sorted(Place(*place) for place in partitions if self.owns(place.topic))
        logs = {place: self._definitions[place.topic].changelog for place in places}
        wire.read([Place(log, place.partition) for place, log in logs.items() if log])
        for place in places:
            count = await self._producer.partitions(place.topic)
            lane = self._definitions[place.topic].build(place, count, wire)
            task = asyncio.get_running_loop().create_task(lane.run(), name=f"lane {place}")
            task.add_done_callback(partial(self._ended, lane))
            self._lanes[lane] = task

    def _ended(self, lane: Lane, task: asyncio.Task[None]) -> None:
        self._lanes.pop(lane, None)
        self._observer.ended(*lane.place)
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is not None and not lane.abandoned:
            self._failed(f"lane {lane.place} stopped after offset {lane.position}", error)

    async def release(self) -> None:
        """Checkpoint and end every lane; see above."""
        try:
            async with self._releasing:
                wire, self._wire = self._wire, None
                if wire is not None:
                    await self._release(wire)
        except Exception as error:
            self._failed("lanes cannot end", error)

    async def _release(self, wire: KafkaWire) -> None:
        await wire.close()
        for lane, task in list(self._lanes.items()):
            if self.lease.held() and lane.opened:
                lane.stop()
            else:
                lane.abandon()
                task.cancel()
        late = await self._wait(self._lanes)
        for lane, task in late.items():
            if isinstance(lane, FoldLane):
                error = OperationError(f"no checkpoint within {lane.stop_s:g} s of losing the partition")
                self._failed(f"lane {lane.place} stopped after offset {lane.position}", error)
            lane.abandon()
            task.cancel()
        if late:
            await asyncio.wait(late.values(), timeout=CANCEL_S)

    @staticmethod
    async def _wait(lanes: dict[Lane, asyncio.Task[None]]) -> dict[Lane, asyncio.Task[None]]:
        """Wait for each as long as its kind may take; what is left."""
        waits = [asyncio.wait([task], timeout=lane.stop_s) for lane, task in lanes.items()]
        left = dict(lanes)
        await asyncio.gather(*waits)
        return {lane: task for lane, task in left.items() if not task.done()}

    async def stop(self) -> None:
        """Close the producer."""
        await self._producer.stop()
