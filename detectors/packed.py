"""A customer as bytes and back: the record that a changelog keeps, and the snapshots of ``ring.py``.

MessagePack of nested arrays. Fields are stored by position: append, never reorder or reuse, and read what is
missing as its default. So the next version reads what this one wrote, and the one before reads what it knows
of it and leaves out the rest: both ways of a rolling upgrade. :data:`SCHEMA` is raised when a reader must
know; a record of a higher one is refused, which stops a worker rather than lose what it does not understand.

>>> from detectors.state import Attempt, new
>>> jane = new("default", "p1", "sealed", False, 1_000)
>>> jane.attempts.append(Attempt("form", "loan", "income", "r1", "web", 0, 1_000, 1_000, 5_000))
>>> again = unpack(pack(jane))
>>> again.due(), pack(again) == pack(jane), len(pack(jane)) < 200
(5000, True, True)
"""

from __future__ import annotations

import zlib
from typing import Any, Final

import lz4.block
import msgspec
import zstandard

from detectors import quick
from detectors.events import Event, from_list, to_tuple
from detectors.packed_parts import owed_of, owes, tally, tally_of
from detectors.rare import Rare
from detectors.ring import Ring
from detectors.state import (
    Attempt,
    Contact,
    Context,
    Customer,
    Journey,
    Owed,
    Part,
    Solved,
    Sums,
    Wait,
)
from detectors.tally import Case, Tally

__all__ = ["SCHEMA", "PackedError", "general", "pack", "plain", "snapshot", "unpack"]

SCHEMA: Final = 1
# Above this, which most customers are not once their ring is settled, a few microseconds halve a record: the
# base repeats what the state says, and the events of a visit repeat each other.
_LARGE: Final = 1_200
_LZ4: Final = b"\x01"  # a state's own first byte is that of an array
# In the middle of a long visit a record may be larger than this: then size is worth four times the time.
_LARGER: Final = 1_900
_ZSTD: Final = b"\x28"
_TYPICAL: Final = 2_000
_ABOVE: Final = 2_100
# What records were packed with before.
_ZLIB: Final = b"\x78"

_in_c: Final = quick.state
quick.know(
    SCHEMA,
    [
        *(Sums, Part, Journey, Attempt, Contact, Wait, Owed, Solved, Context, Customer, Ring, Event, Rare),
        *(Tally, Case),
    ],
)
_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder().decode
_squeeze: Final = zstandard.ZstdCompressor(level=3).compress
_squeeze_more: Final = zstandard.ZstdCompressor(level=5).compress
_unsqueeze: Final = zstandard.ZstdDecompressor().decompress


class PackedError(ValueError):
    """Bytes that are no customer's record, or one of a version to come."""


def pack(state: Customer) -> bytes:
    """The record a changelog keeps."""
    raw = _in_c(state, True) or general(state, True)
    if len(raw) <= _LARGE:
        return raw
    small: bytes = lz4.block.compress(raw)
    if len(small) < _LARGER:
        return _LZ4 + small
    smaller: bytes = _squeeze(raw)
    if _TYPICAL < len(smaller) <= _ABOVE:
        # Just above what a typical customer may take: twice the time brings most of these below it.
        smaller = _squeeze_more(raw)
    return smaller


def snapshot(state: Customer) -> bytes:
    """The state alone, without what may still be put in another order."""
    return _in_c(state, False) or general(state, False)


def general(state: Customer, with_ring: bool) -> bytes:
    """Of the state as bytes, whatever is in it; what :data:`detectors.quick.state` gives for most."""
    ring = state.ring if with_ring else None
    # The second was once how many events stood before the ring's middle.
    kept = None if ring is None else (ring.base, 0, ring.closed, [to_tuple(e) for e in ring.events])
    return _encode(_state(state, kept))


def plain(raw: bytes) -> bytes:
    """A record before it was compressed: of a customer without a ring, its :func:`snapshot`."""
    mark = raw[:1]
    found = raw
    if mark == _LZ4:
        found = lz4.block.decompress(raw[1:])
    elif mark == _ZSTD:
        found = _unsqueeze(raw)
    elif mark == _ZLIB:
        found = zlib.decompress(raw)
    return found


def unpack(raw: bytes) -> Customer:
    """Back from :func:`pack`. Raises :class:`PackedError`."""
    try:
        return _customer(_decode(plain(raw)))
    except (
        msgspec.DecodeError,
        lz4.block.LZ4BlockError,
        zstandard.ZstdError,
        zlib.error,
        LookupError,
        TypeError,
        UnicodeDecodeError,
    ) as error:
        raise PackedError(f"not a customer's record ({type(error).__name__})") from None


def _state(s: Customer, ring: object) -> tuple[object, ...]:
    c = s.context
    return (
        SCHEMA,
        s.tenant,
        s.customer,
        s.reference,
        s.applied,
        s.now,
        (s.sums.acute, s.sums.chronic, s.sums.at),
        s.observed,
        s.observed_at,
        (
            c.at,
            c.engagement,
            c.first_time,
            c.problem,
            c.last_contact,
            c.risk,
            c.prefers,
            c.emotion,
            c.emotion_at,
            c.vulnerable_at,
            c.language,
            c.segment,
            c.may_contact,
            c.may_profile,
            c.contact_at,
            c.profile_at,
        ),
        [_journey(j) for j in s.journeys],
        [
            (
                a.kind,
                a.journey,
                a.step,
                a.release,
                a.channel,
                a.key,
                a.start,
                a.last,
                a.due,
                a.status,
                a.ver,
                a.points,
                a.given_up,
                a.source,
                a.told,
                a.leaves,
            )
            for a in s.attempts
        ],
        [
            (
                v.channel,
                v.device,
                v.journey,
                v.intent,
                v.case,
                v.key,
                v.start,
                v.last,
                v.step,
                v.release,
                v.outcome,
            )
            for v in s.contacts
        ],
        [
            (w.kind, w.channel, w.journey, w.queue, w.key, w.opened, w.announced, w.leaves, w.source)
            for w in s.waits
        ],
        [owes(o) for o in s.owed],
        [(d.key, d.journey, d.due, d.points, d.source) for d in s.solved],
        s.seen,
        s.case,
        s.fields,
        s.refs,
        s.last_source,
        s.last_id,
        s.anonymous,
        s.epoch,
        ring,
        None if s.tally is None else tally(s.tally),
        # Only where it is known, as all that most customers have nothing of.
        *((s.reply_gap,) if s.reply_gap else ()),
    )


def _journey(j: Journey) -> tuple[object, ...]:
    return (
        j.name,
        j.touched,
        (j.sums.acute, j.sums.chronic, j.sums.at),
        [(p.signal, p.acute, p.chronic, p.at, p.count) for p in j.parts],
        j.step,
        j.release,
        j.intent,
        j.failed_at,
        j.failed_soft,
        j.failed_soft_at,
        j.failed_channel,
        j.failed_step,
        j.failed_release,
        j.by_default,
        j.by_preference,
        j.evidence_at,
        j.completions,
        j.transfers,
        j.transferred_at,
        j.suggested,
        j.suggested_at,
        j.raised_at,
        j.raised_ver,
        j.raised_level,
        j.open,
        j.armed,
        j.overridden,
        j.complaint,
    )


def _customer(r: list[Any]) -> Customer:
    if r[0] > SCHEMA:
        raise PackedError(f"a customer's record of version {r[0]}; this is version {SCHEMA}")
    state = Customer(
        r[1],
        r[2],
        r[3],
        r[4],
        r[5],
        _sums(r[6]),
        r[7],
        r[8],
        _context(r[9]),
        [_journey_of(j) for j in r[10]],
        [_attempt(a) for a in r[11]],
        [Contact(v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9], v[10]) for v in r[12]],
        [Wait(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7], w[8]) for w in r[13]],
        [owed_of(o) for o in r[14]],
        [Solved(d[0], d[1], d[2], d[3], d[4] if len(d) > 4 else "") for d in r[15]],
        r[16],
        r[17],
        r[18],
        [(kind, name) for kind, name in r[19]],
        r[20],
        r[21],
        r[22],
    )
    if len(r) > 23:
        state.epoch = r[23]
        kept = r[24]
        if kept is not None:
            ring = Ring(kept[0])
            ring.closed = kept[2]
            ring.events = [from_list(e, state.tenant, state.customer) for e in kept[3]]
            ring.measure()
            state.ring = ring
    if len(r) > 25 and r[25] is not None:
        state.tally = tally_of(r[25])
    if len(r) > 26 and isinstance(r[26], int):
        state.reply_gap = r[26]
    return state


def _sums(r: list[Any]) -> Sums:
    return Sums(r[0], r[1], r[2])


def _context(r: list[Any]) -> Context:
    return Context(
        r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11], r[12], r[13], r[14], r[15]
    )


def _attempt(r: list[Any]) -> Attempt:
    a = Attempt(r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11], r[12])
    if len(r) > 13:
        a.source = r[13]
    if len(r) > 14 and r[14] is not None:
        t = r[14]
        told = (t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7], t[8], t[9], t[10])
        a.told = (*told, t[11]) if len(t) > 11 else told
    a.leaves = r[15] if len(r) > 15 else -1
    return a


def _journey_of(r: list[Any]) -> Journey:
    return Journey(
        r[0],
        r[1],
        _sums(r[2]),
        [Part(p[0], p[1], p[2], p[3], p[4]) for p in r[3]],
        r[4],
        r[5],
        r[6],
        r[7],
        r[8],
        r[9],
        r[10],
        r[11],
        r[12],
        r[13],
        r[14],
        r[15],
        r[16],
        r[17],
        r[18],
        r[19],
        r[20],
        r[21],
        r[22],
        r[23],
        r[24],
        r[25],
        r[26],
        r[27],
    )
