"""Fetched batches, read a slice of records at a time.

aiokafka's ``PartitionRecords`` makes one step of a generator, one object and one call for each record, which
costs more than unpacking it. It is given these in place of its batches: it does all that it does (checksums,
control batches, transactions, the position), and takes a slice for a record. With the compiled build a
slice's records stay bytes of their batch until somebody asks for one (``_unpack.pyx``).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from aiokafka import codec
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.memory_records import MemoryRecords

from streams.lanes.api import Record
from streams.lanes.codecs import lz4_decode
from streams.lanes.records import unpacked

__all__ = ["Kept", "Slice", "Slices", "install"]

# Of a batch of format 2: offset, length, leader's epoch, format, checksum, attributes, last offset, first and
# last time stamp, producer, its epoch, sequence, records.
_HEAD: Final = struct.Struct(">qiibIhiqqqhii")
_FORMAT: Final = 2
_CODEC: Final = 0b111
_STAMPED: Final = 0b1000  # by the broker, with the last time stamp
_DECODE: Final[dict[int, Callable[[Any], bytes]]] = {
    DefaultRecordBatch.CODEC_NONE: bytes,
    DefaultRecordBatch.CODEC_LZ4: lz4_decode,
    DefaultRecordBatch.CODEC_ZSTD: lambda payload: bytes(codec.zstd_decode(bytes(payload))),
}
_new: Any = tuple.__new__


class Kept:
    """In place of aiokafka's ``MemoryRecords``: can be asked for its bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        batches = MemoryRecords(data)
        self.has_next = batches.has_next
        self.next_batch = batches.next_batch
        self.size_in_bytes = batches.size_in_bytes


def install() -> None:
    """From now on, for every consumer of aiokafka in this process."""
    fetcher.MemoryRecords = Kept


class Slice(NamedTuple):
    """Records in offset order; ``offset`` is that of the last one."""

    offset: int
    records: Sequence[Record]


class Slices:
    """In place of the ``MemoryRecords`` of a ``PartitionRecords``."""

    def __init__(self, batches: Kept, first: int, most: int, *, headers: bool) -> None:
        """Records from offset ``first`` on, at most ``most`` together, with their ``headers`` or without."""
        self._batches = batches
        self._at = 0
        self._first = first
        self._most = most
        self._headers = headers
        self.has_next = batches.has_next

    def next_batch(self) -> Any:
        """The next batch; None after the last."""
        batch = self._batches.next_batch()
        if batch is None:
            return None
        at = self._at
        self._at += 12 + int.from_bytes(self._batches.data[at + 8 : at + 12], "big")
        return _Batch(batch, self, at)

    def cut(self, batch: Iterable[Any], at: int) -> Iterator[Slice]:
        """The records of a batch, which is at a place in the bytes."""
        packed = None if self._headers or unpacked is None else self._unpack(at)
        found: Any = self._general(batch) if packed is None else packed
        for start in range(0, len(found), self._most):
            stop = start + self._most
            part = found[start:stop] if packed is None else packed.part(start, stop)
            yield Slice(part[-1].offset, part)

    def _unpack(self, at: int) -> Any:
        """The quick way; None for what is not of the usual form."""
        data = self._batches.data
        if self._at > len(data) or self._at - at < _HEAD.size or unpacked is None:
            return None
        base, _, _, form, _, attributes, _, stamp, last, _, _, _, count = _HEAD.unpack_from(data, at)
        decode = _DECODE.get(attributes & _CODEC)
        if form != _FORMAT or decode is None:
            return None
        payload = decode(memoryview(data)[at + _HEAD.size : self._at])
        stamped = last if attributes & _STAMPED else -1
        return unpacked(payload, count, base, stamp, stamped, self._first, Record)

    def _general(self, batch: Iterable[Any]) -> list[Record]:
        kept, first = Record, self._first
        if self._headers:
            return [
                _new(kept, (r.offset, r.timestamp, r.key, r.value, tuple(r.headers)))
                for r in batch
                if r.offset >= first
            ]
        return [_new(kept, (r.offset, r.timestamp, r.key, r.value, ())) for r in batch if r.offset >= first]


class _Batch:
    """One batch: itself in all but its records."""

    def __init__(self, batch: Any, slices: Slices, at: int) -> None:
        self._batch = batch
        self._slices = slices
        self._at = at

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Slice]:
        return self._slices.cut(self._batch, self._at)
