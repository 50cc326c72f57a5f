"""What all facts lanes of a process share: rows gather by table, and one insert a table is in flight.

While an insert is in flight the next rows gather, whatever partition they come from, so that there are few
inserts and large ones. Pieces that cannot be written wait, and are tried again for as long as it takes, with
pauses that grow up to :data:`LONGEST_PAUSE_S`; smaller inserts are tried then, because a line that is slow
or a server short of memory may take little where it does not take much. Lanes wait once the process holds
:data:`HELD_BYTES`: that is the back-pressure, and Kafka keeps the rest.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import NamedTuple

from streams import metrics
from streams.clock import monotonic
from streams.errors import OperationError
from streams.warehouse.errors import SchemaMismatch
from streams.warehouse.hands import Hands
from streams.warehouse.outage import Outage
from streams.warehouse.packing import Piece
from streams.warehouse.split import MAX_PARTITIONS
from streams.warehouse.writer import ATTEMPTS, FactsSink

__all__ = ["Inserter", "Owner"]

# Packed rows are some 100-300 bytes: a few hundred thousand rows, two or three seconds of inserting.
HELD_BYTES = 64 * 1024 * 1024
# An insert waits for more rows no longer than a second after the last one of its table (ClickHouse wants
# about one a second), and not at all when there are this many: a backlog goes at full speed.
LEAST_GAP_S = 1.0
ENOUGH_ROWS = 50_000
# Larger inserts are no faster, and cost more when they have to be sent again.
MOST_ROWS = 200_000
MOST_BYTES = 24 * 1024 * 1024
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 5.0
# Inserts into different tables at once: while the server works on one, the next is on its way.
AT_ONCE = 3


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


class _Waiting(NamedTuple):
    piece: Piece
    owner: Owner


class _Queue:
    """Pieces of one table, in the order in which they came."""

    def __init__(self, table: str) -> None:
        self.table = table
        self.waiting: deque[_Waiting] = deque()
        self.rows = 0
        self.most = MOST_ROWS
        self.last = -LEAST_GAP_S
        self.cut = False
        self.enough = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    def add(self, waiting: _Waiting) -> None:
        self.waiting.append(waiting)
        self.rows += waiting.piece.rows
        if self.rows >= ENOUGH_ROWS:
            self.enough.set()

    def take(self, drop: Callable[[_Waiting], None]) -> list[_Waiting]:
        """The next insert: within the limits, one set of names; what nobody waits for is dropped."""
        taken: list[_Waiting] = []
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

    def put_back(self, taken: list[_Waiting]) -> None:
        """After a failure: the same rows first, in smaller inserts, down to one piece."""
        self.waiting.extendleft(reversed(taken))
        rows = sum(waiting.piece.rows for waiting in taken)
        self.rows += rows
        self.most = max(rows // 2, 1)

    def grew(self) -> None:
        """After a success."""
        self.most = min(self.most * 2, MOST_ROWS)


class Inserter:
    """Lives in the lanes' loop; the inserts themselves run in threads."""

    def __init__(
        self,
        sink: FactsSink,
        *,
        strict: bool,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        gap_s: float = LEAST_GAP_S,
        held_bytes: int = HELD_BYTES,
    ) -> None:
        """``strict``: a schema that does not fit is an error (a worker that does nothing else)."""
        self._sink, self._strict = sink, strict
        self._sleep, self._gap_s, self._most_held = sleep, gap_s, held_bytes
        self._queues: dict[str, _Queue] = {}
        self._hands = Hands(AT_ONCE, "facts")
        self._outage = Outage()
        self._held = 0
        self._room = asyncio.Event()
        self._room.set()

    @property
    def held(self) -> int:
        """Bytes of rows taken and not yet inserted."""
        return self._held

    async def put(self, pieces: Sequence[Piece], owner: Owner) -> None:
        """Take pieces; returns when there is room for more. Raises why the owner's rows cannot be written."""
        for piece in pieces:
            queue = self._queues.get(piece.table.name)
            if queue is None:
                queue = self._queues[piece.table.name] = _Queue(piece.table.name)
            owner.more()
            queue.add(_Waiting(piece, owner))
            self._hold(piece.size, piece.rows)
            if queue.task is None:
                queue.task = asyncio.create_task(self._run(queue), name=f"facts into {piece.table.name}")
        await self._room.wait()
        if owner.error is not None:
            raise owner.error

    def _hold(self, size: int, rows: int) -> None:
        self._held += size
        metrics.FACTS_WAITING.inc(rows)
        if self._held < self._most_held:
            self._room.set()
        else:
            self._room.clear()

    def _release(self, waiting: _Waiting) -> None:
        self._hold(-waiting.piece.size, -waiting.piece.rows)
        waiting.owner.less()

    async def _run(self, queue: _Queue) -> None:
        try:
            while queue.waiting:
                await self._gather(queue)
                taken = queue.take(self._release)
                if taken:
                    await self._insert(queue, taken)
            self._outage.left(queue.table)
        except Exception as error:
            # A defect, or a schema that only a person can mend: the lanes end the process.
            for waiting in queue.waiting:
                waiting.owner.fail(error)
            self._room.set()
        finally:
            queue.task = None

    async def _gather(self, queue: _Queue) -> None:
        wait = queue.last + self._gap_s - monotonic()
        # What a limit cut off has waited long enough.
        if wait > 0 and queue.rows < ENOUGH_ROWS and not queue.cut:
            queue.enough.clear()
            try:
                await asyncio.wait_for(queue.enough.wait(), wait)
            except TimeoutError:
                return

    async def _insert(self, queue: _Queue, taken: list[_Waiting]) -> None:
        """Until these rows are in, or put back because nobody waits for some of them any more."""
        pause = FIRST_PAUSE_S
        while taken:
            table = queue.table
            queue.last = began = monotonic()
            # Once it waits, one look a pause is enough.
            attempts = 1 if self._outage.waits(table) else ATTEMPTS
            try:
                pieces = [waiting.piece for waiting in taken]
                count = await self._hands.do(partial(self._sink.write, pieces, attempts))
            except OperationError as error:
                queue.put_back(taken)
                if self._strict and isinstance(error, SchemaMismatch):
                    raise
                self._outage.failed(table, error)
                await self._sleep(pause * random.uniform(0.5, 1.0))
                pause = min(pause * 2, LONGEST_PAUSE_S)
                taken = queue.take(self._release)
            except Exception:
                queue.put_back(taken)
                raise
            else:
                metrics.INSERT_SECONDS.labels(table).observe(monotonic() - began)
                metrics.ROWS_WRITTEN.labels(table).inc(count)
                self._outage.inserted(table)
                queue.grew()
                for waiting in taken:
                    self._release(waiting)
                return
