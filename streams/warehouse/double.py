"""A list where ClickHouse would be, for unit tests: the same interface, held to the same contract test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clickhouse_driver.bufferedreader import CompressedBufferedReader
from clickhouse_driver.context import Context
from clickhouse_driver.streams.native import BlockInputStream

from detectors.tables import CLICKHOUSE_TYPES, TABLES, Kind
from streams.engine.wire import text
from streams.errors import OperationError
from streams.warehouse.errors import SchemaMismatch
from streams.warehouse.packing import Piece, body, pack
from streams.warehouse.sending import REVISION

__all__ = ["ListWriter", "unpack"]


class ListWriter:
    """Keeps what is written: ``rows[table]`` is a list of dicts from column to value."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, object]]] = {}
        self.inserts: list[tuple[str, int]] = []
        self.failure: OperationError = OperationError("the list double was told to fail")
        self._failures = 0

    def fail(self, times: int) -> None:
        """Let the next ``times`` writes raise :attr:`failure`, as a database that is away does."""
        self._failures = times

    def insert(self, table: str, names: Sequence[str], columns: Sequence[Sequence[Any]]) -> int:
        """See :class:`streams.warehouse.writer.FactsWriter`."""
        if len(columns) != len(names) or len({len(column) for column in columns}) > 1:
            raise ValueError("columns must be as many as names, and of one length")
        if table not in TABLES:
            raise SchemaMismatch(f"table {table} is missing")
        if missing := [name for name in names if name not in TABLES[table].names]:
            raise SchemaMismatch(f"column {table}.{missing[0]} is missing")
        return sum(self.write([piece]) for piece in pack(TABLES[table], names, columns))

    def write(self, pieces: Sequence[Piece], attempts: int = 1) -> int:
        """See :class:`streams.warehouse.writer.FactsSink`."""
        if self._failures:
            self._failures -= 1
            raise self.failure
        count = 0
        for piece in pieces:
            rows = unpack(piece)
            self.rows.setdefault(piece.table.name, []).extend(rows)
            count += len(rows)
        self.inserts.append((pieces[0].table.name, count))
        return count


def unpack(piece: Piece) -> list[dict[str, object]]:
    """The rows of a piece as the driver reads them, moments in ms (its datetimes lose one now and then)."""
    block = body([piece])
    numbers: dict[Kind, str] = {"ms": "Int64", "msn": "Nullable(Int64)"}
    for kind, number in numbers.items():
        block = block.replace(text(CLICKHOUSE_TYPES[kind]), text(number))
    stream = [block]
    context = Context()
    context.client_settings = {"strings_as_bytes": False, "strings_encoding": "utf-8", "use_numpy": False}
    context.server_info = _Server()
    read = BlockInputStream(CompressedBufferedReader(stream.pop, len(block)), context).read()
    return [dict(zip(piece.names, row, strict=True)) for row in read.get_rows()]


class _Server:
    used_revision = REVISION
