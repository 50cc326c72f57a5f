"""Where a Native block ends: columns carry no length, so each type must know how to step over its values.

The engine passes blocks on as they are (client to chdb, chdb to client) and never looks at a value; it only
has to cut them out of a stream. Formats: ClickHouse ``src/DataTypes/Serializations``, client revision 0.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

from streams.engine.wire import ProtocolError, Source, text, varint

__all__ = ["Block", "UnsupportedTypeError", "header_block", "read_block", "skipper", "split"]

FIXED_BYTES = {
    "UInt8": 1, "Int8": 1, "Bool": 1, "Enum8": 1, "Nothing": 1,
    "UInt16": 2, "Int16": 2, "Enum16": 2, "Date": 2, "BFloat16": 2,
    "UInt32": 4, "Int32": 4, "Float32": 4, "DateTime": 4, "Date32": 4, "IPv4": 4, "Decimal32": 4, "Time": 4,
    "UInt64": 8, "Int64": 8, "Float64": 8, "DateTime64": 8, "Decimal64": 8, "Time64": 8,
    "UInt128": 16, "Int128": 16, "UUID": 16, "IPv6": 16, "Decimal128": 16, "Point": 16,
    "UInt256": 32, "Int256": 32, "Decimal256": 32,
}  # fmt: skip
# Decimal(P, S) takes the smallest integer that holds P digits.
DECIMAL_BYTES = ((9, 4), (18, 8), (38, 16), (76, 32))
# LowCardinality: bits of the word before each part's dictionary.
ADDITIONAL_KEYS, GLOBAL_DICTIONARY = 1 << 9, 1 << 8
U64 = struct.Struct("<Q")
# How many strings are looked at for a run of one length, and how many are stepped over one by one before
# the next try.
RUN, STEP = 8192, 256


class UnsupportedTypeError(Exception):
    """A column type whose values we cannot step over."""


class Block(NamedTuple):
    """One block of a stream: names and types of its columns, and its Native form without the block info."""

    rows: int
    body: bytes
    columns: list[tuple[str, str]]


class Skipper(NamedTuple):
    """How to step over a column: its state prefix, then the values of that many rows."""

    prefix: Callable[[Source], None]
    body: Callable[[Source, int], None]


def read_block(source: Source, *, info: bool) -> Block:
    """Cut the next block out of ``source``, with the protocol's block info before it when ``info``.

    Raises ProtocolError, UnsupportedTypeError, EOFError.
    """
    source.forget()
    if info:
        _skip_info(source)
    start = source.pos
    count, rows = source.varint(), source.varint()
    columns = []
    for _ in range(count):
        name, kind = source.text(), source.text()
        columns.append((name, kind))
        column = skipper(kind)
        if rows:
            column.prefix(source)
            column.body(source, rows)
    return Block(rows, bytes(source.data[start : source.pos]), columns)


def split(stream: bytes) -> Iterator[Block]:
    """The blocks of a whole Native stream, as the engine returns it for statements it does not stream."""

    def fill() -> bytes:
        raise EOFError

    source = Source(fill)
    source.data += stream
    while source.buffered:
        yield read_block(source, info=False)


def header_block(columns: list[tuple[str, str]]) -> Block:
    """A block without rows, which names columns and their types: what a client hears first."""
    names = b"".join(text(name) + text(kind) for name, kind in columns)
    return Block(0, varint(len(columns)) + b"\x00" + names, columns)


def _skip_info(source: Source) -> None:
    while field := source.varint():
        if field not in (1, 2):
            raise ProtocolError("unknown field in a block's info")
        source.skip(1 if field == 1 else 4)


@lru_cache(maxsize=1024)
def skipper(kind: str) -> Skipper:
    """How to step over a column of type ``kind``; raises UnsupportedTypeError.

    >>> skipper("JSON")
    Traceback (most recent call last):
    streams.engine.native.UnsupportedTypeError: JSON
    """
    name, _, rest = kind.partition("(")
    arguments = _arguments(rest[:-1]) if rest else []
    if size := _fixed_size(name, arguments):
        return Skipper(_nothing, lambda source, rows: source.skip(size * rows))
    match name:
        case "String":
            return Skipper(_nothing, _skip_strings)
        case "Nullable":
            return _nullable(skipper(arguments[0]))
        case "LowCardinality":
            return _low_cardinality(arguments[0])
        case "SimpleAggregateFunction":
            return skipper(arguments[1])
        case "Array":
            return _array(skipper(arguments[0]))
        case "Tuple":
            return _tuple([_element(argument) for argument in arguments])
        case "Map" | "Nested":
            return _array(_tuple([_element(argument) for argument in arguments]))
    raise UnsupportedTypeError(kind)


def _fixed_size(name: str, arguments: list[str]) -> int:
    if name == "FixedString":
        return int(arguments[0])
    if name == "Decimal":
        digits = int(arguments[0])
        return next(size for limit, size in DECIMAL_BYTES if digits <= limit)
    return 8 if name.startswith("Interval") else FIXED_BYTES.get(name, 0)


def _nothing(source: Source) -> None:
    pass


def _skip_strings(source: Source, rows: int) -> None:
    # The only loop per value in here. Ids and empty strings come in runs of one length, which are stepped
    # over at the speed of a slice; where lengths vary, trying for a run costs one slice in STEP values.
    while rows > 0:
        rows -= _skip_run(source, rows)
        rows -= _skip_some(source, min(rows, STEP))


def _skip_run(source: Source, rows: int) -> int:
    """Step over the values at the front that are as long as the first; how many were (all of them known)."""
    data, pos = source.data, source.pos
    if pos >= len(data) or data[pos] > 0x7F:
        return 0
    stride = data[pos] + 1
    known = min(rows, RUN, (len(data) - pos) // stride)
    # If every byte at this stride is that length, each of them is a length: by induction from the first.
    lengths = data[pos : pos + known * stride : stride]
    run = known - len(lengths.lstrip(bytes((data[pos],))))
    source.pos = pos + run * stride
    return run


def _skip_some(source: Source, rows: int) -> int:
    """Step over ``rows`` values one by one, receiving what is not there yet."""
    data, pos, end = source.data, source.pos, len(source.data)
    for _ in range(rows):
        if pos >= end:
            source.reach(pos + 1)
            end = len(data)
        length = data[pos]
        pos += 1
        if length > 0x7F:
            source.pos = pos - 1
            length = source.varint()
            pos, end = source.pos, len(data)
        pos += length
    source.pos = pos
    source.reach(pos)
    return rows


def _nullable(inner: Skipper) -> Skipper:
    def body(source: Source, rows: int) -> None:
        source.skip(rows)
        inner.body(source, rows)

    return Skipper(inner.prefix, body)


def _low_cardinality(kind: str) -> Skipper:
    # The dictionary of a nullable type holds plain values; its first stands for NULL.
    keys = skipper(kind[len("Nullable(") : -1] if kind.startswith("Nullable(") else kind)

    def body(source: Source, rows: int) -> None:
        if not rows:
            return
        word = U64.unpack(source.take(8))[0]
        if word & GLOBAL_DICTIONARY or not word & ADDITIONAL_KEYS:
            raise ProtocolError("a LowCardinality column with a global dictionary")
        keys.body(source, U64.unpack(source.take(8))[0])
        count = U64.unpack(source.take(8))[0]
        source.skip(count << (word & 0xF))

    return Skipper(lambda source: source.skip(8), body)


def _array(inner: Skipper) -> Skipper:
    def body(source: Source, rows: int) -> None:
        if rows:
            source.skip(8 * (rows - 1))
            inner.body(source, U64.unpack(source.take(8))[0])

    return Skipper(inner.prefix, body)


def _tuple(elements: list[Skipper]) -> Skipper:
    def prefix(source: Source) -> None:
        for element in elements:
            element.prefix(source)

    def body(source: Source, rows: int) -> None:
        for element in elements:
            element.body(source, rows)

    return Skipper(prefix, body)


def _element(argument: str) -> Skipper:
    # ``Tuple(a UInt8)`` and ``Nested(a UInt8)`` name their elements, ``Tuple(UInt8)`` does not.
    named = re.match(r"(?:`[^`]*`|\w+)\s+(?=\w)", argument)
    return skipper(argument[named.end() :] if named else argument)


def _arguments(inner: str) -> list[str]:
    """Split at the commas outside brackets and quotes.

    >>> _arguments("LowCardinality(String), Enum8('a,b' = 1)")
    ['LowCardinality(String)', "Enum8('a,b' = 1)"]
    """
    parts, depth, quoted, start = [], 0, False, 0
    for index, char in enumerate(inner):
        if char == "'" and inner[index - 1 : index] != "\\":
            quoted = not quoted
        elif not quoted:
            depth += (char == "(") - (char == ")")
            if char == "," and depth == 0:
                parts.append(inner[start:index].strip())
                start = index + 1
    return [*parts, inner[start:].strip()]
