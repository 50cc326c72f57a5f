"""The wire: what lanes need of Kafka, over Faust's consumer thread and the lanes' own producer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from streams.lanes.api import Output
from streams.lanes.changelog import Merge
from streams.lanes.chunk import Chunk, Place
from streams.lanes.commits import Commits
from streams.lanes.feed import Feed
from streams.lanes.lease import Lease
from streams.lanes.options import LaneOptions
from streams.lanes.producer import BatchProducer
from streams.lanes.restore import read_changelogs

__all__ = ["KafkaWire"]

T = TypeVar("T")


class KafkaWire:
    """One consumer's; lives in the lanes' loop and reaches into the consumer thread's."""

    def __init__(
        self,
        client: Mapping[str, Any],
        consumer: AIOKafkaConsumer,
        thread_loop: asyncio.AbstractEventLoop,
        producer: BatchProducer,
        lease: Lease,
        options: LaneOptions,
        failed: Callable[[Exception], None],
    ) -> None:
        self._producer, self._lease = producer, lease
        self._client, self._consumer, self._thread_loop = client, consumer, thread_loop
        self._feed = Feed(consumer, asyncio.get_running_loop(), failed, options)
        self._commits = Commits(self._commit)
        self._merges: dict[Place, asyncio.Future[Merge]] = {}
        self._reading: asyncio.Task[None] | None = None

    def _in_thread(self, call: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
        return asyncio.wrap_future(asyncio.run_coroutine_threadsafe(call, self._thread_loop))

    async def committed(self, place: Place) -> int | None:
        """The group's committed offset."""
        offset: int | None = await self._in_thread(self._consumer.committed(TopicPartition(*place)))
        return offset

    async def earliest(self, place: Place) -> int:
        """The first offset that is still in the log."""
        key = TopicPartition(*place)
        offsets: dict[Any, int] = await self._in_thread(self._consumer.beginning_offsets([key]))
        return offsets[key]

    async def ends(self, places: Collection[Place]) -> dict[Place, int]:
        """Where these partitions end now: one request a broker."""
        keys = [TopicPartition(*place) for place in places]
        offsets: dict[Any, int] = await self._in_thread(self._consumer.end_offsets(keys))
        return {Place(*key): offset for key, offset in offsets.items()}

    def read(self, changelogs: Collection[Place]) -> None:
        """Start to fence and to read these changelog partitions for :meth:`restore`."""
        loop = asyncio.get_running_loop()
        self._merges = {place: loop.create_future() for place in changelogs}
        if changelogs:
            self._reading = loop.create_task(self._read(changelogs))

    async def _read(self, changelogs: Collection[Place]) -> None:
        merges = self._merges
        try:
            # Who was frozen since the assignment would shut the new owner out.
            await self._lease.hold()
            ends = await asyncio.gather(*(self._producer.fence(place) for place in changelogs))
            fences = dict(zip(changelogs, ends, strict=True))
            async for place, merge in read_changelogs(self._client, changelogs, fences):
                merges[place].set_result(merge)
        except Exception as error:
            for waiting in merges.values():
                if not waiting.done():
                    waiting.set_exception(error)

    async def restore(self, changelog: Place) -> Merge:
        """Everything in one partition of a changelog."""
        merge = await self._merges[changelog]
        del self._merges[changelog]  # it may be large
        return merge

    async def open(self, place: Place, position: int, headers: bool, offer: Callable[[Chunk], None]) -> None:
        """Let chunks come to ``offer``."""
        await self._in_thread(self._feed.open(place, position, headers, offer))

    def credit(self, place: Place) -> None:
        """The next chunk may come."""
        self._thread_loop.call_soon_threadsafe(self._feed.credit, place)

    async def send(self, outputs: Iterable[Output]) -> set[asyncio.Future[None]]:
        """Send in order."""
        return await self._producer.send(outputs)

    async def hold(self) -> None:
        """Return when the lease is held."""
        await self._lease.hold()

    async def commit(self, place: Place, offset: int) -> None:
        """Commit to the group, together with whoever else is waiting."""
        await self._commits.commit(place, offset)

    async def _commit(self, offsets: Mapping[Place, int]) -> None:
        # Not Faust's own commit: that leaves out, silently, what is not assigned any more.
        marked = {TopicPartition(*place): OffsetAndMetadata(at, "") for place, at in offsets.items()}
        await self._in_thread(self._consumer.commit(marked))

    async def close(self) -> None:
        """No chunk comes after this; a restore under way ends."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])
            self._reading = None
        await self._in_thread(self._feed.close())
