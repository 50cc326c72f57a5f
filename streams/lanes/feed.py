"""The feed: from aiokafka's fetcher to the lanes, in the consumer thread.

Three parts. The **pump** waits for fetched data or for a credit, and goes round what has been fetched (not
round all partitions: there may be hundreds). The **drain** takes what the fetcher has buffered for one of
them, as light records, at most a chunk and only against a credit: what nobody has credit for stays in the
fetcher, which fetches no more of that partition. The **guard** looks, before each drain, whether the fetch
position is where this feed left it. If anything else has moved it (a seek, a reset after the log was cut),
records would be read twice or never: the process must end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer.fetcher import FetchResult

from streams.errors import OperationError
from streams.lanes.api import Record
from streams.lanes.chunk import Chunk, Place
from streams.lanes.options import LaneOptions
from streams.lanes.records import joined, size_of
from streams.lanes.slices import Slice, Slices

__all__ = ["Feed"]

# How long the pump may sleep before it looks whether the fetcher's own task is alive.
_LOOK_S = 1.0
# Records taken together: between two of these it is seen whether a chunk is large enough.
_STEP = 250


class _Tap:
    """One open partition: whose it is, what it may still take, and where it is."""

    def __init__(self, position: int, credits: int, headers: bool, offer: Callable[[Chunk], None]) -> None:
        self.position = position
        self.credits = credits
        self.headers = headers
        self.offer = offer


def _records_of(_: Any, part: Slice) -> Sequence[Record]:
    return part.records


class Feed:
    """Everything here runs in the consumer thread; ``offer`` is called in the lanes' loop."""

    def __init__(
        self,
        consumer: AIOKafkaConsumer,
        lanes_loop: asyncio.AbstractEventLoop,
        failed: Callable[[Exception], None],
        options: LaneOptions,
    ) -> None:
        """``failed`` is called in the lanes' loop when the pump cannot go on."""
        self._fetcher = consumer._fetcher
        self._subscriptions = consumer._fetcher._subscriptions
        self._lanes_loop = lanes_loop
        self._failed = failed
        self._options = options
        self._step = min(_STEP, options.chunk_records)
        self._taps: dict[Place, _Tap] = {}
        self._closed = False
        self._waiter: asyncio.Future[None] | None = None
        self._pumping: asyncio.Task[None] | None = None

    async def open(self, place: Place, position: int, headers: bool, offer: Callable[[Chunk], None]) -> None:
        """Seek, once, and let the records of one partition flow; nothing after :meth:`close`."""
        if self._closed:
            return  # a lane that was still restoring when the others were let go
        self._fetcher.seek_to(TopicPartition(*place), position)
        self._taps[place] = _Tap(position, self._options.credits, headers, offer)
        if self._pumping is None:
            self._pumping = asyncio.get_running_loop().create_task(self._pump())
        self._wake()

    def credit(self, place: Place) -> None:
        """A chunk of that partition is done."""
        tap = self._taps.get(place)
        if tap is not None:
            tap.credits += 1
            self._wake()

    async def close(self) -> None:
        """Stop all flow, for good; when this returns, nothing more is offered."""
        self._closed = True
        self._taps.clear()
        pumping, self._pumping = self._pumping, None
        if pumping is not None:
            self._wake()
            await pumping

    def _wake(self) -> None:
        self._fetcher._notify(self._waiter)

    async def _pump(self) -> None:
        try:
            # Without the context the group takes a process of which all lanes wait for one that hangs.
            with self._subscriptions.fetch_context():
                while self._taps:
                    if not self._round():
                        await self._wait()
                    else:
                        await asyncio.sleep(0)
        except Exception as error:
            self._lanes_loop.call_soon_threadsafe(self._failed, error)

    def _round(self) -> bool:
        drained = False
        for key in list(self._fetcher._records):
            tap = self._taps.get(key)
            if tap is not None and (chunk := self._drain(key, tap)) is not None:
                tap.credits -= 1
                self._lanes_loop.call_soon_threadsafe(tap.offer, chunk)
                drained = True
        return drained

    async def _wait(self) -> None:
        self._waiter = self._fetcher._create_fetch_waiter()
        done, _ = await asyncio.wait([self._waiter], timeout=_LOOK_S)
        if not done:
            self._waiter.cancel()
        else:
            self._waiter.result()  # authorisation and coordination errors come this way
        if self._fetcher.error_future.done():
            raise OperationError("the consumer stopped fetching")

    def _drain(self, key: TopicPartition, tap: _Tap) -> Chunk | None:
        """Take a chunk of what is buffered, or None where there is nothing or no credit."""
        fetcher = self._fetcher
        assignment = self._subscriptions.subscription.assignment
        state = assignment.state_value(key) if assignment is not None else None
        if state is None or state._position != tap.position:
            found = "not assigned" if state is None else f"at {state._position}"
            raise OperationError(f"the position moved: {Place(*key)} is {found}, was left at {tap.position}")
        fetched = fetcher._records.get(key)
        if fetched is None or not tap.credits:
            return None
        if not isinstance(fetched, FetchResult):
            del fetcher._records[key]
            fetched.check_raise()
            return None
        records: Sequence[Record] = ()
        finished = True
        if fetched.check_assignment(key) and fetched.has_more():
            batches = fetched._partition_records
            if not isinstance(batches._records, Slices):
                first = batches.next_fetch_offset
                batches._records = Slices(batches._records, first, self._step, headers=tap.headers)
                batches._consumer_record = _records_of
            records, finished = self._take(batches._records_iterator)
            fetched._update_position()
            tap.position = state.position
        if finished:
            fetched._partition_records = None
            del fetcher._records[key]
            fetcher._notify(fetcher._wait_consume_future)
        return Chunk(records, tap.position, max(state.highwater or 0, tap.position))

    def _take(self, slices: Iterator[Sequence[Record]]) -> tuple[Sequence[Record], bool]:
        """A chunk, or a slice more; and whether the iterator came to its end."""
        most, left = self._options.chunk_records, self._options.chunk_bytes
        parts: list[Sequence[Record]] = []
        while most > 0 and left > 0:
            part = next(slices, None)
            if part is None:
                return joined(parts), True
            parts.append(part)
            most -= len(part)
            left -= size_of(part)
        return joined(parts), False
