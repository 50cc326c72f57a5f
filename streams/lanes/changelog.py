"""The changelog: what its records are, and which of them count.

A record's key is the state's key. Its value is the position that the state has applied, 8 bytes big-endian,
followed by the packed state; nothing follows for a key that is gone. The position mark has a key of its own
and no state. Within a checkpoint the mark comes last.

The record with the highest position wins, not the last one: a process that was frozen past its session may
write an old state after a newer one. Such a key is *regressed*: until it is written again, a compaction
would keep the wrong record, so the next checkpoint does.

>>> merge = Merge()
>>> for key, value in [(b"a", pack(7, b"new")), (b"a", pack(5, b"old")), (MARK, pack(7, None))]:
...     merge.offer(key, value)
>>> merge.mark, dict(merge.states()), merge.regressed()
(7, {b'a': b'new'}, {b'a': b'\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x07new'})
"""

from __future__ import annotations

from collections.abc import Iterator

from streams.errors import OperationError

__all__ = ["MARK", "Merge", "pack", "start_offset"]

MARK = b"\x00mark"
_POSITION = 8


def pack(position: int, state: bytes | None) -> bytes:
    """One record's value; ``state`` None for a key that is gone, and for the mark."""
    return position.to_bytes(_POSITION, "big") + (state or b"")


class Merge:
    """Takes every record of one changelog partition, in any order, and keeps each key's newest."""

    def __init__(self) -> None:
        self._best: dict[bytes, bytes] = {}
        self._regressed: set[bytes] = set()

    def offer(self, key: bytes | None, value: bytes | None) -> None:
        """Take one record. Raises OperationError for one that no lane wrote."""
        if key is None or (value is not None and len(value) < _POSITION):
            raise OperationError("a record in the changelog is not a lane's")
        if value is None:
            # Only an operator deletes outright, e.g. to erase a person.
            self._best.pop(key, None)
            self._regressed.discard(key)
            return
        best = self._best.get(key)
        if best is None or value[:_POSITION] >= best[:_POSITION]:
            self._best[key] = value
            self._regressed.discard(key)
        else:
            self._regressed.add(key)

    @property
    def mark(self) -> int | None:
        """The position of the last checkpoint; None when there was none."""
        best = self._best.get(MARK)
        return None if best is None else int.from_bytes(best[:_POSITION], "big")

    def states(self) -> Iterator[tuple[bytes, bytes]]:
        """Key and packed state of every key that is not gone."""
        for key, value in self._best.items():
            if key != MARK and len(value) > _POSITION:
                yield key, value[_POSITION:]

    def regressed(self) -> dict[bytes, bytes]:
        """The winning records, values as they are in the log, that an older one follows."""
        return {key: self._best[key] for key in self._regressed}


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
