"""Batches packed and unpacked in our way are those of everybody else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import aiokafka.record._crecords.default_records as compiled
import aiokafka.record.default_records as plain
import cramjam
import pytest
from aiokafka import codec
from aiokafka.record import MemoryRecords
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
from kafka.record import MemoryRecords as OtherRecords

from streams.lanes import codecs

NAMES = ("lz4_encode", "lz4_decode", "zstd_encode")
CODECS = {"lz4": DefaultRecordBatch.CODEC_LZ4, "zstd": DefaultRecordBatch.CODEC_ZSTD}
VALUES = [b"%d" % n * 50 for n in range(2_000)]


@pytest.fixture
def installed() -> Iterator[None]:
    before = {(module, name): getattr(module, name) for module in (compiled, plain) for name in NAMES}
    codecs.install()
    yield
    for (module, name), function in before.items():
        setattr(module, name, function)


def batch(kind: str) -> bytes:
    builder = DefaultRecordBatchBuilder(2, CODECS[kind], False, -1, -1, 0, 1 << 20)
    for place, value in enumerate(VALUES):
        builder.append(place, 0, b"k", value, [])
    return bytes(builder.build())


def read(records: Any, raw: bytes) -> list[bytes]:
    found = records(raw)
    return [bytes(record.value) for one in iter(found.next_batch, None) for record in one]


@pytest.mark.parametrize("kind", CODECS)
def test_what_we_pack_others_unpack(installed: None, kind: str) -> None:
    raw = batch(kind)
    assert len(raw) < 100_000 < sum(map(len, VALUES))
    assert read(OtherRecords, raw) == VALUES


@pytest.mark.parametrize("kind", CODECS)
def test_what_others_pack_we_unpack(kind: str) -> None:
    raw = batch(kind)
    before = compiled.lz4_decode
    codecs.install()
    try:
        assert read(MemoryRecords, raw) == VALUES
    finally:
        compiled.lz4_decode = before


def test_the_compiled_records_call_what_is_installed(
    installed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their module's names are looked up at each call: should a version keep them elsewhere, this fails."""
    called = []

    def noted(name: str) -> Any:
        function = getattr(codecs, name)
        return lambda payload: called.append(name) or function(payload)

    for name in NAMES:
        monkeypatch.setattr(compiled, name, noted(name))
    for kind in CODECS:
        assert read(MemoryRecords, batch(kind)) == VALUES
    assert called == ["lz4_encode", "lz4_decode", "zstd_encode"]


def test_rubbish_raises_what_aiokafka_raises() -> None:
    for payload in (b"", b"rubbish", codec.lz4_encode(b"x" * 100)[:-9]):
        with pytest.raises(cramjam.DecompressionError):
            codec.lz4_decode(payload)
        with pytest.raises(cramjam.DecompressionError):
            codecs.lz4_decode(payload)
