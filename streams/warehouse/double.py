"""A list where ClickHouse would be, for unit tests: the same interface, held to the same contract test."""

from __future__ import annotations

from collections.abc import Sequence

from detectors.tables import TABLES
from streams.errors import OperationError
from streams.warehouse.errors import SchemaMismatch

__all__ = ["ListWriter"]


class ListWriter:
    """Keeps what is inserted: ``rows[table]`` is a list of dicts from column to value."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, object]]] = {}
        self.inserts: list[tuple[str, int]] = []
        self._failures = 0

    def fail(self, times: int) -> None:
        """Let the next ``times`` inserts raise OperationError, as a database that is away does."""
        self._failures = times

    def insert(self, table: str, names: Sequence[str], columns: Sequence[Sequence[object]]) -> int:
        """See :class:`streams.warehouse.writer.FactsSink`."""
        lengths = {len(column) for column in columns}
        if len(columns) != len(names) or len(lengths) > 1:
            raise ValueError("columns must be as many as names, and of one length")
        count = lengths.pop() if lengths else 0
        if not count:
            return 0
        if self._failures:
            self._failures -= 1
            raise OperationError("the list double was told to fail")
        if table not in TABLES:
            raise SchemaMismatch(f"table {table} is missing")
        if missing := [name for name in names if name not in TABLES[table].names]:
            raise SchemaMismatch(f"column {table}.{missing[0]} is missing")
        rows = (dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True))
        self.rows.setdefault(table, []).extend(rows)
        self.inserts.append((table, count))
        return count
