"""A broker in memory for one lane: what was sent, in which order, and a crash at any step."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from streams.lanes.api import Headers, Output, Record
from streams.lanes.changelog import Merge
from streams.lanes.chunk import Chunk, Place

PLACE = Place("events", 3)


class CrashError(Exception):
    """The process died here."""


class Written(NamedTuple):
    """One record of a topic."""

    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class MemoryBroker:
    """What outlives a process: one partition, its changelog, its group's offset, and everything sent."""

    def __init__(self, values: Iterable[tuple[bytes, bytes]] = (), *, stamp: int = 0) -> None:
        self.log = [Record(offset, stamp, key, value) for offset, (key, value) in enumerate(values)]
        self.sent: dict[str, list[Written]] = {}
        self.committed: int | None = None
        self.earliest = 0
        self.journal: list[str] = []

    def compact(self, topic: str) -> None:
        """Keep each key's last record, and no tombstone: what Kafka may have done by the next restore."""
        last = {record.key: record for record in self.sent.get(topic, [])}
        self.sent[topic] = [record for record in last.values() if record.value is not None]


class MemoryWire:
    """One process's connection to it. ``die_at`` counts the steps that reach the broker."""

    def __init__(self, broker: MemoryBroker, *, chunk: int = 3, die_at: int = -1) -> None:
        self.broker = broker
        self.held = asyncio.Event()
        self.held.set()
        self.credits = 0
        self._chunk, self._left = chunk, die_at
        self._chunks: Iterator[Chunk] = iter(())
        self._offer: Callable[[Chunk], None] = lambda chunk: None

    def _step(self, what: str) -> None:
        if self._left == 0:
            raise CrashError
        self._left -= 1
        self.broker.journal.append(what)

    async def committed(self, place: Place) -> int | None:
        assert place == PLACE
        return self.broker.committed

    async def earliest(self, place: Place) -> int:
        assert place == PLACE
        return self.broker.earliest

    async def restore(self, changelog: Place) -> Merge:
        merge = Merge()
        for record in self.broker.sent.get(changelog.topic, []):
            merge.offer(*record)
        return merge

    async def open(self, place: Place, position: int, headers: bool, offer: Callable[[Chunk], None]) -> None:
        log, step = self.broker.log, self._chunk
        self._chunks = iter(
            Chunk(log[at : at + step], min(at + step, len(log)), len(log))
            for at in range(position, len(log), step)
        )
        self._offer = offer
        self.credit(place)
        self.credit(place)

    def credit(self, place: Place) -> None:
        self.credits += 1
        chunk = next(self._chunks, None)
        if chunk is not None:
            self._offer(chunk)

    async def send(self, outputs: Iterable[Output]) -> set[asyncio.Future[None]]:
        acknowledgements = set()
        for topic, _, key, value, headers in outputs:
            self._step(f"send {topic}")
            self.broker.sent.setdefault(topic, []).append(Written(key, value, headers))
            acknowledgement: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_soon(self._acknowledge, topic, acknowledgement)
            acknowledgements.add(acknowledgement)
        return acknowledgements

    def _acknowledge(self, topic: str, acknowledgement: asyncio.Future[None]) -> None:
        self.broker.journal.append(f"ack {topic}")
        if not acknowledgement.done():
            acknowledgement.set_result(None)

    async def commit(self, place: Place, offset: int) -> None:
        assert place == PLACE
        self._step("commit")
        self.broker.committed = offset

    async def hold(self) -> None:
        await self.held.wait()
