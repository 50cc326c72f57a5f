"""The changelog: what its records are, and which of them count.

A record's key is the state's key. Its value is the position that the state has applied, 8 bytes big-endian,
followed by the packed state. The position mark and the fence have keys of their own and no state; within a
checkpoint the mark comes last.

A key that is gone takes two records. First its position alone, before the mark like any state: a process
that dies before the mark starts again below that position, and the fold is told to leave the key's records
up to there out, as a state that is ahead does by itself. Only when a mark at or above that position is
durable does a tombstone follow, a null with the position in a header: the brokers' compaction then removes
the key altogether. A null alone would be forgotten by the time it is needed, or come too early.

The record with the highest position wins, not the last one: where the brokers cannot fence, a process that
was frozen past its session may write an old state after a newer one. Such a key is *regressed*: until it is
written again, a compaction would keep the wrong record, so the next checkpoint does.

>>> merge = Merge()
>>> for key, value in [(b"a", pack(7, b"new")), (b"a", pack(5, b"old")), (MARK, pack(7, None))]:
...     merge.offer(key, value)
>>> merge.mark, dict(merge.states()), merge.regressed()
(7, {b'a': b'new'}, {b'a': (b'\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x07new', ())})
>>> merge.offer(b"a", pack(9, None))
>>> dict(merge.states()), merge.gone()
({}, {b'a': 9})
"""

from __future__ import annotations

from collections.abc import Iterator

from streams.errors import OperationError
from streams.lanes.api import Headers

__all__ = ["FENCE", "MARK", "Merge", "pack", "start_offset", "tombstone"]

MARK = b"\x00mark"
# Written by a new owner before it reads: from then on the brokers refuse the former one.
FENCE = b"\x00fence"
_POSITION = 8
_HEADER = "position"


def pack(position: int, state: bytes | None) -> bytes:
    """One record's value; ``state`` None for a key that is gone, for the mark and for the fence."""
    return position.to_bytes(_POSITION, "big") + (state or b"")


def tombstone(position: int) -> Headers:
    """The headers of a null for a key that is gone since ``position``."""
    return ((_HEADER, pack(position, None)),)


class Merge:
    """Takes every record of one changelog partition, in any order, and keeps each key's newest."""

    def __init__(self) -> None:
        self._best: dict[bytes, bytes] = {}
        self._nulls: set[bytes] = set()
        self._regressed: set[bytes] = set()

    def offer(self, key: bytes | None, value: bytes | None, headers: Headers = ()) -> None:
        """Take one record. Raises OperationError for one that no lane wrote."""
        null = value is None
        if value is None:
            value = next((packed for name, packed in headers if name == _HEADER), None)
            if key is not None and value is None:
                self._delete(key)
                return
        if key is None or value is None or len(value) < _POSITION:
            raise OperationError("a record in the changelog is not a lane's")
        best = self._best.get(key)
        if best is not None and value[:_POSITION] < best[:_POSITION]:
            self._regressed.add(key)
            return
        self._best[key] = value
        if self._regressed:
            self._regressed.discard(key)
        if null:
            self._nulls.add(key)
        elif self._nulls:
            self._nulls.discard(key)

    def _delete(self, key: bytes) -> None:
        """Only an operator deletes outright, e.g. to erase a person."""
        self._best.pop(key, None)
        self._nulls.discard(key)
        self._regressed.discard(key)

    @property
    def mark(self) -> int | None:
        """The position of the last checkpoint; None when there was none."""
        best = self._best.get(MARK)
        return None if best is None else _position(best)

    def states(self) -> Iterator[tuple[bytes, bytes]]:
        """Key and packed state of every key that is not gone."""
        for key, value in self._best.items():
            if len(value) > _POSITION:
                yield key, value[_POSITION:]

    def gone(self) -> dict[bytes, int]:
        """The keys that are gone and have no tombstone yet, and since which position."""
        return {
            key: _position(value)
            for key, value in self._best.items()
            if len(value) == _POSITION and key not in (MARK, FENCE) and key not in self._nulls
        }

    def regressed(self) -> dict[bytes, tuple[bytes | None, Headers]]:
        """Winning records, value and headers as they are in the log, that an older one follows."""
        found: dict[bytes, tuple[bytes | None, Headers]] = {}
        for key in self._regressed:
            best = self._best[key]
            found[key] = (None, tombstone(_position(best))) if key in self._nulls else (best, ())
        return found


def _position(value: bytes) -> int:
    return int.from_bytes(value[:_POSITION], "big")


def start_offset(mark: int | None, committed: int | None, earliest: int, *, stateful: bool) -> int:
    """Where a lane starts to read. Raises OperationError where starting would lose something unseen.

    >>> start_offset(mark=12, committed=10, earliest=0, stateful=True)
    12
    """
    if stateful:
        if mark is None and committed is not None:
            raise OperationError(f"state is lost: offset {committed} is committed and the changelog is empty")
        if mark is not None and committed is not None and mark < committed:
            raise OperationError(
                f"state is lost: offset {committed} is committed, the changelog ends at {mark}"
            )
    start = mark if stateful else committed
    if start is None:
        return earliest
    if start < earliest:
        raise OperationError(f"records {start} to {earliest - 1} were deleted before they were read")
    return start
