"""Cutting blocks out of a stream, wherever the stream happens to be cut itself."""

from __future__ import annotations

import random

import pytest
from clickhouse_driver.block import ColumnOrientedBlock
from clickhouse_driver.bufferedwriter import BufferedSocketWriter
from clickhouse_driver.context import Context
from clickhouse_driver.streams.native import BlockOutputStream

from streams.engine import native, wire
from streams.engine.packets import REVISION

COLUMNS = [
    ("s", "String", ["", "a", "x" * 127, "y" * 128, "z" * 20_000]),
    ("n", "Nullable(Float64)", [None, 1.5, None, 2.5, 3.0]),
    ("l", "LowCardinality(String)", ["a", "b", "a", "c", "a"]),
    ("k", "LowCardinality(Nullable(String))", ["a", None, "a", "c", None]),
    ("d", "DateTime64(3, 'UTC')", [0, 1, 2, 3, 4]),
    ("e", "Enum8('a, (b' = 1, 'c' = 2)", ["c", "c", "c", "a, (b", "c"]),
    ("a", "Array(Array(String))", [[], [["a"], []], [["b", "c"]], [], [[]]]),
    ("m", "Map(String, Array(Nullable(Int32)))", [{}, {"a": [1, None]}, {}, {"b": []}, {}]),
    ("t", "Tuple(x UInt8, `y z` String)", [(1, "a"), (2, "b"), (3, ""), (4, "d"), (5, "e")]),
    ("f", "FixedString(3)", ["abc", "de", "f", "", "ghi"]),
    ("p", "Decimal(20, 3)", [1, 2, 3, 4, 5]),
]  # fmt: skip


class _Socket:
    def __init__(self) -> None:
        self.sent = bytearray()

    def sendall(self, data: bytes) -> None:
        self.sent += data


class _Server:
    used_revision = REVISION

    def get_timezone(self) -> str:
        return "UTC"


def _encode(columns: list[tuple[str, str, list[object]]]) -> bytes:
    context = Context()
    context.server_info = _Server()
    context.client_settings = {"strings_encoding": "utf-8", "strings_as_bytes": False, "use_numpy": False}
    context.settings = {}
    socket = _Socket()
    stream = BlockOutputStream(BufferedSocketWriter(socket, 1 << 16), context)
    stream.write(
        ColumnOrientedBlock([(name, kind) for name, kind, _ in columns], [list(c[2]) for c in columns])
    )
    return bytes(socket.sent)


def _source(stream: bytes, step: int) -> wire.Source:
    position = 0

    def fill() -> bytes:
        nonlocal position
        position += step
        part = stream[position - step : position]
        if not part:
            raise EOFError
        return part

    return wire.Source(fill)


@pytest.mark.parametrize("step", [1, 7, 4096, 1 << 20])
def test_a_block_is_cut_out_exactly(step: int) -> None:
    encoded = _encode(COLUMNS)
    source = _source(encoded + b"\x2a" + encoded, step)
    first = native.read_block(source, info=True)
    between = source.byte()
    second = native.read_block(source, info=True)
    info = 8
    assert first.body == second.body == encoded[info:]
    assert (first.rows, between) == (5, 0x2A)
    assert first.columns == [(name, kind) for name, kind, _ in COLUMNS]
    with pytest.raises(EOFError):
        source.byte()


@pytest.mark.parametrize("step", [61, 4096, 1 << 20])
@pytest.mark.parametrize("seed", range(4))
def test_strings_of_any_lengths_in_any_runs(seed: int, step: int) -> None:
    chance = random.Random(seed)
    lengths = [0, 1, 32, 126, 127, 128, 300]
    values: list[object] = []
    while len(values) < 20_000:
        values += ["x" * chance.choice(lengths)] * chance.choice([1, 2, 40, 9000])
    encoded = _encode([("s", "String", values), ("n", "UInt8", [7] * len(values))])
    source = _source(encoded + b"\x2a", step)
    assert native.read_block(source, info=True).body == encoded[8:]
    assert source.byte() == 0x2A


@pytest.mark.parametrize("frame", [100, 5000, 1 << 20])
def test_compressed_frames_may_cut_a_block_anywhere(frame: int) -> None:
    encoded = _encode(COLUMNS)
    frames = b"".join(wire.compress(encoded[at : at + frame]) for at in range(0, len(encoded), frame))
    raw = _source(frames + b"\x2a", 1000)
    assert native.read_block(wire.from_frames(raw), info=True).body == encoded[8:]
    assert raw.byte() == 0x2A


def test_a_stream_that_ends_early_is_not_a_block() -> None:
    encoded = _encode(COLUMNS)
    for length in range(0, len(encoded), 97):
        with pytest.raises(EOFError):
            native.read_block(_source(encoded[:length], 4096), info=True)


def test_a_damaged_frame_is_refused() -> None:
    frame = bytearray(wire.compress(_encode(COLUMNS)))
    frame[40] ^= 1
    with pytest.raises(wire.ProtocolError, match="checksum"):
        native.read_block(wire.from_frames(_source(bytes(frame), 4096)), info=True)


def test_nonsense_is_refused_and_not_waited_for() -> None:
    huge = wire.varint(1) + wire.varint(1 << 40) + wire.text("a") + wire.text("UInt64")
    with pytest.raises(wire.ProtocolError, match="MiB"):
        native.read_block(_source(huge, 4096), info=False)
    with pytest.raises(native.UnsupportedTypeError):
        native.skipper("Variant(String, UInt8)")
