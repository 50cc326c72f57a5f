"""Everything that is touched in Faust and aiokafka, in one place. ``tests/lanes/test_contract.py`` guards it.

Faust keeps the consumer group, the assignor, the rebalance barrier and every ordinary agent. For the
partitions of lane topics these classes make it

* leave them out of its own fetching (``_set_active_tps``, ``resume_partitions``), never seek them
  (``seek_to_committed``) and not complain that their streams are idle (``verify_event_path``);
* let the lanes checkpoint *before* the group may go on (``on_partitions_revoked``) and before the consumer
  ends (``on_stop``), and start them *after* everything of Faust's own (``on_partitions_assigned``);
* tell the lease of every heartbeat that the group accepted (``_do_heartbeat`` of aiokafka's coordinator,
  and an assignment, which is one).

Two things are mended for Faust's own topics, too: ``getmany`` gets a frozen copy of the active partitions,
because aiokafka looks at the set again after waiting and takes an empty one for "all"; and ``close`` does
nothing, because during a rebalance while stopping Faust would close the consumer from another thread's loop,
where the thread itself is about to do it properly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP

from streams.clock import monotonic
from streams.lanes.lease import Lease
from streams.lanes.options import LaneOptions

__all__ = ["LaneConsumer", "LaneConsumerThread", "LaneHost", "LaneTransport"]


class LaneHost(Protocol):
    """What the hooks call; the registry of lanes implements it."""

    options: LaneOptions
    lease: Lease

    def owns(self, topic: str) -> bool:
        """Whether a topic has a lane."""

    async def start(self) -> None:
        """Before the consumer starts."""

    async def assigned(self, consumer: LaneConsumer, partitions: Iterable[Any]) -> None:
        """The group gave us these; Faust has taken its own part."""

    async def release(self) -> None:
        """Checkpoint and end every lane; the group waits for it."""

    async def stop(self) -> None:
        """After the last lane has ended."""


class LaneConsumerThread(AIOKafkaConsumerThread):  # type: ignore[misc] # Faust's types are not read here
    """Faust's consumer thread, which leaves lane partitions alone."""

    @property
    def lanes(self) -> LaneHost:
        """The registry."""
        return self.transport.lanes  # type: ignore[no-any-return] # as above

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        # Faust's driver has it fixed at 1500.
        consumer._fetch_max_wait_ms = self.lanes.options.fetch_wait_ms
        return consumer

    async def on_start(self) -> None:
        """Start the consumer, and listen to its heartbeats."""
        await super().on_start()
        coordinator, lease = self._ensure_consumer()._coordinator, self.lanes.lease
        beat = coordinator._do_heartbeat

        async def beat_and_renew() -> bool:
            sent = monotonic()
            accepted: bool = await beat()
            if accepted:
                lease.renew(sent)
            return accepted

        coordinator._do_heartbeat = beat_and_renew

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """The group has just synchronised: that counts as a heartbeat."""
        self.lanes.lease.renew(monotonic())
        await super().on_partitions_assigned(assigned, generation_id)

    async def getmany(
        self,
        active_partitions: set[TP] | None,
        timeout: float,  # noqa: ASYNC109 -- Faust's own signature
    ) -> Mapping[TP, list[Any]]:
        """Fetch for Faust's own streams, from a set that nobody changes meanwhile."""
        frozen = frozenset(active_partitions or ())
        if not frozen:
            return {}
        fetched: Mapping[TP, list[Any]] = await super().getmany(frozen, timeout)
        return fetched

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek what has no lane."""
        consumer = self._ensure_consumer()
        others = [place for place in consumer.assignment() if not self.lanes.owns(place.topic)]
        if not others:
            return {}  # aiokafka takes no partitions for all of them
        committed: Mapping[TP, int] = await self.call_thread(consumer.seek_to_committed, *others)
        return committed

    def close(self) -> None:
        """Nothing: see above."""


class LaneConsumer(Consumer):  # type: ignore[misc] # Faust's types are not read here
    """Faust's consumer, which gives the lanes their moments."""

    _thread: LaneConsumerThread

    @property
    def lanes(self) -> LaneHost:
        """The registry."""
        return self.transport.lanes  # type: ignore[no-any-return] # as above

    def _new_consumer_thread(self) -> LaneConsumerThread:
        return LaneConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def _not_lanes(self, partitions: Iterable[TP]) -> set[TP]:
        return {place for place in partitions if not self.lanes.owns(place.topic)}

    def _set_active_tps(self, tps: set[TP]) -> set[TP]:
        active: set[TP] = super()._set_active_tps(self._not_lanes(tps))
        return active

    def resume_partitions(self, tps: Iterable[TP]) -> None:
        """Resume what has no lane."""
        super().resume_partitions(self._not_lanes(tps))

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """The lanes first: heartbeats go on while they finish."""
        await self.lanes.release()
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """The lanes last, as tasks: there are no heartbeats before this returns."""
        await super().on_partitions_assigned(assigned, generation_id)
        if not self.app.should_stop:
            await self.lanes.assigned(self, assigned)

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Watch what has no lane."""
        if not self.lanes.owns(tp.topic):
            super().verify_event_path(now, tp)

    async def on_start(self) -> None:
        """Have the lanes' producer ready before the first assignment."""
        await super().on_start()
        await self.lanes.start()

    async def on_stop(self) -> None:
        """The last checkpoint, while the thread still runs."""
        await self.lanes.release()
        await super().on_stop()
        await self.lanes.stop()


class LaneTransport(Transport):  # type: ignore[misc] # Faust's types are not read here
    """aiokafka's transport with our consumer in it."""

    Consumer = LaneConsumer

    def __init__(self, urls: list[Any], app: Any, lanes: LaneHost) -> None:
        super().__init__(urls, app)
        self.lanes = lanes
