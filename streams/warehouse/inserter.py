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
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from streams import metrics
from streams.clock import monotonic
from streams.errors import OperationError
from streams.warehouse.errors import SchemaMismatch
from streams.warehouse.hands import Hands
from streams.warehouse.outage import Outage
from streams.warehouse.packing import Piece
from streams.warehouse.turns import Turns
from streams.warehouse.waiting import ENOUGH_ROWS, Owner, Queue, Waiting
from streams.warehouse.writer import ATTEMPTS, FactsSink

__all__ = ["Inserter", "Owner"]

# Packed rows are some 100-300 bytes: a few hundred thousand rows, two or three seconds of inserting.
HELD_BYTES = 64 * 1024 * 1024
# ClickHouse wants about one insert a second and table; a quiet minute still shows within two seconds.
LEAST_GAP_S = 1.0
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 5.0
# Of the loop's time that packing may take where other lanes are in it.
SHARE = 0.5
# Inserts into different tables at once: while the server works on one, the next is on its way.
AT_ONCE = 3


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
        """``strict``: for a worker that does nothing else; a schema that does not fit is an error."""
        #: In which the lanes pack what they put.
        self.turns = Turns(1.0 if strict else SHARE)
        self._sink, self._strict = sink, strict
        self._sleep, self._gap_s, self._most_held = sleep, gap_s, held_bytes
        self._queues: dict[str, Queue] = {}
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
                queue = self._queues[piece.table.name] = Queue(piece.table.name)
            owner.more()
            queue.add(Waiting(piece, owner))
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

    def _release(self, waiting: Waiting) -> None:
        self._hold(-waiting.piece.size, -waiting.piece.rows)
        waiting.owner.less()

    async def _run(self, queue: Queue) -> None:
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

    async def _gather(self, queue: Queue) -> None:
        wait = queue.last + self._gap_s - monotonic()
        # What a limit cut off has waited long enough.
        if wait > 0 and queue.rows < ENOUGH_ROWS and not queue.cut:
            queue.enough.clear()
            try:
                await asyncio.wait_for(queue.enough.wait(), wait)
            except TimeoutError:
                return

    async def _insert(self, queue: Queue, taken: list[Waiting]) -> None:
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
