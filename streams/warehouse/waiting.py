"""Packed rows that wait for their insert: a queue a table, and what each lane still has in one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from streams.warehouse.packing import Piece
from streams.warehouse.split import MAX_PARTITIONS

__all__ = ["ENOUGH_ROWS", "Owner", "Queue", "Waiting"]

# An insert waits for more rows no longer than its gap, and not at all when there are this many: a backlog
# goes at full speed.
ENOUGH_ROWS = 50_000
# Larger inserts are no faster, and cost more when they have to be sent again.
MOST_ROWS = 200_000
MOST_BYTES = 24 * 1024 * 1024


class Owner:
    """What one lane has handed over and is not in yet."""

    def __init__(self) -> None:
        self.gone = False
        self.error: Exception | None = None
        self._pieces = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def more(self) -> None:
        """A piece was handed over."""
        self._pieces += 1
        self._idle.clear()

    def less(self) -> None:
        """A piece is in, or nobody waits for it any more."""
        self._pieces -= 1
        if not self._pieces:
            self._idle.set()

    def fail(self, error: Exception) -> None:
        """None of what is left will be in."""
        self.error = self.error or error
        self._idle.set()

    def give_up(self) -> None:
        """What has not been sent is left to whoever owns the partition next."""
        self.gone = True

    async def settled(self) -> None:
        """Return when everything handed over is in; raise why it cannot be."""
        await self._idle.wait()
        if self.error is not None:
            raise self.error


class Waiting(NamedTuple):
    """A piece, and whose it is."""

    piece: Piece
    owner: Owner


class Queue:
    """Pieces of one table, in the order in which they came."""

    def __init__(self, table: str) -> None:
        self.table = table
        self.waiting: deque[Waiting] = deque()
        self.rows = 0
        self.most = MOST_ROWS
        self.last = float("-inf")
        self.cut = False
        self.enough = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    def add(self, waiting: Waiting) -> None:
        """At the end."""
        self.waiting.append(waiting)
        self.rows += waiting.piece.rows
        if self.rows >= ENOUGH_ROWS:
            self.enough.set()

    def take(self, drop: Callable[[Waiting], None]) -> list[Waiting]:
        """The next insert: within the limits, one set of names; what nobody waits for is dropped."""
        taken: list[Waiting] = []
        rows = size = 0
        months: frozenset[int] = frozenset()
        while self.waiting:
            piece, owner = self.waiting[0]
            if not owner.gone:
                both = months | piece.months
                full = rows + piece.rows > self.most or size + piece.size > MOST_BYTES
                if taken and (full or len(both) > MAX_PARTITIONS or piece.names != taken[0].piece.names):
                    break
                taken.append(self.waiting[0])
                rows, size, months = rows + piece.rows, size + piece.size, both
            else:
                drop(self.waiting[0])
            self.waiting.popleft()
            self.rows -= piece.rows
        self.cut = bool(self.waiting)
        return taken

    def put_back(self, taken: list[Waiting]) -> None:
        """After a failure: the same rows first, in smaller inserts, down to one piece."""
        self.waiting.extendleft(reversed(taken))
        rows = sum(waiting.piece.rows for waiting in taken)
        self.rows += rows
        self.most = max(rows // 2, 1)

    def grew(self) -> None:
        """After a success."""
        self.most = min(self.most * 2, MOST_ROWS)
