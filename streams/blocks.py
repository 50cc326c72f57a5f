"""Blocks of facts: rows of one table as columns, on their way through Kafka to ClickHouse.

MessagePack of ``[version, table, partition, count, names, columns]``: columns compress and insert several
times faster than rows, and the names travel along so that a block outlives a change of the catalogue.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from detectors import quick
from detectors.event_row import as_row
from detectors.tables import TABLES

__all__ = ["BadBlockError", "Block", "Growing", "decode", "encode"]

# Of the layout above; a reader refuses any other.
VERSION = 1


class BadBlockError(ValueError):
    """Bytes that are not a block, or one that this version cannot read."""


class Block(msgspec.Struct, frozen=True):
    """``count`` rows of ``table``: ``columns[i][r]`` is column ``names[i]`` of row ``r``."""

    table: str
    names: list[str]
    columns: list[list[Any]]
    count: int
    partition: int


class _Wire(msgspec.Struct, array_like=True, frozen=True):
    version: int
    table: str
    partition: int
    count: int
    names: list[str]
    columns: list[list[Any]]


_SIX = b"\x96"
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Wire)


def encode(table: str, rows: Sequence[object], partition: int) -> bytes:
    """Pack ``rows`` as :class:`detectors.moment.Findings` has them; ``partition`` is that of their events.

    Raises ValueError for no rows, or rows of another width than the table's.
    """
    names = TABLES[table].names
    if rows:
        before = _before(table, partition, len(rows))
        packed = quick.columns(rows if isinstance(rows, list) else list(rows), len(names), before)
        if packed is not None:
            return packed
    columns = list(zip(*map(as_row, rows), strict=True))
    if len(columns) != len(names):
        raise ValueError(f"{table}: {len(columns)} values a row, {len(names)} columns")
    return _encoder.encode((VERSION, table, partition, len(rows), names, columns))


def _before(table: str, partition: int, count: int) -> bytes:
    """A block up to its columns, which are the last of its six."""
    return _SIX + _encoder.encode((VERSION, table, partition, count, TABLES[table].names))[1:]


class Growing:
    """A block that grows by a few rows at a time, while the processor still has them at hand."""

    def __init__(self, table: str, partition: int, most: int) -> None:
        """At most ``most`` bytes of columns."""
        self._table, self._partition, self._most = table, partition, most
        self._columns: Any = quick.Columns(len(TABLES[table].names)) if quick.Columns else None

    def add(self, rows: list[Any]) -> bool:
        """Whether the rows are in it now; if not, none is: :func:`encode` may take them, or say why not."""
        return self._columns is not None and bool(self._columns.add(rows, self._most))

    @property
    def size(self) -> int:
        """Bytes so far, 0 where it has no rows."""
        return int(self._columns.size) if self._columns is not None else 0

    def take(self) -> bytes:
        """The block; the next one begins."""
        packed: bytes = self._columns.take(_before(self._table, self._partition, self._columns.count))
        return packed


def decode(raw: bytes) -> Block:
    """Unpack a block and check its shape. Raises :class:`BadBlockError`; its reason holds no value."""
    try:
        wire = _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadBlockError("not a block of facts") from None
    if wire.version != VERSION:
        raise BadBlockError(f"version {wire.version} of the layout; this is version {VERSION}")
    if wire.table not in TABLES:
        raise BadBlockError("an unknown table")
    if len(set(wire.names)) != len(wire.names) or not set(wire.names) <= set(TABLES[wire.table].names):
        raise BadBlockError(f"unknown or repeated columns of {wire.table}")
    if len(wire.columns) != len(wire.names):
        raise BadBlockError(f"{len(wire.columns)} columns under {len(wire.names)} names")
    if any(len(column) != wire.count for column in wire.columns):
        raise BadBlockError(f"a column is not of {wire.count} values")
    return Block(wire.table, wire.names, wire.columns, wire.count, wire.partition)
