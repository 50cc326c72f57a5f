"""Blocks of facts: what goes in comes out, and nothing else is taken for one."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors import BUILD
from detectors.tables import TABLES, Kind, Row
from streams.blocks import BadBlockError, Growing, decode, encode

INT64 = st.integers(-(2**63), 2**63 - 1)
FLOAT = st.floats(allow_nan=False)
VALUES: dict[Kind, st.SearchStrategy[object]] = {
    "lc": st.text(max_size=8),
    "str": st.text(max_size=20),
    "f64": FLOAT,
    "f64n": st.none() | FLOAT,
    "u8": st.integers(0, 255),
    "u32": st.integers(0, 2**32 - 1),
    "i32": st.integers(-(2**31), 2**31 - 1),
    "i64": INT64,
    "ms": INT64,
    "msn": st.none() | INT64,
}


@st.composite
def rows_of_a_table(draw: st.DrawFn) -> tuple[str, list[Row]]:
    # Surrogates cannot be encoded; the decoder of events never lets one through.
    name = draw(st.sampled_from(sorted(TABLES)))
    row = st.tuples(*(VALUES[kind] for kind in TABLES[name].kinds))
    return name, draw(st.lists(row, min_size=1, max_size=4))


@given(rows_of_a_table(), st.integers(0, 255))
def test_round_trip(table_rows: tuple[str, list[Row]], partition: int) -> None:
    table, rows = table_rows
    block = decode(encode(table, rows, partition))
    assert (block.table, block.count, block.partition) == (table, len(rows), partition)
    assert tuple(block.names) == TABLES[table].names
    assert [tuple(row) for row in zip(*block.columns, strict=True)] == rows


@given(st.lists(rows_of_a_table(), min_size=1, max_size=4), st.integers(0, 255))
def test_a_block_that_grows_is_the_same(parts: list[tuple[str, list[Row]]], partition: int) -> None:
    table = parts[0][0]
    steps = [rows for name, rows in parts if name == table]
    growing = Growing(table, partition, 1_000_000)
    assert growing.size == 0
    if BUILD == "pure":
        assert not growing.add(list(steps[0]))  # all goes through ``encode`` then
        return
    for rows in steps:
        assert growing.add(list(rows))
        before = growing.size
        # What it cannot take leaves it as it was: behind a good row, one that is too short or odd.
        assert not growing.add([rows[0], rows[0][:-1]])
        assert not growing.add([rows[0], (*rows[0][:-1], object())])
        assert growing.size == before
    flat = [row for rows in steps for row in rows]
    assert growing.take() == encode(table, flat, partition)
    assert growing.size == 0
    assert growing.add(list(flat))
    assert growing.take() == encode(table, flat, partition)


@given(rows_of_a_table())
def test_a_block_that_grows_has_an_end(table_rows: tuple[str, list[Row]]) -> None:
    table, rows = table_rows
    growing = Growing(table, 0, 1_000_000)
    if not growing.add(list(rows)):
        assert BUILD == "pure"
        return
    once = growing.size
    assert once > 0
    short = Growing(table, 0, once)
    assert short.add(list(rows))
    assert not short.add(list(rows))
    assert short.size == once
    assert short.take() == growing.take()


@given(st.binary(max_size=60))
def test_other_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(BadBlockError):
        decode(raw)


@pytest.mark.parametrize(
    ("wire", "reason"),
    [
        ((2, "waits", 0, 1, ["tenant"], [["t"]]), "version 2"),
        ((1, "nowhere", 0, 1, ["tenant"], [["t"]]), "unknown table"),
        ((1, "waits", 0, 1, ["shoe_size"], [["t"]]), "unknown or repeated columns of waits"),
        ((1, "waits", 0, 1, ["tenant", "tenant"], [["t"], ["t"]]), "unknown or repeated"),
        ((1, "waits", 0, 1, ["tenant", "customer"], [["t"]]), "1 columns under 2 names"),
        ((1, "waits", 0, 2, ["tenant"], [["t"]]), "not of 2 values"),
        ((1, "waits", 0, 1, ["tenant"], ["t"]), "not a block"),
        ({"table": "waits"}, "not a block"),
    ],
)
def test_blocks_of_a_wrong_shape(wire: Any, reason: str) -> None:
    with pytest.raises(BadBlockError, match=reason):
        decode(msgspec.msgpack.encode(wire))


def test_an_older_block_may_lack_a_column() -> None:
    """A column added since is filled by the database's default."""
    block = decode(msgspec.msgpack.encode((1, "waits", 3, 1, ["tenant"], [["t"]])))
    assert (block.names, block.columns) == (["tenant"], [["t"]])


def test_rows_must_fit_their_table() -> None:
    width = len(TABLES["waits"].names)
    for rows in ([], [("t",) * (width - 1)], [("t",) * width, ("t",) * (width - 1)]):
        with pytest.raises(ValueError, match=r".+"):
            encode("waits", rows, 0)
