"""Rows of facts in ClickHouse's Native form, made the moment a block of facts arrives.

The driver's own way costs several times as much (a Python object held for each value until the insert, a
merged list a column, a walk over each value), and only finds a value that does not fit when the insert has
begun. Here a block becomes bytes at once: whatever is wrong with it is its own fault and nobody else's, what
waits for a database is compact, and the pieces of an insert are joined into one block.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from detectors.tables import CLICKHOUSE_TYPES, Table
from streams.engine.packets import BLOCK_INFO
from streams.engine.wire import text, varint
from streams.warehouse.columns import ERRORS, FORMS, Form, size
from streams.warehouse.split import by_months, months_of

__all__ = ["MisfitError", "Piece", "body", "pack", "salvage"]

Values = Sequence[Any]
Columns = Sequence[Values]


class MisfitError(ValueError):
    """A column with a value that it cannot hold; names the column and never the value."""

    def __init__(self, column: str) -> None:
        super().__init__(f"a value does not fit column {column}")
        self.column = column


class Piece(NamedTuple):
    """Rows of one table, packed: a part for each of ``names``. ``months`` are those that they touch."""

    table: Table
    names: tuple[str, ...]
    rows: int
    months: frozenset[int]
    parts: list[Any]
    size: int


def pack(table: Table, names: Sequence[str], columns: Columns) -> list[Piece]:
    """``columns`` (one of ``table`` a name, of one length; times in ms), cut where they span many months.

    Raises MisfitError for a value that its column cannot hold.
    """
    if not columns or not columns[0]:
        return []
    named = tuple(names)
    if "time" not in named:
        return [_piece(table, named, columns, frozenset((0,)))]
    times = columns[named.index("time")]
    try:
        months = months_of(times)
    except ERRORS:
        raise MisfitError(f"{table.name}.time") from None
    return [_piece(table, named, part, within) for part, within in by_months(times, columns, months)]


def _piece(table: Table, names: tuple[str, ...], columns: Columns, months: frozenset[int]) -> Piece:
    parts = []
    for (_, form), name, values in zip(_forms(table, names), names, columns, strict=True):
        try:
            parts.append(form.pack(values))
        except ERRORS:
            raise MisfitError(f"{table.name}.{name}") from None
    return Piece(table, names, len(columns[0]), months, parts, sum(map(size, parts)))


def body(pieces: Sequence[Piece]) -> bytes:
    """One Native block of pieces with the same table and names."""
    first = pieces[0]
    blocks = [BLOCK_INFO, varint(len(first.names)), varint(sum(piece.rows for piece in pieces))]
    columns = zip(*(piece.parts for piece in pieces), strict=True)
    for (head, form), parts in zip(_forms(first.table, first.names), columns, strict=True):
        blocks += (head, form.join(parts))
    return b"".join(blocks)


def salvage(table: Table, names: Sequence[str], columns: Columns) -> tuple[list[Piece], int]:
    """:func:`pack` without the rows that do not fit, and how many those were; for when it raised."""
    bad = {
        row
        for (_, form), values in zip(_forms(table, tuple(names)), columns, strict=True)
        for row in _misfits(form, values)
    }
    kept = [row for row in range(len(columns[0])) if row not in bad]
    return pack(table, names, [[values[row] for row in kept] for values in columns]), len(bad)


def _misfits(form: Form, values: Values) -> Iterator[int]:
    if not _fits(form, values):
        for row, value in enumerate(values):
            if not _fits(form, (value,)):
                yield row


def _fits(form: Form, values: Values) -> bool:
    try:
        form.pack(values)
    except ERRORS:
        return False
    return True


@lru_cache(maxsize=256)
def _forms(table: Table, names: tuple[str, ...]) -> list[tuple[bytes, Form]]:
    """For each name what precedes its column (the name, and the type in full), and how it is made."""
    kinds = {column.name: column.kind for column in table.columns}
    return [(text(name) + text(CLICKHOUSE_TYPES[kinds[name]]), FORMS[kinds[name]]) for name in names]
