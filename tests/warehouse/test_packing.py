"""What is packed is read back by the driver as it was; what does not fit is named, and nothing else lost."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.tables import TABLES, Column, Kind, Table
from streams.warehouse.double import unpack
from streams.warehouse.packing import MisfitError, pack, salvage
from streams.warehouse.split import MAX_PARTITIONS

MONTH_MS = 31 * 86_400_000
LONG = [0, 1, 127, 128, 129, 16_383, 16_384, 70_000]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
WHOLE = st.integers(-(2**63), 2**63 - 1)
VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    "lc": st.sampled_from(["", "web", "bücher", "x" * 300]) | TEXT,
    "str": TEXT,
    "f64": st.floats(allow_nan=False),
    "f64n": st.none() | st.floats(allow_nan=False),
    "u8": st.integers(0, 255),
    "u32": st.integers(0, 2**32 - 1),
    "i32": st.integers(-(2**31), 2**31 - 1),
    "i64": WHOLE,
    "ms": WHOLE,
    "msn": st.none() | WHOLE,
}
MISFITS: dict[Kind, list[Any]] = {
    "lc": [None, 1, ["Jane"], b"Jane"],
    "str": [None, 1, b"Jane", "\ud800"],
    "f64": [None, "Jane", 10**400],
    "f64n": ["Jane"],
    "u8": [None, "Jane", 256, -1, 0.5],
    "u32": [None, 2**32, -1, 0.5],
    "i32": [None, 2**31, "1"],
    "i64": [None, 2**63],
    "ms": [None, 2**63, "1999"],
    "msn": ["1999", 0.5],
}


def _table(kind: Kind) -> Table:
    return Table("t", (Column("value", kind),), ())


def _read(kind: Kind, values: list[Any]) -> list[Any]:
    return [row["value"] for piece in pack(_table(kind), ["value"], [values]) for row in unpack(piece)]


@pytest.mark.parametrize("kind", VALUES)
def test_what_is_packed_is_read_back(kind: Kind) -> None:
    @given(st.lists(VALUES[kind], min_size=1, max_size=60))
    @settings(max_examples=60, deadline=None)
    def law(values: list[Any]) -> None:
        assert _read(kind, values) == values

    law()


@pytest.mark.parametrize("kind", ["lc", "str"])
def test_strings_of_every_length(kind: Kind) -> None:
    for letter in ("a", "ü", "é\x00"):
        values = [letter * length for length in LONG]
        assert _read(kind, values) == values
        assert _read(kind, values[-1:] * 3) == values[-1:] * 3


@pytest.mark.parametrize("different", [1, 2, 255, 256, 257, 65_536, 65_537])
def test_dictionaries_of_every_width(different: int) -> None:
    values = [f"v{number % different}" for number in range(max(different, 300))]
    assert _read("lc", values) == values


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, bad in MISFITS.items() for value in bad])
def test_a_value_that_does_not_fit_is_told_by_its_column(kind: Kind, value: Any) -> None:
    names = ["fact_id", "time", "value"]
    table = Table("t", (Column("fact_id", "str"), Column("time", "ms"), Column("value", kind)), ())
    good = {"lc": "a", "str": "a"}.get(kind, 1)
    columns = [["f1", "f2", "f3"], [1, 2, 3], [good, value, good]]
    with pytest.raises(MisfitError) as raised:
        pack(table, names, columns)
    assert raised.value.column == "t.value"
    assert str(raised.value) == "a value does not fit column t.value"
    pieces, bad = salvage(table, names, columns)
    assert bad == 1
    assert [row["fact_id"] for piece in pieces for row in unpack(piece)] == ["f1", "f3"]


def test_a_time_that_is_none_spoils_its_row_alone() -> None:
    names = ["fact_id", "time"]
    columns: list[list[Any]] = [["f1", "f2"], [1, "Jane"]]
    with pytest.raises(MisfitError, match=r"signals\.time"):
        pack(TABLES["signals"], names, columns)
    pieces, bad = salvage(TABLES["signals"], names, columns)
    assert bad == 1
    assert [row["fact_id"] for piece in pieces for row in unpack(piece)] == ["f1"]


def test_nothing_left_is_nothing() -> None:
    assert salvage(TABLES["signals"], ["fact_id", "time"], [["f1"], [None]]) == ([], 1)
    assert pack(TABLES["signals"], ["fact_id"], [[]]) == []


def test_many_months_become_several_pieces() -> None:
    months = 2 * MAX_PARTITIONS + 20
    columns = [[f"f{n}" for n in range(2 * months)], [n % months * MONTH_MS for n in range(2 * months)]]
    pieces = pack(TABLES["signals"], ["fact_id", "time"], columns)
    assert [len(piece.months) <= MAX_PARTITIONS for piece in pieces] == [True] * 3
    assert len(frozenset().union(*(piece.months for piece in pieces))) == months
    found = sorted(str(row["fact_id"]) for piece in pieces for row in unpack(piece))
    assert found == sorted(columns[0])


def test_times_beyond_the_calendar_are_the_databases_matter() -> None:
    (piece,) = pack(TABLES["signals"], ["fact_id", "time"], [["f1"], [2**63 - 1]])
    assert piece.rows == 1
