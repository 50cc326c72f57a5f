"""The facts lane: blocks of rows into ClickHouse, every row at least once and in the end exactly once.

A block is decoded and packed as it comes, and handed to the inserter that all lanes of the process share
(``warehouse/inserter.py``); a flush returns when everything handed over is in. A database that is down, slow,
full or does not fit is waited for; nothing is given up and nothing skipped. The order of facts does no harm:
a row of a higher ``ver`` wins.

What is no block, or a row that no table could hold, is a dead letter of the whole record, acknowledged before
the position passes it; the rows of such a block that do fit are written.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from detectors.tables import TABLES
from streams import blocks, metrics
from streams.accounts import Stored
from streams.dead_letters import BAD_BLOCK, dead_letter
from streams.lanes.api import Output, Record
from streams.topics import TopicNames
from streams.warehouse.inserter import Inserter, Owner
from streams.warehouse.packing import MisfitError, Piece, pack, salvage

__all__ = ["FactsLane"]

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
        try:
            for record in records:
                pieces, newest, bad = _read(record.value or b"")
                if bad:
                    letters.append(self._letter(record, bad))
                for piece in pieces:
                    self._rows[piece.table] += piece.rows
                self._newest = max(self._newest, newest)
                await self._inserter.put(pieces, self._owner)
                # A block costs milliseconds, and lanes that score are in this loop, too.
                await asyncio.sleep(0)
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

    def _letter(self, record: Record, reason: str) -> Output:
        metrics.DEAD_LETTERS.labels(BAD_BLOCK).inc()
        return dead_letter(self._topics, self._topics.facts, self._partition, record, reason)


def _read(raw: bytes) -> tuple[list[Piece], int, str]:
    """The rows of a block, the newest event's time, and the reason where it is a dead letter, too."""
    try:
        block = blocks.decode(raw)
    except blocks.BadBlockError:
        return [], 0, BAD_BLOCK
    table = TABLES[block.table]
    try:
        pieces, bad = pack(table, block.names, block.columns), ""
    except MisfitError as error:
        pieces, _ = salvage(table, block.names, block.columns)
        # Whatever its times are: some of them may be what does not fit.
        return pieces, 0, f"{BAD_BLOCK}:{error.column}"
    newest = max(block.columns[block.names.index("time")]) if pieces and block.table == "events" else 0
    return pieces, newest, bad
