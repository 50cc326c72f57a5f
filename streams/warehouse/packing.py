"""Columns of facts in ClickHouse's Native form, made the moment a block of facts arrives.

The driver's own way costs several times as much (a Python object held for each value until the insert, a
merged list a column, a walk over each value), and only finds a value that does not fit when the insert has
begun. Here a block becomes bytes at once: whatever is wrong with it is its own fault and nobody else's, what
waits for a database is compact, and an insert sends the bytes of many blocks one after another (the server
puts them together).

Formats: ClickHouse ``src/DataTypes/Serializations`` at client revisions before 54454 (see ``native.py`` of
the embedded engine, which reads the same).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from detectors.tables import CLICKHOUSE_TYPES, Kind, Table
from streams.engine.wire import text, varint
from streams.warehouse.split import by_months, months_of

__all__ = ["MisfitError", "Piece", "pack", "salvage"]

Values = Sequence[Any]
Columns = Sequence[Values]

# One byte says the length of strings up to here.
SHORT = 0x7F
# A dictionary of its own in each block: ADDITIONAL_KEYS and NEED_UPDATE of the format's first word.
OWN_KEYS, KEYS_VERSION = (1 << 9) | (1 << 10), 1
# What a value that is wrong for its column raises, of those below.
ERRORS = (TypeError, ValueError, OverflowError, AttributeError, struct.error)


class MisfitError(ValueError):
    """A column with a value that it cannot hold; names the column and never the value."""

    def __init__(self, column: str) -> None:
        super().__init__(f"a value does not fit column {column}")
        self.column = column


class Piece(NamedTuple):
    """Rows of one table as one Native block: ``body`` is the block without its info."""

    table: str
    names: tuple[str, ...]
    rows: int
    months: frozenset[int]
    body: bytes


def pack(table: Table, names: Sequence[str], columns: Columns) -> list[Piece]:
    """``columns`` (one of ``table`` a name, of one length; times in ms), cut where they span many months.

    Raises MisfitError for a value that its column cannot hold.
    """
    if not columns or not columns[0]:
        return []
    named = tuple(names)
    months, times = frozenset((0,)), None
    if "time" in named:
        times = columns[named.index("time")]
        try:
            months = months_of(times)
        except ERRORS:
            raise MisfitError(f"{table.name}.time") from None
    cut = [(columns, months)] if times is None else by_months(times, columns, months)
    return [_piece(table, named, part, within) for part, within in cut]


def salvage(table: Table, names: Sequence[str], columns: Columns) -> tuple[list[Piece], int]:
    """The same without the rows that do not fit, and how many those were; for when :func:`pack` raised."""
    bad = {
        row
        for name, values in zip(names, columns, strict=True)
        for row in _misfits(PACKERS[_kinds(table)[name]], values)
    }
    count = len(columns[0])
    kept = [row for row in range(count) if row not in bad]
    return pack(table, names, [[values[row] for row in kept] for values in columns]), len(bad)


def _misfits(packer: Callable[[Values], bytes], values: Values) -> Iterator[int]:
    if _fits(packer, values):
        return
    for row, value in enumerate(values):
        if not _fits(packer, (value,)):
            yield row


def _fits(packer: Callable[[Values], bytes], values: Values) -> bool:
    try:
        packer(values)
    except ERRORS:
        return False
    return True


def _piece(table: Table, names: tuple[str, ...], columns: Columns, months: frozenset[int]) -> Piece:
    rows = len(columns[0])
    parts = [varint(len(names)), varint(rows)]
    for (head, packer, name), values in zip(_heads(table, names), columns, strict=True):
        parts.append(head)
        try:
            parts.append(packer(values))
        except ERRORS:
            raise MisfitError(f"{table.name}.{name}") from None
    return Piece(table.name, names, rows, months, b"".join(parts))


def _kinds(table: Table) -> dict[str, Kind]:
    return {column.name: column.kind for column in table.columns}


@lru_cache(maxsize=256)
def _heads(table: Table, names: tuple[str, ...]) -> list[tuple[bytes, Callable[[Values], bytes], str]]:
    kinds = _kinds(table)
    return [(text(name) + text(CLICKHOUSE_TYPES[kinds[name]]), PACKERS[kinds[name]], name) for name in names]


# -- one function a kind: values to bytes; most columns of a block are one value over and over -------------


def _constant(values: Values) -> bool:
    # Two looks spare most columns that vary the walk.
    first = values[0]
    return first == values[-1] and first == values[len(values) // 2] and values.count(first) == len(values)


def _numbers(code: str) -> Callable[[Values], bytes]:
    def pack_numbers(values: Values) -> bytes:
        return struct.pack(f"<{len(values)}{code}", *values)

    return pack_numbers


def _nullable(code: str) -> Callable[[Values], bytes]:
    def pack_nullable(values: Values) -> bytes:
        nulls = bytes([value is None for value in values])
        return nulls + struct.pack(
            f"<{len(values)}{code}", *[0 if value is None else value for value in values]
        )

    return pack_nullable


def _strings(values: Values) -> bytes:
    count = len(values)
    if _constant(values):
        return text(values[0]) * count
    lengths = list(map(len, values))
    if max(lengths) <= SHORT:
        # Lengths as characters between the strings: one join for the column.
        if min(lengths) == max(lengths):
            sign = chr(lengths[0])
            joined = sign + sign.join(values)
        else:
            woven: list[str] = [""] * (2 * count)
            woven[::2] = map(chr, lengths)
            woven[1::2] = values
            joined = "".join(woven)
        if joined.isascii():
            return joined.encode()
    encoded = list(map(str.encode, values))
    parts: list[bytes] = [b""] * (2 * count)
    parts[::2] = map(_length, map(len, encoded))
    parts[1::2] = encoded
    return b"".join(parts)


_length = lru_cache(maxsize=4096)(varint)


def _low_cardinality(values: Values) -> bytes:
    count = len(values)
    places: dict[str, int]
    if _constant(values):
        places, width, index = {values[0]: 0}, 0, bytes(count)
    else:
        places = {value: place for place, value in enumerate(dict.fromkeys(values))}
        numbers = itemgetter(*values)(places)
        width = 0 if len(places) <= 1 << 8 else 1 if len(places) <= 1 << 16 else 2
        index = struct.pack(f"<{count}{'BHI'[width]}", *numbers)
    head = struct.pack("<3q", KEYS_VERSION, OWN_KEYS | width, len(places))
    return head + _strings(list(places)) + struct.pack("<q", count) + index


PACKERS: dict[Kind, Callable[[Values], bytes]] = {
    "lc": _low_cardinality,
    "str": _strings,
    "f64": _numbers("d"),
    "f64n": _nullable("d"),
    "u8": bytes,
    "u32": _numbers("I"),
    "i32": _numbers("i"),
    "i64": _numbers("q"),
    "ms": _numbers("q"),
    "msn": _nullable("q"),
}
