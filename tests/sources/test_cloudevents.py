"""NDJSON of the contract: bytes pass through, and only what has no place in time is held back."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.sources.api import SourceCounts, get_source
from streams.sources.cloudevents import MAX_RECORD
from streams.sources.files import read_merged

GOOD = (
    b'{"specversion":"1.0","id":"a","source":"web","type":"page_view",'
    b'"time":"2026-01-01T00:00:00Z","subject":"c1"}'
)


def through(tmp_path: Path, *lines: bytes) -> tuple[list[tuple[bytes, bytes]], SourceCounts]:
    path = tmp_path / "events.ndjson"
    path.write_bytes(b"\n".join(lines))
    counts = SourceCounts()
    events = list(read_merged(get_source("cloudevents"), [path], counts))
    return [(event.key, event.value) for event in events], counts


def test_good_lines_keep_their_bytes_and_come_in_order(tmp_path: Path) -> None:
    odd = (
        b'{ "type" : "page_view", "time":"2025-12-31T23:00:00-02:00", "id":"b","source":"web",'
        b'"data":{"session_id":"s"} }'
    )
    first = GOOD.replace(b'"a"', b'"z"').replace(b"2026-01-01T00", b"2025-12-31T00")
    closing = GOOD.replace(b"page_view", b"io.rehuman.session.end").replace(b'"a"', b'"0"')
    events, counts = through(tmp_path, odd, closing, GOOD, first, b"")
    assert events == [(b"c1", first), (b"c1", GOOD), (b"c1", closing), (b"anon:s", odd)]
    assert counts.rows == counts.used == 4
    assert counts.events == {"page_view": 3, "session.end": 1}


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        (b'"1.0"', b'"0.3"', b"c1"),
        (b'"web"', b"5", b"c1"),
        (b'"page_view"', b"null", b"c1"),
        (b',"subject":"c1"', b"", b""),
        (b'"subject":"c1"', b'"data":[1]', b""),
        (b'"subject":"c1"', b'"data":{"session_id":5,"conversation_id":"k"}', b"anon:k"),
        (b'"c1"', b'"c1","data":{"channel":7}', b"c1"),
        (b'"c1"', b'"c1","data":{"step":"\xff"}', b"c1"),
        (b"2026", b"9999", b"c1"),
        (b'"c1"', b'"c1","x":"' + b"x" * 100_000 + b'"', b"c1"),
    ],
)
def test_other_faults_are_the_workers_to_reject(tmp_path: Path, old: bytes, new: bytes, key: bytes) -> None:
    line = GOOD.replace(old, new)
    assert line != GOOD
    assert through(tmp_path, line)[0] == [(key, line)]


BAD = {
    "not_json": [b"{", b"nonsense", GOOD + b"x", GOOD.replace(b'"c1"', b"NaN"), GOOD.replace(b"c1", b"\xff")],
    "not_an_object": [b"[]", b"5", b"null", b'"text"'],
    "no_id": [GOOD.replace(b'"a"', b"5"), GOOD.replace(b'"a"', b'""'), GOOD.replace(b'"id":"a",', b"")],
    "no_time": [GOOD.replace(b'"2026-01-01T00:00:00Z"', b"1767225600")],
    "bad_time": [GOOD.replace(b"00Z", b"00"), GOOD.replace(b"-01-01", b"-02-30"), GOOD.replace(b"T", b"?")],
    "too_large": [GOOD.replace(b"c1", b"c" * MAX_RECORD)],
    "no_customer_event": [GOOD.replace(b"page_view", b"io.rehuman.tick")],
}


@pytest.mark.parametrize(
    ("reason", "line"), [(reason, line) for reason, lines in BAD.items() for line in lines]
)
def test_lines_without_a_place_in_time_are_counted(tmp_path: Path, reason: str, line: bytes) -> None:
    events, counts = through(tmp_path, GOOD, line, GOOD.replace(b'"a"', b'"b"'))
    assert len(events) == 2
    assert counts.adds_up()
    assert {name: tally.first for name, tally in counts.rejected.items()} == {reason: ["events.ndjson:2"]}


def test_rejects_never_show_a_value(tmp_path: Path) -> None:
    _, counts = through(tmp_path, GOOD.replace(b"00Z", b"secret"))
    assert "secret" not in "\n".join(counts.lines())
    assert "events.ndjson:1" in "\n".join(counts.lines())
