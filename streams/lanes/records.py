"""Records of a chunk, which with the compiled build are no objects until somebody asks for one.

>>> chunk = joined([[Record(0, 5, None, b"a"), Record(1, 5, None, None)], [Record(2, 6, None, b"bc")]])
>>> len(chunk), size_of(chunk), list(values(chunk, 1, 9))
(3, 3, [(1, 5, None), (2, 6, b'bc')])
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from detectors import BUILD
from streams.lanes.api import Record

__all__ = ["Value", "joined", "size_of", "unpacked", "values"]

#: What is read of most records: offset, time stamp (ms), value.
Value = tuple[int, int, bytes | None]

#: The records of a batch's payload; None for what is not of the usual form (``_unpack.pyx``).
unpacked: Callable[..., Any] | None = None
_joined: Callable[[list[Any]], Sequence[Record]] | None = None
_Packed: Any = None

if BUILD == "compiled":
    from streams.lanes._unpack import Records as _Packed
    from streams.lanes._unpack import joined as _joined
    from streams.lanes._unpack import records as unpacked


def joined(parts: list[Sequence[Record]]) -> Sequence[Record]:
    """Several as one."""
    if _joined is not None and parts and all(type(part) is _Packed for part in parts):
        return _joined(parts)
    return [record for part in parts for record in part]


def size_of(records: Sequence[Record]) -> int:
    """Bytes of all values together."""
    if _joined is not None and isinstance(records, _Packed):
        size: int = records.size
        return size
    return sum([len(record[3]) for record in records if record[3]])


def values(records: Sequence[Record], start: int, stop: int) -> Iterator[Value]:
    """Offset, time stamp and value of each from ``start`` to before ``stop``, or to the end."""
    if _joined is not None and isinstance(records, _Packed):
        packed: Iterator[Value] = records.values(start, stop)
        return packed
    return ((record[0], record[1], record[3]) for record in records[start:stop])
