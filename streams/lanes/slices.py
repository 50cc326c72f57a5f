"""Fetched batches, read a slice of records at a time.

aiokafka's ``PartitionRecords`` makes one step of a generator and one call for each record, which costs more
than unpacking it. It is given these in place of its batches: it does all that it does (checksums, control
batches, transactions, the position), and takes a slice for a record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from streams.lanes.api import Record

__all__ = ["Slice", "Slices", "with_headers", "without_headers"]

_new: Any = tuple.__new__


class Slice(NamedTuple):
    """Records in offset order; ``offset`` is that of the last one."""

    offset: int
    records: list[Record]


def without_headers(batch: Iterable[Any], first: int) -> list[Record]:
    """The records of a batch from an offset on."""
    kept = Record
    return [_new(kept, (r.offset, r.timestamp, r.key, r.value, ())) for r in batch if r.offset >= first]


def with_headers(batch: Iterable[Any], first: int) -> list[Record]:
    """The same with their headers."""
    kept = Record
    return [
        _new(kept, (r.offset, r.timestamp, r.key, r.value, tuple(r.headers)))
        for r in batch
        if r.offset >= first
    ]


class Slices:
    """In place of a ``PartitionRecords``' ``MemoryRecords``."""

    def __init__(
        self, batches: Any, first: int, most: int, unpack: Callable[[Iterable[Any], int], list[Record]]
    ) -> None:
        """Records from offset ``first`` on, at most ``most`` together."""
        self._batches = batches
        self._first = first
        self._most = most
        self._unpack = unpack
        self.has_next = batches.has_next

    def next_batch(self) -> Any:
        """The next batch; None after the last."""
        batch = self._batches.next_batch()
        return None if batch is None else _Batch(batch, self)

    def cut(self, batch: Iterable[Any]) -> Iterator[Slice]:
        """A batch's records."""
        records, most = self._unpack(batch, self._first), self._most
        for at in range(0, len(records), most):
            part = records[at : at + most]
            yield Slice(part[-1].offset, part)


class _Batch:
    """One batch: itself in all but its records."""

    def __init__(self, batch: Any, slices: Slices) -> None:
        self._batch = batch
        self._slices = slices

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Slice]:
        return self._slices.cut(self._batch)
