"""Slices hold what aiokafka itself would have given, whichever way they were read."""

from __future__ import annotations

import random
import struct
from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer import fetcher as fetching
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from aiokafka.record.legacy_records import LegacyRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from detectors import BUILD
from streams.lanes.api import Record
from streams.lanes.records import joined, size_of, values
from streams.lanes.slices import Kept, Slices

PLACE = TopicPartition("t", 0)
CODECS = [
    DefaultRecordBatch.CODEC_NONE,
    DefaultRecordBatch.CODEC_GZIP,
    DefaultRecordBatch.CODEC_LZ4,
    DefaultRecordBatch.CODEC_ZSTD,
]
Facts = tuple[int, int, bytes | None, bytes | None, tuple[Any, ...]]


def batch(rng: random.Random, base: int, codec: int) -> tuple[bytes, list[Facts]]:
    """A batch at an offset, some of its records compacted away, and what is in it."""
    builder = DefaultRecordBatchBuilder(2, codec, False, -1, -1, 0, 1 << 20)
    kept: list[Facts] = []
    for offset in sorted(rng.sample(range(900), rng.choice([1, 3, 60, 600]))):
        key = rng.choice([None, b"", b"k%d" % offset])
        value = rng.choice([None, b"", rng.randbytes(rng.choice([1, 63, 64, 8191, 300]))])
        headers = rng.choice([[], [("h", b"x"), ("", b"")], [("h", None)]])
        stamp = 1_700_000_000_000 + rng.randrange(-(10**6), 10**6)
        builder.append(offset, stamp, key, value, headers)
        kept.append((base + offset, stamp, key, value, tuple(headers)))
    raw = bytearray(builder.build())
    # The offset is the broker's to give; the checksum does not cover it.
    raw[:8] = struct.pack(">q", base)
    return bytes(raw), kept


def read(raw: bytes, first: int, most: int, *, headers: bool) -> list[Record]:
    """As the drain does."""
    batches: Any = fetching.PartitionRecords(
        PLACE, Kept(raw), [], first, None, None, True, fetching.READ_UNCOMMITTED
    )
    batches._records = Slices(batches._records, first, most, headers=headers)
    batches._consumer_record = lambda _, part: part.records
    found: list[Record] = []
    for part in batches._records_iterator:
        assert 0 < len(part) <= most
        assert batches.next_fetch_offset == part[-1].offset + 1
        found += part
    return found


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("headers", [False, True])
def test_all_records_from_an_offset_on(seed: int, headers: bool) -> None:
    rng = random.Random(seed)
    raw, expected, base = b"", list[Facts](), 0
    for _ in range(rng.randrange(1, 5)):
        more, kept = batch(rng, base, rng.choice(CODECS))
        raw, expected, base = raw + more, expected + kept, base + 1_000
    for first in (0, expected[0][0], rng.choice(expected)[0], expected[-1][0] + 1):
        found = read(raw, first, rng.choice([1, 7, 250]), headers=headers)
        assert all(type(one) is Record for one in found)
        assert [tuple(one) for one in found] == [
            one if headers else (*one[:4], ()) for one in expected if one[0] >= first
        ]


@pytest.mark.parametrize("seed", range(6))
def test_slices_put_together_are_one_sequence(seed: int) -> None:
    """Whether its records are objects or bytes of their batches."""
    rng = random.Random(seed)
    parts: list[Sequence[Record]] = []
    for base in (0, 1_000, 2_000):
        raw, _ = batch(rng, base, rng.choice(CODECS))
        slices = Slices(Kept(raw), base + rng.choice([0, 50]), rng.choice([1, 7, 250]), headers=False)
        parts += [part.records for part in slices.next_batch()]
    objects: list[Sequence[Record]] = [list(part) for part in parts]
    assert all(type(record) is Record for part in objects for record in part)
    flat = [record for part in objects for record in part]
    for chunk in (joined(parts), joined(objects), joined([*parts[:1], *objects[1:]])):
        assert [*chunk] == flat
        assert len(chunk) == len(flat)
        assert [chunk[place] for place in (0, -1)] == [flat[0], flat[-1]]
        assert chunk[1:9] == flat[1:9]
        assert size_of(chunk) == sum(len(record.value or b"") for record in flat)
        told = [(record.offset, record.stamp, record.value) for record in flat]
        for start, stop in ((0, len(flat)), (3, 9), (len(flat) - 1, len(flat) + 64), (5, 5)):
            assert [*values(chunk, start, stop)] == told[start:stop]
        with pytest.raises(IndexError):
            chunk[len(flat)]
        with pytest.raises(IndexError):
            chunk[-len(flat) - 1]
    assert [*joined([])] == []


def test_the_time_of_the_broker_stands_for_all_of_them() -> None:
    raw, kept = batch(random.Random(1), 0, DefaultRecordBatch.CODEC_NONE)
    changed = bytearray(raw)
    changed[22] |= 0b1000
    changed[35:43] = struct.pack(">q", 42)
    slices = Slices(Kept(bytes(changed)), 0, 10_000, headers=False)
    (part,) = slices.next_batch()
    assert [one.stamp for one in part.records] == [42] * len(kept)


def test_batches_of_an_older_format() -> None:
    builder = LegacyRecordBatchBuilder(1, 0, 1 << 20)
    for offset in range(3):
        builder.append(offset, timestamp=5, key=b"k", value=b"v%d" % offset)
    found = read(bytes(builder.build()), 1, 10, headers=False)
    assert [(one.offset, one.stamp, one.value) for one in found] == [(1, 5, b"v1"), (2, 5, b"v2")]


@pytest.mark.parametrize("seed", range(3))
def test_a_payload_that_is_no_list_of_records_is_left_to_the_general_way(seed: int) -> None:
    """Its checksum would have to be right: neither way may read beyond it."""
    rng = random.Random(seed)
    raw, _ = batch(rng, 0, DefaultRecordBatch.CODEC_NONE)
    refused = 0
    for _ in range(3_000):
        changed = bytearray(raw)
        for _ in range(rng.choice([1, 2, 9])):
            changed[rng.randrange(61, len(raw))] = rng.randrange(256)
        if rng.random() < 0.2:
            changed[57:61] = struct.pack(">i", rng.randrange(-2, 700))
        slices = Slices(Kept(bytes(changed)), 0, 10_000, headers=False)
        slices.next_batch()
        quick = slices._unpack(0) if BUILD == "compiled" else None
        general = MemoryRecords(bytes(changed)).next_batch()
        assert general is not None
        try:
            expected = slices._general(general)
        except (CorruptRecordException, ValueError, UnicodeDecodeError):
            refused += 1
            continue
        if quick is not None:
            assert [tuple(one) for one in quick] == [tuple(one) for one in expected]
    assert refused > 100
