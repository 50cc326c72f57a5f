"""A lane: one partition, from the feed to a durable position. What is durable, the two kinds of lane say.

The checkpoint of a **fold lane** - the order is the guarantee:

1. the fold's gathered rows are sent, and the acknowledgements of *all* outputs since the last checkpoint
   awaited;
2. the changed states, once per key, and after them the position mark are written to the changelog, and their
   acknowledgements awaited;
3. the position is committed to the group.

Before 1, 2 and 3 the lane makes sure that the partition is still ours (the lease). A crash before the mark
is written repeats outputs under the same ids; after it, nothing is repeated: the mark, not the commit, is
where a lane with state starts.

The checkpoint of a **sink lane**: 1. the sink's flush returns, 2. the position is committed.

A checkpoint comes half a second after the last one, or sooner after many records, or after an hour without
any, which keeps a changelog's fence up; and when the partition is revoked or the process stops, after the
chunk at hand and before the group may go on. Whatever goes wrong ends the process; nothing is skipped to make
progress.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Sequence
from math import inf

from streams.clock import monotonic
from streams.lanes.api import Fold, Headers, Output, Pauses, Record, Sink
from streams.lanes.changelog import MARK, Merge, pack, start_offset, tombstone
from streams.lanes.chunk import Chunk, Place
from streams.lanes.observer import LaneObserver
from streams.lanes.options import LaneOptions
from streams.lanes.port import Wire

__all__ = ["FoldLane", "Lane", "SinkLane"]

# Keys loaded at a restore before other lanes get a turn.
_LOAD_STEP = 2_000


class Lane(ABC):
    """What both kinds share: the loop, the beat of checkpoints, the end."""

    stop_s: float

    def __init__(
        self, place: Place, wire: Wire, options: LaneOptions, observer: LaneObserver, *, headers: bool
    ) -> None:
        self.place = place
        self._headers = headers
        self.position = 0
        self.opened = False
        self._wire, self._options, self._observer = wire, options, observer
        self._chunks: deque[Chunk] = deque()
        self._wake = asyncio.Event()
        self._stopping = self.abandoned = False
        self._durable: int | None = None
        self._records = 0
        self._checked = 0.0
        self._quiet_s = inf

    @abstractmethod
    async def _begin(self) -> int:
        """Get ready, and say where to start."""

    @abstractmethod
    async def _apply(self, records: Sequence[Record]) -> None: ...

    @abstractmethod
    async def _settle(self) -> None:
        """Make everything applied durable, in the order stated above, short of the commit."""

    def offer(self, chunk: Chunk) -> None:
        """Take a chunk from the feed; never more than there are credits."""
        self._chunks.append(chunk)
        self._wake.set()

    def stop(self) -> None:
        """Finish the chunk at hand, checkpoint, end. Chunks behind it are left to whoever comes next."""
        self._stopping = True
        self._wake.set()

    def abandon(self) -> None:
        """End without a checkpoint: for a lane that is too late, whatever it is waiting for."""
        self.abandoned = True
        self.stop()

    async def run(self) -> None:
        """Live until :meth:`stop`. Raises whatever must end the process."""
        self.position = await self._begin()
        self._checked = monotonic()
        self.opened = True
        await self._wire.open(self.place, self.position, self._headers, self.offer)
        while not self._stopping:
            if self._chunks:
                await self._take(self._chunks.popleft())
            if self._due():
                await self.checkpoint()
            if not self._chunks:
                await self._rest()
        if self.position != self._durable and not self.abandoned:
            await self.checkpoint()

    async def _take(self, chunk: Chunk) -> None:
        if chunk.records:
            await self._apply(chunk.records)
        self.position = chunk.position
        self._records += len(chunk.records)
        self._wire.credit(self.place)
        self._observer.records(*self.place, len(chunk.records))
        self._observer.lag(*self.place, chunk.end - chunk.position)
        await asyncio.sleep(0)  # a lane with a backlog is not alone

    def _due(self) -> bool:
        full = self._records >= self._options.checkpoint_records
        return full or monotonic() >= self._next()

    def _next(self) -> float:
        """When time alone makes a checkpoint due, on the monotonic clock."""
        return self._checked + (
            self._quiet_s if self.position == self._durable else self._options.checkpoint_s
        )

    async def _rest(self) -> None:
        """Wait for a chunk, the end, or the next checkpoint."""
        at = self._next()
        wait = None if at == inf else max(0.0, at - monotonic())
        self._wake.clear()
        if self._stopping or self._chunks:
            return
        try:
            await asyncio.wait_for(self._wake.wait(), wait)
        except TimeoutError:
            return

    async def checkpoint(self) -> None:
        """Everything below the position durable, then the commit."""
        started, position = monotonic(), self.position
        await self._settle()
        await self._wire.hold()
        if self.abandoned:
            return
        await self._wire.commit(self.place, position)
        self._durable, self._records = position, 0
        self._checked = monotonic()
        self._observer.checkpoint(*self.place, position, self._checked - started)


class FoldLane(Lane):
    """A lane with state, kept exact through its changelog (or without any to keep, where that is None)."""

    def __init__(
        self,
        place: Place,
        wire: Wire,
        options: LaneOptions,
        observer: LaneObserver,
        *,
        headers: bool,
        fold: Fold,
        changelog: str | None,
    ) -> None:
        super().__init__(place, wire, options, observer, headers=headers)
        self.stop_s = options.stop_s
        if changelog is not None:
            self._quiet_s = options.quiet_checkpoint_s
        self._fold, self._changelog = fold, changelog
        self._steps = fold.steps if isinstance(fold, Pauses) else lambda records: (fold.apply(records),)
        self._acknowledgements: set[asyncio.Future[None]] = set()
        self._regressed: dict[bytes, tuple[bytes | None, Headers]] = {}
        # Keys that are gone, since which position, and without a tombstone yet; and the mark that is durable.
        self._gone: dict[bytes, int] = {}
        self._marked = -1

    async def _begin(self) -> int:
        started, keys, merge = monotonic(), 0, Merge()
        if self._changelog is not None:
            merge = await self._wire.restore(Place(self._changelog, self.place.partition))
        committed = await self._wire.committed(self.place)
        earliest = await self._wire.earliest(self.place)
        start = start_offset(merge.mark, committed, earliest, stateful=self._changelog is not None)
        for key, state in merge.states():
            self._fold.load(key, state)
            keys += 1
            if keys % _LOAD_STEP == 0:
                await asyncio.sleep(0)
        self._forget(merge.gone(), start)
        self._fold.ready()
        self._marked = -1 if merge.mark is None else merge.mark
        self._regressed = merge.regressed()
        # A commit that is behind the mark, or a regressed key, is put right without waiting for records.
        self._durable = None if self._regressed else committed
        self._observer.restored(*self.place, keys, monotonic() - started)
        return start

    def _forget(self, gone: dict[bytes, int], start: int) -> None:
        """Tell the fold what is gone and ahead; tombstones for all of them are due."""
        self._gone = gone
        for key, position in gone.items():
            if position > start:
                self._fold.gone(key, position)

    async def _apply(self, records: Sequence[Record]) -> None:
        for outputs in self._steps(records):
            if outputs:
                await self._wire.hold()
                self._acknowledgements |= await self._wire.send(outputs)
            # A session must not end because one record takes long.
            await asyncio.sleep(0)

    async def _settle(self) -> None:
        await self._wire.hold()
        self._acknowledgements |= await self._wire.send(self._fold.flush())
        await self._acknowledged()
        await self._wire.hold()
        if self._changelog is not None:
            self._acknowledgements |= await self._wire.send(self._changes(self._changelog))
            await self._acknowledged()
            self._marked = self.position

    def _changes(self, changelog: str) -> Iterable[Output]:
        partition, position = self.place.partition, self.position
        gone, regressed = self._gone, self._regressed
        due = [key for key, since in gone.items() if since <= self._marked]
        for key, state in self._fold.changed():
            if state is None:
                gone[key] = position
            elif gone:
                gone.pop(key, None)
            if regressed:
                regressed.pop(key, None)
            yield Output(changelog, partition, key, pack(position, state))
        for key in due:
            since = gone.get(key)
            if since is not None and since <= self._marked:
                regressed.pop(key, None)
                yield Output(changelog, partition, key, None, tombstone(gone.pop(key)))
        for key, written in regressed.items():
            yield Output(changelog, partition, key, *written)
        self._regressed = {}
        yield Output(changelog, partition, MARK, pack(position, None))

    async def _acknowledged(self) -> None:
        waiting, self._acknowledgements = self._acknowledgements, set()
        if waiting:
            # Batches are shared between lanes: unlike gather, wait leaves them alone when this lane is
            # cancelled.
            done, _ = await asyncio.wait(waiting)
            for acknowledgement in done:
                acknowledgement.result()


class SinkLane(Lane):
    """A lane without state; its position is the committed offset."""

    def __init__(
        self,
        place: Place,
        wire: Wire,
        options: LaneOptions,
        observer: LaneObserver,
        *,
        headers: bool,
        sink: Sink,
    ) -> None:
        super().__init__(place, wire, options, observer, headers=headers)
        self.stop_s = options.sink_stop_s
        self._sink = sink

    async def _begin(self) -> int:
        committed = self._durable = await self._wire.committed(self.place)
        return start_offset(None, committed, await self._wire.earliest(self.place), stateful=False)

    async def _apply(self, records: Sequence[Record]) -> None:
        await self._sink.apply(records)

    async def _settle(self) -> None:
        await self._sink.flush()
