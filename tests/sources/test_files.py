"""Files that are missing, of something else, broken, packed; and accounts that do not add up."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from streams.errors import OperationError, SettingError
from streams.sources.api import RefField, SourceCounts, SourceEvent, get_source
from streams.sources.files import read_merged
from tests.sources.datasets import FILES, paths, read, replayed


def test_a_missing_file_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"FILE: found .*nothing\.csv; expected a file that exists"):
        read("anonymous-bank", tmp_path / "nothing.csv")
    with pytest.raises(SettingError, match="at least one file"):
        read("anonymous-bank")


@pytest.mark.parametrize("name", sorted(set(FILES) - {"mhch"}))
def test_a_file_of_something_else_is_refused(name: str, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    with pytest.raises(SettingError, match=r"FILE other\.csv: found no column"):
        read(name, other)
    other.write_text("")
    with pytest.raises(SettingError, match="found an empty file"):
        read(name, other)


def test_gzip_is_read_by_every_adapter_and_a_torn_one_is_an_error(tmp_path: Path) -> None:
    (plain,) = paths("bpi2016-complaints")
    packed = tmp_path / "complaints.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert read("bpi2016-complaints", packed).events == replayed("bpi2016-complaints").events
    packed.write_bytes(packed.read_bytes()[:-2_000])
    with pytest.raises(OperationError, match=r"complaints\.csv\.gz"):
        read("bpi2016-complaints", packed)
    packed.write_bytes(plain.read_bytes())
    with pytest.raises(OperationError, match=r"complaints\.csv\.gz"):
        read("bpi2016-complaints", packed)


def test_a_byte_order_mark_is_no_part_of_a_column(tmp_path: Path) -> None:
    (plain,) = paths("airbnb-sessions")
    marked = tmp_path / "sessions.txt"
    marked.write_bytes(b"\xef\xbb\xbf" + b"".join(plain.read_bytes().splitlines(keepends=True)[:20]))
    assert read("airbnb-sessions", marked).counts.used == 19


def test_a_source_that_loses_a_row_is_found_out(tmp_path: Path) -> None:
    class Careless:
        name = "careless"
        ref: RefField = "id"

        def read(self, paths: Sequence[Path], counts: SourceCounts) -> Iterator[SourceEvent]:
            counts.row()
            yield from ()

    with pytest.raises(OperationError, match="careless: 1 rows in, but 0 used and 0 rejected"):
        list(read_merged(Careless(), [Path(__file__)], SourceCounts()))


def test_only_the_first_places_are_kept_and_the_account_says_so() -> None:
    counts = SourceCounts()
    for line in range(25):
        counts.row()
        counts.reject("bad_time", f"calls.csv:{line}")
    assert counts.lines()[1].startswith("rejected bad_time: 25 (calls.csv:0, calls.csv:1,")
    assert counts.lines()[1].endswith("calls.csv:9, ...)")


def test_adapters_keep_their_names() -> None:
    for name in FILES:
        assert get_source(name).name == name
