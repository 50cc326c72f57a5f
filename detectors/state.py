"""What is kept of one customer: small, bounded, packed as arrays.

Rings and decayed sums, no raw events. Every list has a most; labels are cut by ``labels.py``; so the packed
record stays below 8 KiB whatever arrives, and below 2 KiB for a typical active customer (tests hold both).
Fields are stored by position: append with a default, never reorder, and raise :data:`SCHEMA` when a reader
must know. Moments are ms since the epoch; 0 means never.

>>> jane = new("default", "p1", "sealed", False, 1_000)
>>> jane.attempts.append(Attempt("form", "loan", "income", "r1", "web", 0, 1_000, 1_000, 5_000))
>>> jane.due(), unpack(pack(jane)) == jane, len(pack(jane)) < 200
(5000, True, True)
"""

from __future__ import annotations

import zlib

import msgspec
from msgspec import Struct

__all__ = [
    "Attempt",
    "Contact",
    "Context",
    "Customer",
    "Journey",
    "Owed",
    "Part",
    "Solved",
    "Sums",
    "Wait",
    "pack",
    "unpack",
]

SCHEMA = 1

MOST_JOURNEYS = 4
MOST_PARTS = 8
MOST_ATTEMPTS = 7
MOST_CONTACTS = 5
MOST_WAITS = 4
MOST_OWED = 3
MOST_SOLVED = 3
MOST_FIELDS = 10
MOST_REFS = 3
MOST_SEEN = 32
# Of an event's id: within 32, two different ones agree in 48 bits once in 10^13 events.
SEEN_BYTES = 6


class Sums(Struct, array_like=True, gc=False):
    """Decayed points on both horizons, as of ``at``."""

    acute: float = 0.0
    chronic: float = 0.0
    at: int = 0


class Part(Struct, array_like=True, gc=False):
    """One signal's part of a journey's sums; ``at`` is also when it was last seen."""

    signal: int
    acute: float
    chronic: float
    at: int
    count: int


class Journey(Struct, array_like=True):
    """One journey: its effort by signal, where it stands, what failed last, and its candidate."""

    name: str
    touched: int
    sums: Sums
    parts: list[Part]
    step: str = ""
    release: str = ""
    intent: str = ""
    # The failure that a switch would be charged to.
    failed_at: int = 0
    failed_soft: int = 0
    failed_soft_at: int = 0
    failed_channel: str = ""
    failed_step: str = ""
    failed_release: str = ""
    # By default or by preference: decayed evidence, as of evidence_at.
    by_default: float = 0.0
    by_preference: float = 0.0
    evidence_at: int = 0
    completions: int = 0
    transfers: int = 0
    transferred_at: int = 0
    suggested: str = ""
    suggested_at: int = 0
    # The candidate of this journey: its id follows from the customer, the journey and raised_at.
    raised_at: int = 0
    raised_ver: int = 0
    raised_level: int = 0
    open: bool = False
    armed: bool = True
    # Overrides that have been answered by a candidate and still hold, as bits of need.py.
    overridden: int = 0
    complaint: bool = False


class Attempt(Struct, array_like=True, gc=False):
    """Something begun: ``status`` 0 open, 1 given up by time-out, 2 given up and said so."""

    kind: str
    journey: str
    step: str
    release: str
    channel: str
    key: int
    start: int
    last: int
    due: int
    status: int = 0
    ver: int = 0
    points: float = 0.0
    given_up: int = 0


class Contact(Struct, array_like=True, gc=False):
    """One visit or contact: events of one conversation or session, or close together on one channel."""

    channel: str
    device: str
    journey: str
    intent: str
    case: int
    key: int
    start: int
    last: int
    step: str = ""
    release: str = ""
    outcome: str = "open"


class Wait(Struct, array_like=True, gc=False):
    """A wait that is going on."""

    kind: str
    channel: str
    journey: str
    queue: str
    key: int
    opened: int
    announced: float = -1.0


class Owed(Struct, array_like=True, gc=False):
    """A reply that the customer is owed, or got too late (``replied`` above 0)."""

    key: int
    channel: str
    journey: str
    step: str
    since: int
    promised: int
    replied: int
    due: int


class Solved(Struct, array_like=True, gc=False):
    """A ticket said to be solved: the rest of its relief waits for the reopen window."""

    key: int
    journey: str
    due: int
    points: float


class Context(Struct, array_like=True, gc=False):
    """Circumstances as last said; each holds until its moment plus the policy's memory."""

    at: int = 0
    engagement: float = -1.0
    first_time: bool = False
    problem: bool = False
    last_contact: bool = False
    risk: float = -1.0
    prefers: str = ""
    emotion: float = 0.0
    emotion_at: int = 0
    vulnerable_at: int = 0
    language: str = ""
    segment: str = ""
    may_contact: bool = True
    may_profile: bool = True
    contact_at: int = 0
    profile_at: int = 0


class Customer(Struct, array_like=True):
    """One customer of one tenant. ``applied`` is the offset up to which records are in here."""

    schema: int
    tenant: str
    customer: str
    reference: str
    applied: int
    now: int
    sums: Sums
    # Coverage: decayed count of what was observed, as of observed_at.
    observed: float
    observed_at: int
    context: Context
    journeys: list[Journey]
    attempts: list[Attempt]
    contacts: list[Contact]
    waits: list[Wait]
    owed: list[Owed]
    solved: list[Solved]
    seen: bytes
    case: int = 0
    fields: list[str] = []
    refs: list[tuple[str, str]] = []
    last_source: str = ""
    last_id: str = ""
    anonymous: bool = False

    def due(self) -> int:
        """When the next timer of this customer fires; 0 where there is none."""
        soonest = 0
        for attempt in self.attempts:
            if attempt.status == 0 and (soonest == 0 or attempt.due < soonest):
                soonest = attempt.due
        for owed in self.owed:
            if soonest == 0 or owed.due < soonest:
                soonest = owed.due
        for solved in self.solved:
            if soonest == 0 or solved.due < soonest:
                soonest = solved.due
        return soonest


def new(tenant: str, customer: str, reference: str, anonymous: bool, time: int) -> Customer:
    """A customer never seen before."""
    return Customer(
        schema=SCHEMA,
        tenant=tenant,
        customer=customer,
        reference=reference,
        applied=-1,
        now=time,
        sums=Sums(at=time),
        observed=0.0,
        observed_at=time,
        context=Context(),
        journeys=[],
        attempts=[],
        contacts=[],
        waits=[],
        owed=[],
        solved=[],
        seen=b"",
        anonymous=anonymous,
    )


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Customer)


# Few customers are larger; for those a changelog's disk and restore are worth the time to compress.
_LARGE = 1_536
_COMPRESSED = b"\x78"  # zlib's first byte; a state's own is that of an array


def pack(state: Customer) -> bytes:
    """The record a changelog keeps."""
    raw = _encoder.encode(state)
    return raw if len(raw) <= _LARGE else zlib.compress(raw, 1)


def unpack(raw: bytes) -> Customer:
    """Back from :func:`pack`; msgspec.DecodeError or zlib.error where the record is none of ours."""
    return _decoder.decode(zlib.decompress(raw) if raw[:1] == _COMPRESSED else raw)
