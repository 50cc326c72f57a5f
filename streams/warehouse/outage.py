"""Inserts that wait: said once when it begins and once when they go on, and shown as metrics all the while.

What an operator must do depends on the kind of reason (``errors.KINDS``), so a reason of another kind is
told, too: once a kind, however often they take turns.
"""

from __future__ import annotations

from collections.abc import Callable

from streams import metrics
from streams.clock import wall_ms
from streams.errors import OperationError
from streams.log import get_logger
from streams.warehouse.errors import KINDS, kind_of

__all__ = ["Outage"]

log = get_logger("streams.facts")


class Outage:
    """What the inserts of one process are waiting for."""

    def __init__(self, now: Callable[[], int] = wall_ms) -> None:
        self._now = now
        self._tables: set[str] = set()
        self._told: set[str] = set()
        self._since = self._tries = 0
        for kind in KINDS:
            metrics.FACTS_WAITING_SINCE.labels(kind).set(0)

    def waits(self, table: str) -> bool:
        """Whether the last insert into ``table`` failed."""
        return table in self._tables

    def failed(self, table: str, error: OperationError) -> None:
        """An insert into ``table`` failed and will be tried again."""
        kind = kind_of(error)
        metrics.CLICKHOUSE_UP.set(0)
        metrics.INSERT_RETRIES.labels(table).inc()
        if not self._tables:
            self._since, self._tries = self._now(), 0
            log.warning("clickhouse fails; facts wait, scores and alerts go on", kind=kind, reason=str(error))
        elif kind not in self._told:
            log.warning("facts still wait, for another reason", kind=kind, reason=str(error))
        self._tables.add(table)
        self._told.add(kind)
        self._tries += 1
        self._show(kind)

    def inserted(self, table: str) -> None:
        """An insert into ``table`` was acknowledged."""
        metrics.CLICKHOUSE_UP.set(1)
        metrics.INSERTED_AT.set(self._now() / 1000)
        if table in self._tables:
            self._over(table, "clickhouse answers again; facts go on")

    def left(self, table: str) -> None:
        """Nothing waits for ``table`` any more: its partitions went to another worker."""
        if table in self._tables:
            self._over(table, "facts that waited here went to another worker")

    def _over(self, table: str, what: str) -> None:
        self._tables.remove(table)
        if not self._tables:
            log.info(what, waited_s=round((self._now() - self._since) / 1000), tries=self._tries)
            self._told.clear()
            self._show(None)

    def _show(self, current: str | None) -> None:
        for kind in KINDS:
            metrics.FACTS_WAITING_SINCE.labels(kind).set(self._since / 1000 if kind == current else 0)
