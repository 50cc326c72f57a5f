"""The quick way gives what the general way gives, or leaves it to it."""

from __future__ import annotations

import datetime
import hashlib
import json
import random
import re
from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner import default as default_partitioner

from benchmarks.workload import records
from detectors import BUILD, quick
from detectors.bounds import MOST_SEEN, SEEN_BYTES
from detectors.decode import Decoder
from detectors.envelope import Data
from detectors.event_row import EventRow, as_row
from detectors.events import Event, to_tuple
from detectors.log import LogFold
from detectors.moment import Findings
from detectors.policy import default
from detectors.tables import TABLES
from streams import blocks
from tests.detectors.malformed import GOOD, MALFORMED, record
from tests.detectors.traffic import log_of

POLICY = default()
PLAIN = record("1", data={"step": "a"})
STAMP = 4_000_000_000_000
COMPILED = BUILD == "compiled"
VALUE = re.compile(rb'(:\s*)("(?:[^"\\]|\\.)*"|-?[0-9.]+|true|false|null)')

# Values at the edges of what is plain, and beyond.
_TIMES = """
2024-02-29T23:59:59.999999Z
2023-02-29T00:00:00Z 2000-02-29T12:00:00Z 1900-02-29T12:00:00Z 2024-04-31T00:00:00Z
2024-01-01T00:00:00+00:00 2024-01-01t00:00:00z 2024-12-31T23:59:60Z 2024-01-01T24:00:00Z 2024-01-01T00:60:00Z
2024-01-01T00:00:00.Z 2024-01-01T00:00:00.1Z 2024-01-01T00:00:00.1239Z 2024-01-01T00:00:00.1234567Z
2024-1-01T00:00:00Z 2024-00-01T00:00:00Z 2024-13-01T00:00:00Z 2024-01-00T00:00:00Z 2024-01-32T00:00:00Z
1969-12-31T23:59:59Z 1970-01-01T00:00:00Z 1899-12-31T23:59:59Z 0001-01-01T00:00:00Z 9999-12-31T23:59:59.999Z
2024-01-01 2024-01-01T00:00Z 2024-01-01T00:00:00 2024-01-01T0a:00:00Z 2024-01-01T00:00:00.1aZ
"""
_NUMBERS = """
0 -0 -0.0 1 01 1. .5 1.5 -1 -1.0001 1e3 1E-2 0.1 0.3 123456789012345 1234567890123456 0.12345678901234
0.123456789012345 864000000 864000000.1 1e15 1000000000000001 - -a 1.a 9007199254740993
"""
TIMES, NUMBERS = _TIMES.split(), _NUMBERS.split()
TEXTS = [
    *("", "x", "customer", "inbound", "nps", "web", "1.0", "io.rehuman.tick", "$rageclick", "anon:1"),
    *("y" * 40, "y" * 41, "z" * 64, "z" * 65, "z" * 128, "z" * 129, "z" * 256, "z" * 257),
]
TOKENS = [
    *(f'"{text}"'.encode() for text in (*TIMES, *TEXTS)),
    *(number.encode() for number in NUMBERS),
    *(
        b"null",
        b"true",
        b"false",
        b"tru",
        b"nul",
        b"nulll",
        b"{}",
        b"[]",
        b"[1]",
        b'{"a":1}',
        b'{"a"}',
        b"[1,]",
    ),
    *(
        b'"\\u0041"',
        b'"\xc3\xa9"',
        b'"\xff"',
        b'"a\x01"',
        b'"a\x7f"',
        b'"a\nb"',
        b'"',
        b"\t1",
        b" 1 ",
        b"[1,]",
    ),
    *(b'{"financial":0.5}', b'{"financial":0.1,"temporal":0.2,"expertise":0.7}', b'{"financial":2}'),
    *(b'{"financial":null}', b'{"other":1}', b'{"temporal":0.5,"temporal":0.6}', b'{"profiling":true}'),
    *(b'{"a":[1,{"b":null}],"c":"d"}', b"[" * 9 + b"]" * 9, b"[" * 40 + b"]" * 40),
]
NAMES = [
    *(name.encode() for name in quick.PLACES),
    *(b"specversion", b"datacontenttype", b"data", b"consent", b"basket", b"", b"a\\b"),
]


def decoders() -> tuple[Decoder, Decoder]:
    made = [
        Decoder(lambda tenant, subject: f"p{len(subject)}", POLICY.floor, POLICY.document.time.ahead)
        for _ in range(2)
    ]
    return made[0], made[1]


def seen(decoder: Decoder, found: Any) -> Any:
    """All that there is to know of what was decoded, in a form that tells -0.0 from 0.0."""
    if isinstance(found, Event):
        more = (found.size, found.anonymous, found.rank, found.known, found.key, found.attributes)
        return repr((to_tuple(found), found.tenant, found.customer, more, decoder.subject))
    return repr(found)


def fact(e: Event) -> str:
    text = "\x1f".join((e.tenant, "event", e.source, e.id))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def agree(raw: bytes, stamp: int = STAMP) -> bool:
    """Whether the record is plain; fails where the two ways differ."""
    one, other = decoders()
    found = one.decode(raw, stamp)
    assert seen(one, found) == seen(other, other._any(raw, stamp)), raw
    if isinstance(found, Event) and found.fact:
        assert COMPILED
        assert found.fact == fact(found)
    return quick.scan(raw) is not None


@pytest.fixture(scope="module")
def workload() -> list[bytes]:
    return [made.value for made in islice(records(4_000), 4_000)]


def test_nearly_all_of_a_workload_is_plain(workload: list[bytes]) -> None:
    plain = sum(map(agree, workload))
    assert plain == 0 if not COMPILED else plain > 0.99 * len(workload)


@pytest.mark.parametrize("raw", [raw for _, raw, _ in MALFORMED if raw and len(raw) <= 65_536])
def test_what_is_malformed_is_refused_for_the_same_reason(raw: bytes) -> None:
    agree(raw)


@pytest.mark.parametrize("seed", range(4))
def test_changed_records(workload: list[bytes], seed: int) -> None:
    """Values, names and bytes put, cut and changed: some stay plain, many do not."""
    rng = random.Random(seed)
    plain = sum(
        agree(changed(rng, rng.choice(workload)), rng.choice([STAMP, -1, 1_700_000_000_000]))
        for _ in range(6_000)
    )
    assert plain > 500 or not COMPILED


def changed(rng: random.Random, raw: bytes) -> bytes:
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        values = list(VALUE.finditer(raw))
        how, at = rng.random(), rng.randrange(len(raw))
        if how < 0.45 and values:
            one = rng.choice(values)
            raw = raw[: one.start(2)] + rng.choice(TOKENS) + raw[one.end(2) :]
        elif how < 0.7:
            at = max(raw.find(b"{", 1) if rng.random() < 0.7 else 0, 0)
            more = b'"' + rng.choice(NAMES) + b'":' + rng.choice(TOKENS)
            raw = raw[: at + 1] + more + (b"" if raw[at + 1 : at + 2] == b"}" else b",") + raw[at + 1 :]
        elif how < 0.8:
            raw = raw[:at] + bytes([rng.randrange(256)]) + raw[at + 1 :]
        elif how < 0.85:
            raw = raw[:at]
        elif how < 0.9:
            raw = (
                raw[:at] + rng.choice([b" ", b"\n", b"\t", b"\r", b"\x0b", b'"', b",", b"}", b"{"]) + raw[at:]
            )
        elif how < 0.95 and values:
            one, other = rng.choice(values), rng.choice(values)
            raw = raw[: one.start(2)] + other[2] + raw[one.end(2) :]
        else:
            raw += rng.choice([b" ", b"\n", b"x", b"}", b"\0"])
        if not raw:
            return b"{"
    return raw


def _pair(name: bytes, token: bytes, _: object) -> bytes:
    return b'"%s":%s' % (name, token)


@pytest.mark.parametrize("token", TOKENS, ids=lambda token: token[:30].decode("utf-8", "replace"))
def test_every_field_with_every_odd_value(token: bytes) -> None:
    for name in NAMES:
        if name.decode() in GOOD:
            raw = re.sub(rb'"%s": "[^"]*"' % name, partial(_pair, name, token), PLAIN)
        else:
            raw = PLAIN.replace(b'"data": {', b'"data":{"%s":%s,' % (name, token))
        assert raw != PLAIN
        agree(raw)


@given(st.integers(0, 253_402_300_799_999), st.integers(0, 7))
def test_any_moment(ms: int, digits: int) -> None:
    seconds, fraction = divmod(ms, 1_000)
    days, of_day = divmod(seconds, 86_400)
    day = datetime.date.fromordinal(719_163 + days)
    shown = f".{fraction:03}0000"[: digits + 1] if digits else ""
    clock = f"{of_day // 3600:02}:{of_day // 60 % 60:02}:{of_day % 60:02}"
    agree(record("1", time=f"{day.isoformat()}T{clock}{shown}Z"), -1)


@given(st.floats(-1e15, 1e15), st.integers(-20, 20))
def test_any_number(value: float, places: int) -> None:
    text = f"{value:.{abs(places)}f}" if places >= 0 else repr(round(value, 2))
    plain = agree(PLAIN.replace(b'"data": {', b'"data":{"score":%s,' % text.encode()))
    if COMPILED and len(text.replace("-", "").replace(".", "")) <= 15 and "e" not in text and float(text):
        assert plain


# -- columns, ids, marks -------------------------------------------------------------------------------------

ODD: list[object] = [
    *("", "a", "é" * 20, "x" * 31, "x" * 32, "x" * 255, "x" * 256, "x" * 65_535, "x" * 65_536, "\U0001f600"),
    *(0, 1, 127, 128, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**63 - 1),
    *(-1, -32, -33, -128, -129, -32_768, -32_769, -(2**31), -(2**31) - 1, -(2**63)),
    *(1.5, -0.0, 1e308, float("inf"), None, True, False),
]


def tables(rng: random.Random) -> Iterator[list[tuple[object, ...]]]:
    for width in (1, 15, 16, 45):
        for count in (1, 15, 16, 300):
            yield [tuple(rng.choice(ODD[:7] + ODD[10:]) for _ in range(width)) for _ in range(count)]
    yield [(value,) for value in ODD]
    yield [(1,)] * 65_536


def test_columns_are_packed_as_the_general_way_packs_them() -> None:
    for rows in tables(random.Random(1)):
        found = quick.columns(rows, len(rows[0]), b"")
        expected = msgspec.msgpack.encode(list(zip(*rows, strict=True)))
        assert found == expected if COMPILED else found is None


@pytest.mark.parametrize("seed", [1, 2])
def test_rows_of_events_are_packed_as_what_they_are_made_of_says(seed: int) -> None:
    """With those among them that are told anew, which are tuples."""
    log = LogFold(0, POLICY, lambda tenant, subject: "p" + subject, lambda tenant, subject: "sealed")
    out = Findings()
    for offset, item in enumerate(log_of(seed, 2_000, 9)):
        log.record(item.raw, item.time, offset, out)
    found, width = out.found["events"], len(TABLES["events"].names)
    assert {type(row) for row in found} == {tuple, EventRow}
    plain = [row for row in found if str(as_row(row)).isascii()]
    for rows in (found[:700], plain, list(map(as_row, plain))):
        packed = quick.columns(rows, width, b"ab")
        expected = msgspec.msgpack.encode(list(zip(*map(as_row, rows), strict=True)))
        assert packed == b"ab" + expected if COMPILED else packed is None
    assert quick.columns(plain[:1], width - 1, b"") is None


@pytest.mark.parametrize("rows", [[(1,), (2, 3)], [(b"x",)], [(2**64,)], [("\ud800",)], [(object(),)], [[1]]])
def test_rows_out_of_the_ordinary_are_left_to_the_general_way(rows: list[Any]) -> None:
    assert quick.columns(rows, 1, b"") is None
    with pytest.raises(Exception, match=r".+"):
        blocks.encode("signals", rows, 0)


def same_ids(text: str) -> None:
    plain = COMPILED and text.isascii()
    raw = text.encode("utf-8", "surrogatepass")
    assert quick.digest(text) == (hashlib.blake2b(raw, digest_size=16).hexdigest() if plain else None)
    short = int.from_bytes(hashlib.blake2b(raw, digest_size=8).digest(), "big")
    assert quick.number(text) == (short >> 1 if plain else -1)


@given(st.text(max_size=450))
def test_ids_are_those_of_the_library(text: str) -> None:
    same_ids(text)


@pytest.mark.parametrize("size", [0, 1, 63, 64, 127, 128, 129, 255, 256, 257, 5_000])
def test_ids_of_any_length(size: int) -> None:
    same_ids("a" * size)


@given(st.binary(max_size=70))
def test_keys_are_hashed_as_the_library_hashes_them(key: bytes) -> None:
    if quick.murmur2 is None:
        assert not COMPILED
    else:
        assert quick.murmur2(key) & 0xFFFFFFFF == default_partitioner.murmur2(key) & 0xFFFFFFFF


def test_marks_are_kept_as_plain_python_keeps_them() -> None:
    rng = random.Random(2)
    ring = b""
    for _ in range(20_000):
        raw = bytes(rng.randrange(3) for _ in range(16)) if rng.random() < 0.5 else rng.randbytes(16)
        found = quick.seen(ring, raw.hex(), SEEN_BYTES, MOST_SEEN)
        assert found == quick._seen(ring, raw.hex(), SEEN_BYTES, MOST_SEEN)
        ring = ring if found is None else found
    assert len(ring) == SEEN_BYTES * MOST_SEEN


def test_a_name_is_shared_and_stays_what_it_is() -> None:
    raws = [record("1", data={"journey": f"journey-{n % 5_000}"}) for n in range(12_000)]
    for n, raw in enumerate(raws):
        found = quick.scan(raw)
        if COMPILED:
            assert found.journey == f"journey-{n % 5_000}"
    assert json.loads(raws[0])["data"]["journey"] == "journey-0"


def test_every_field_of_the_contract_is_read_by_the_quick_way_too() -> None:
    assert set(quick.PLACES[6:]) - {"own", "rare"} == set(Data.__struct_fields__) - {"consent"}
