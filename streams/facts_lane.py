"""The facts lane: blocks of rows into ClickHouse, every row at least once and in the end exactly once.

Lanes of one process insert together: while one insert of a table is in flight the next rows gather, whatever
partition they come from, so that there are few inserts and large ones. A lane's flush returns when its rows
are in. A database that is down, slow or does not fit is waited for, said once and said again when it is back;
the waiting is the back-pressure. The order of facts does no harm: a row of a higher ``ver`` wins.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from streams import blocks, metrics
from streams.accounts import Stored
from streams.clock import monotonic, wall_ms
from streams.errors import OperationError
from streams.lanes.api import Record
from streams.log import get_logger
from streams.warehouse.errors import SchemaMismatch
from streams.warehouse.writer import FactsSink

__all__ = ["FactsLane", "Inserter"]

log = get_logger("streams.facts")

# Rows that a lane holds before it waits for their insert: with 100 bytes a value, below 100 MB a process.
MOST_ROWS = 20_000
# ClickHouse wants about one insert a second and table; a quiet minute still shows within two seconds.
LEAST_GAP_S = 1.0
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 15.0


class _Batch:
    """Rows of one lane that wait for the next insert."""

    def __init__(self, columns: dict[str, tuple[list[str], list[list[Any]]]], rows: int) -> None:
        self.columns = columns
        self.rows = rows
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class Inserter:
    """What all facts lanes of a process share: one worker thread, one insert a table at a time."""

    def __init__(
        self,
        writer: FactsSink,
        *,
        strict: bool,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        gap_s: float = LEAST_GAP_S,
    ) -> None:
        """``strict``: a schema that does not fit ends the process (a worker that does nothing else)."""
        self._writer = writer
        self._strict = strict
        self._sleep = sleep
        self._gap_s = gap_s
        self._waiting: list[_Batch] = []
        self._task: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="facts")
        self._failing = False
        self._last = 0.0

    async def insert(self, columns: dict[str, tuple[list[str], list[list[Any]]]], rows: int) -> None:
        """Return when these rows are in. Cancelling gives the batch up, not those of others."""
        batch = _Batch(columns, rows)
        self._waiting.append(batch)
        metrics.FACTS_WAITING.inc(rows)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="facts inserter")
        try:
            await batch.done
        finally:
            metrics.FACTS_WAITING.dec(rows)
            if batch in self._waiting:
                self._waiting.remove(batch)

    async def _run(self) -> None:
        while self._waiting:
            wait = self._last + self._gap_s - monotonic()
            if wait > 0:
                await self._sleep(wait)
            batches = self._waiting[:]
            if not batches:
                return
            self._last = monotonic()
            try:
                await self._insert_all(batches)
            except Exception as error:
                for batch in batches:
                    if not batch.done.done():
                        batch.done.set_exception(error)
            else:
                for batch in batches:
                    if not batch.done.done():
                        batch.done.set_result(None)
            self._waiting = [batch for batch in self._waiting if batch not in batches]

    async def _insert_all(self, batches: list[_Batch]) -> None:
        loop = asyncio.get_running_loop()
        for table, names, columns in _merged(batches):
            pause = FIRST_PAUSE_S
            while True:
                began = monotonic()
                try:
                    count = await loop.run_in_executor(
                        self._thread, self._writer.insert, table, names, columns
                    )
                except OperationError as error:
                    if self._strict and isinstance(error, SchemaMismatch):
                        raise
                    self._failed(table, error)
                    await self._sleep(pause * random.uniform(0.5, 1.0))
                    pause = min(pause * 2, LONGEST_PAUSE_S)
                    continue
                metrics.INSERT_SECONDS.labels(table).observe(monotonic() - began)
                metrics.ROWS_WRITTEN.labels(table).inc(count)
                self._recovered()
                break

    def _failed(self, table: str, error: OperationError) -> None:
        metrics.CLICKHOUSE_UP.set(0)
        metrics.INSERT_RETRIES.labels(table).inc()
        if not self._failing:
            self._failing = True
            log.warning("clickhouse fails; facts wait, scores and alerts go on", reason=str(error))

    def _recovered(self) -> None:
        metrics.CLICKHOUSE_UP.set(1)
        metrics.INSERTED_AT.set(wall_ms() / 1000)
        if self._failing:
            self._failing = False
            log.info("clickhouse answers again")


def _merged(batches: list[_Batch]) -> Iterable[tuple[str, list[str], list[list[Any]]]]:
    """All batches' rows, by table and set of columns."""
    apart: dict[tuple[str, ...], tuple[str, list[str], list[list[Any]]]] = {}
    for batch in batches:
        for table, (names, columns) in batch.columns.items():
            key = (table, *names)
            known = apart.get(key)
            if known is None:
                apart[key] = (table, names, [list(column) for column in columns])
            else:
                for ours, theirs in zip(known[2], columns, strict=True):
                    ours.extend(theirs)
    return apart.values()


class FactsLane:
    """A :class:`streams.lanes.api.Sink` for one partition of ``<prefix>.facts``."""

    def __init__(self, inserter: Inserter, stored: Stored | None = None) -> None:
        self._inserter = inserter
        self._stored = stored or Stored(0)
        self._columns: dict[str, tuple[list[str], list[list[Any]]]] = {}
        self._rows = 0

    async def apply(self, records: Sequence[Record]) -> None:
        """Take blocks; wait for the database where too much is held."""
        for record in records:
            block = blocks.decode(record.value or b"")
            known = self._columns.get(block.table)
            if known is not None and known[0] != block.names:
                # Written by another version of the catalogue: never mixed into one insert.
                await self.flush()
                known = None
            if known is None:
                self._columns[block.table] = (block.names, block.columns)
            else:
                for ours, theirs in zip(known[1], block.columns, strict=True):
                    ours.extend(theirs)
            self._rows += block.count
            if self._rows >= MOST_ROWS:
                await self.flush()

    async def flush(self) -> None:
        """Return when everything taken is in ClickHouse."""
        if self._rows:
            columns, rows = self._columns, self._rows
            self._columns, self._rows = {}, 0
            await self._inserter.insert(columns, rows)
            self._stored.rows(columns)
