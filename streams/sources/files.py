"""Reading a source's files: lines with their numbers, columns by name, nothing swallowed.

Files are read line by line and each line is parsed by itself: none of the formats has line breaks inside
fields, and a stray quote must spoil one row, not all that follow it.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Callable, Iterator, Sequence
from io import BufferedReader
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from streams.errors import OperationError, SettingError
from streams.sources.api import Source, SourceEvent
from streams.sources.counts import SourceCounts

__all__ = ["Line", "RejectError", "lines", "numbered", "ordered", "read_merged", "table"]

# A row of the longest format here has 400 bytes; a "line" of this size is another kind of file.
MAX_LINE = 16 * 1024 * 1024
BUFFER = 256 * 1024


class RejectError(Exception):
    """A row that gives no event; the text is the reason's name, from a bounded set, never a value."""


class Line(NamedTuple):
    """One line without its end; ``place`` is ``file:number`` with numbers from 1."""

    place: str
    raw: bytes


def lines(path: Path) -> Iterator[Line]:
    """Every line that is not blank, of a plain or gzip file; :class:`OperationError` if it cannot be read."""
    name = path.name
    for number, raw in numbered(path):
        yield Line(f"{name}:{number}", raw)


def numbered(path: Path) -> Iterator[tuple[int, bytes]]:
    """As :func:`lines`, with the number alone: most lines need no name."""
    try:
        with _opened(path) as stream:
            for number, raw in enumerate(stream, start=1):
                if len(raw) > MAX_LINE:
                    where = f"{path.name}:{number}"
                    raise OperationError(f"{where}: a line of {len(raw)} bytes; is this the file?")
                if not raw.isspace():
                    yield number, raw.rstrip(b"\r\n")
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise OperationError(f"{path}: {reason}") from error


def _opened(path: Path) -> BufferedReader:
    if path.suffix != ".gz":
        return path.open("rb")
    # Lines of a buffer of one's own: those of gzip pass through Python one by one.
    return BufferedReader(gzip.open(path, "rb"), BUFFER)


def table(
    path: Path, columns: Sequence[str], counts: SourceCounts, *, delimiter: str = ",", encoding: str = "utf-8"
) -> Iterator[tuple[str, Sequence[str]]]:
    """Rows of a file with a header line, as (place, the values of ``columns`` in that order).

    Counts each row, and rejects those that cannot be split: ``bad_encoding``, ``bad_quotes``,
    ``wrong_columns``. Columns that are not asked for are never looked at. Raises :class:`SettingError` when
    the header lacks a column: it is a file of something else.
    """
    found, name = numbered(path), path.name
    head = next(found, None)
    names = _header(head[1], delimiter, encoding) if head else []
    missing = [column for column in columns if column not in names]
    if missing:
        what = f"no column {missing[0]!r}" if head else "an empty file"
        raise SettingError(f"FILE {name}", what, f"columns {delimiter.join(columns)}")
    places = [names.index(column) for column in columns]
    # Of one place it gives no sequence.
    wanted: Callable[[list[str]], Sequence[str]] = (
        itemgetter(*places) if len(places) > 1 else lambda fields: [fields[at] for at in places]
    )
    for number, raw in found:
        counts.row()
        place = f"{name}:{number}"
        try:
            fields = _split(raw, delimiter, encoding)
            if len(fields) != len(names):
                raise RejectError("wrong_columns")
        except RejectError as reason:
            counts.reject(str(reason), place)
        else:
            yield place, wanted(fields)


def _header(raw: bytes, delimiter: str, encoding: str) -> list[str]:
    try:
        return [name.strip() for name in _split(raw.removeprefix(b"\xef\xbb\xbf"), delimiter, encoding)]
    except RejectError:
        return []


def _split(raw: bytes, delimiter: str, encoding: str) -> list[str]:
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        raise RejectError("bad_encoding") from None
    if '"' not in text:
        return text.split(delimiter)
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True))
    except csv.Error:
        raise RejectError("bad_quotes") from None


def ordered(events: list[SourceEvent]) -> Iterator[SourceEvent]:
    """The events in the contract's order. Sorting needs them all in memory: about 1 KB an event."""
    # Whole tuples compare as (time, rank, source, id) first; a key function would cost more than it saves.
    events.sort()
    yield from events


def read_merged(source: Source, paths: Sequence[Path], counts: SourceCounts) -> Iterator[SourceEvent]:
    """All events of ``paths`` in order, and at the end the proof that no row was lost.

    Raises what :meth:`Source.read` raises, :class:`SettingError` without paths or for one that is no file,
    and :class:`OperationError` when the account does not add up, which is a defect of the adapter.
    """
    if not paths:
        raise SettingError("FILE", "nothing", "at least one file")
    for path in paths:
        if not path.is_file():
            raise SettingError("FILE", str(path), "a file that exists")
    yield from source.read(paths, counts)
    if not counts.adds_up():
        raise OperationError(
            f"{source.name}: {counts.rows} rows in, but {counts.used} used and {counts.rejects} rejected"
        )
