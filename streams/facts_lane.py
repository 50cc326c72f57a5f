"""The facts lane: blocks of rows into ClickHouse, every row at least once and in the end exactly once.

Blocks are decoded and packed as they come, small ones together, and handed to the inserter that all lanes of
the process share (``warehouse/inserter.py``); a flush returns when everything handed over is in. A database
that is down, slow, full or does not fit is waited for; nothing is given up and nothing skipped. The order of
facts does no harm: a row of a higher ``ver`` wins.

What is no block, or a row that no table could hold, is a dead letter of the whole record, acknowledged before
the position passes it; the rows of such a block that do fit are written.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence

from detectors.tables import TABLES
from streams import blocks, metrics
from streams.accounts import Stored
from streams.blocks import Block
from streams.clock import monotonic
from streams.dead_letters import BAD_BLOCK, dead_letter
from streams.lanes.api import Output, Record
from streams.topics import TopicNames
from streams.warehouse.inserter import Inserter, Owner
from streams.warehouse.packing import MisfitError, Piece, pack, salvage
from streams.warehouse.turns import STEP_S

__all__ = ["FactsLane"]

# Rows that are packed at once. Packing a column costs about as much as ten of its values, so the blocks of a
# quiet hour are put together; a thousand rows take two milliseconds.
TOGETHER = 1_000

Deliver = Callable[[Sequence[Output]], Awaitable[None]]


class FactsLane:
    """A :class:`streams.lanes.api.Sink` for one partition of ``<prefix>.facts``."""

    def __init__(self, partition: int, inserter: Inserter, topics: TopicNames, deliver: Deliver) -> None:
        """``deliver`` sends records and returns when the broker has them."""
        self._partition, self._inserter, self._topics, self._deliver = partition, inserter, topics, deliver
        self._owner = Owner()
        self._stored = Stored(partition)
        self._rows: Counter[str] = Counter()
        self._newest = 0

    async def apply(self, records: Sequence[Record]) -> None:
        """Take blocks; wait for the database where too much is held."""
        letters: list[Output] = []
        work = self._work(records, letters)
        try:
            while (pieces := await self._inserter.turns.next(work)) is not None:
                await self._inserter.put(pieces, self._owner)
            if letters:
                await self._deliver(letters)
        except asyncio.CancelledError:
            self._owner.give_up()
            raise

    async def flush(self) -> None:
        """Return when everything taken is in ClickHouse."""
        try:
            await self._owner.settled()
        except asyncio.CancelledError:
            self._owner.give_up()
            raise
        self._stored.rows(self._rows, self._newest)
        self._rows.clear()

    def _work(self, records: Sequence[Record], letters: list[Output]) -> Iterator[list[Piece]]:
        """Packed rows, a step's worth at a time."""
        batches: dict[tuple[str, ...], _Batch] = {}
        ready: list[Piece] = []
        began = monotonic()
        for record in records:
            try:
                block = blocks.decode(record.value or b"")
            except blocks.BadBlockError:
                letters.append(self._letter(record, BAD_BLOCK))
                continue
            key = (block.table, *block.names)
            batch = batches.setdefault(key, _Batch())
            batch.add(record, block)
            if batch.rows >= TOGETHER:
                ready += self._pack(batches.pop(key), letters)
            if monotonic() - began > STEP_S:
                yield ready
                ready, began = [], monotonic()
        for batch in batches.values():
            ready += self._pack(batch, letters)
            if monotonic() - began > STEP_S:
                yield ready
                ready, began = [], monotonic()
        yield ready

    def _pack(self, batch: _Batch, letters: list[Output]) -> list[Piece]:
        pieces, bad = batch.pack()
        letters += [self._letter(record, f"{BAD_BLOCK}:{column}") for record, column in bad]
        for piece in pieces:
            self._rows[piece.table.name] += piece.rows
        self._newest = max(self._newest, batch.newest)
        return pieces

    def _letter(self, record: Record, reason: str) -> Output:
        metrics.DEAD_LETTERS.labels(BAD_BLOCK).inc()
        return dead_letter(self._topics, self._topics.facts, self._partition, record, reason)


class _Batch:
    """Blocks of one table, with the same names."""

    def __init__(self) -> None:
        self.rows = self.newest = 0
        self._blocks: list[tuple[Record, Block]] = []

    def add(self, record: Record, block: Block) -> None:
        self._blocks.append((record, block))
        self.rows += block.count

    def pack(self) -> tuple[list[Piece], list[tuple[Record, str]]]:
        """The rows, and each record that has some that fit no column, with that column."""
        first = self._blocks[0][1]
        table, columns = TABLES[first.table], first.columns
        if len(self._blocks) > 1:
            columns = [
                [value for column in alike for value in column]
                for alike in zip(*(block.columns for _, block in self._blocks), strict=True)
            ]
        try:
            pieces = pack(table, first.names, columns)
        except MisfitError:
            return self._apart()
        if pieces and first.table == "events":
            self.newest = max(columns[first.names.index("time")])
        return pieces, []

    def _apart(self) -> tuple[list[Piece], list[tuple[Record, str]]]:
        pieces: list[Piece] = []
        bad: list[tuple[Record, str]] = []
        for record, block in self._blocks:
            table = TABLES[block.table]
            try:
                pieces += pack(table, block.names, block.columns)
            except MisfitError as misfit:
                pieces += salvage(table, block.names, block.columns)[0]
                bad.append((record, misfit.column))
        return pieces, bad
