"""Whether a row's values fit the columns they are for: what ClickHouse's driver would refuse, found before.

>>> fits("u8", 255), fits("u8", 256), fits("u8", "1"), fits("f64n", None), fits("f64", None)
(True, False, False, True, False)
>>> fits("str", "caf\\u00e9"), fits("str", "\\ud800")
(True, False)
"""

from __future__ import annotations

from detectors.tables import TABLES, Kind, Row

__all__ = ["fits", "misfit"]

# Smallest and largest; times are what DateTime64(3) holds, 1900 to 2299.
_BOUNDS: dict[Kind, tuple[int, int]] = {
    "u8": (0, 2**8 - 1),
    "u32": (0, 2**32 - 1),
    "i32": (-(2**31), 2**31 - 1),
    "i64": (-(2**63), 2**63 - 1),
    "ms": (-2_208_988_800_000, 10_413_791_999_999),
    "msn": (-2_208_988_800_000, 10_413_791_999_999),
}


def misfit(table: str, row: Row) -> str:
    """The first column of ``table`` that its value in ``row`` does not fit; "" where all do."""
    columns = TABLES[table].columns
    if len(row) != len(columns):
        return "number of columns"
    for column, value in zip(columns, row, strict=True):
        if not fits(column.kind, value):
            return column.name
    return ""


def fits(kind: Kind, value: object) -> bool:
    """Whether one value can be a column's."""
    if kind in ("lc", "str"):
        return isinstance(value, str) and (value.isascii() or _encodes(value))
    if value is None:
        return kind in ("f64n", "msn")
    if kind in ("f64", "f64n"):
        # A whole number is a double as well, but blocks pack it as what it is.
        return isinstance(value, float) or (isinstance(value, int) and -(2**63) <= value < 2**64)
    least, most = _BOUNDS[kind]
    return isinstance(value, int) and least <= value <= most


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
