"""Columns in ClickHouse's Native form, in parts: packed as a block of facts arrives, joined for an insert.

Each kind of column (:mod:`detectors.tables`) has a way to pack values and one to join packed parts. Joining
costs next to nothing: bytes are put one after another, and of a LowCardinality column the numbers of its own
small dictionary are translated into those of the whole.

Formats: ClickHouse ``src/DataTypes/Serializations`` at client revisions before 54454 (``native.py`` of the
embedded engine steps over the same).

>>> lc = FORMS["lc"]
>>> parts = [lc.pack(["web", "app", "web"]), lc.pack(["app", "app"])]
>>> parts[0].keys, list(parts[0].numbers)
(('web', 'app'), [0, 1, 0])
>>> lc.join(parts)[-5:]
b'\\x00\\x01\\x00\\x01\\x01'
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from detectors.tables import Kind
from streams.engine.wire import text, varint

__all__ = ["ERRORS", "FORMS", "Form", "size"]

Values = Sequence[Any]

# What packing a value that its column cannot hold raises.
ERRORS = (TypeError, ValueError, OverflowError, AttributeError, struct.error)
# One byte says the length of strings up to here.
SHORT = 0x7F
# LowCardinality: keys of the block's own, and no others (ADDITIONAL_KEYS, NEED_UPDATE_DICTIONARY).
OWN_KEYS, KEYS_VERSION = (1 << 9) | (1 << 10), 1
# Codes of ``array`` for numbers of 1, 2 and 4 bytes: the width of a dictionary's numbers.
WIDTHS = "BHI"
IDENTITY = bytes(range(256))
# What CPython adds to the bytes of an object, with its place in a list.
OBJECT = 56


class Form(NamedTuple):
    """Of one kind: values to a part, and parts to the column."""

    pack: Callable[[Values], Any]
    join: Callable[[Sequence[Any]], bytes]


class Keyed(NamedTuple):
    """A LowCardinality part: its different values, and for each row the number of its own."""

    keys: tuple[str, ...]
    numbers: bytes | array[int]


class Nullable(NamedTuple):
    """A part with a byte for each row that says whether it is NULL, and values with zeros in those places."""

    nulls: bytes
    values: bytes


def size(part: bytes | Nullable | Keyed) -> int:
    """About how many bytes of memory a part takes."""
    if isinstance(part, bytes):
        return OBJECT + len(part)
    if isinstance(part, Nullable):
        return 2 * OBJECT + len(part.nulls) + len(part.values)
    numbers = len(part.numbers) * (part.numbers.itemsize if isinstance(part.numbers, array) else 1)
    return 2 * OBJECT + numbers + sum(map(len, part.keys)) + OBJECT * len(part.keys)


def _constant(values: Values) -> bool:
    # Most columns of a block are one value over and over; two looks spare most others the walk.
    first = values[0]
    return bool(
        first == values[-1] and first == values[len(values) // 2] and values.count(first) == len(values)
    )


def _numbers(code: str) -> Form:
    def pack(values: Values) -> bytes:
        return struct.pack(f"<{len(values)}{code}", *values)

    return Form(pack, b"".join)


def _nullable(code: str) -> Form:
    def pack(values: Values) -> Nullable:
        nulls = bytes([value is None for value in values])
        filled = [0 if value is None else value for value in values]
        return Nullable(nulls, struct.pack(f"<{len(values)}{code}", *filled))

    def join(parts: Sequence[Nullable]) -> bytes:
        return b"".join([*(part.nulls for part in parts), *(part.values for part in parts)])

    return Form(pack, join)


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
            joined = "".join(_woven(map(chr, lengths), values))
        if joined.isascii():
            return joined.encode()
    encoded = list(map(str.encode, values))
    return b"".join(_woven(map(_length, map(len, encoded)), encoded))


_length = lru_cache(maxsize=4096)(varint)


def _woven(lengths: Iterable[Any], values: Values) -> list[Any]:
    woven: list[Any] = [None] * (2 * len(values))
    woven[::2] = lengths
    woven[1::2] = values
    return woven


def _pack_keys(values: Values) -> Keyed:
    if _constant(values):
        text(values[0])  # a value that is no string must fail here
        return Keyed((values[0],), bytes(len(values)))
    places = {value: place for place, value in enumerate(dict.fromkeys(values))}
    _strings(list(places))
    numbers = itemgetter(*values)(places)
    return Keyed(tuple(places), _narrow(numbers, len(places)))


def _narrow(numbers: Iterable[int], keys: int) -> bytes | array[int]:
    width = _width(keys)
    return bytes(numbers) if width == 0 else array(WIDTHS[width], numbers)


def _width(keys: int) -> int:
    return 0 if keys <= 1 << 8 else 1 if keys <= 1 << 16 else 2


def _join_keys(parts: Sequence[Keyed]) -> bytes:
    places: dict[str, int] = {}
    for part in parts:
        for key in part.keys:
            places.setdefault(key, len(places))
    width = _width(len(places))
    joined = bytearray()
    for keys, numbers in parts:
        to = [places[key] for key in keys]
        if width == 0:
            # Few keys in all, so few in each: their numbers are bytes.
            moved = to != list(range(len(to)))
            joined += bytes(numbers).translate(bytes(to) + IDENTITY[len(to) :]) if moved else numbers
        else:
            joined += struct.pack(f"<{len(numbers)}{WIDTHS[width]}", *map(to.__getitem__, numbers))
    rows = len(joined) >> width
    head = struct.pack("<3q", KEYS_VERSION, OWN_KEYS | width, len(places))
    return b"".join((head, _strings(list(places)), struct.pack("<q", rows), joined))


FORMS: dict[Kind, Form] = {
    "lc": Form(_pack_keys, _join_keys),
    "str": Form(_strings, b"".join),
    "f64": _numbers("d"),
    "f64n": _nullable("d"),
    "u8": Form(bytes, b"".join),
    "u32": _numbers("I"),
    "i32": _numbers("i"),
    "i64": _numbers("q"),
    "ms": _numbers("q"),
    "msn": _nullable("q"),
}
