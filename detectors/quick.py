"""What most events need, done in C: events out of records, ids, customers' records, and rows into columns.

All but :func:`seen` answer None for whatever is out of the ordinary (an escape, a letter beyond ASCII, a
number with an exponent, ...): then the general way is taken, which is complete and gives the same for what
this one takes, as the tests hold. Without the compiled build everything goes the general way.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from detectors import BUILD

__all__ = [
    "PLACES",
    "Columns",
    "columns",
    "digest",
    "know",
    "know_rows",
    "murmur2",
    "newest",
    "number",
    "prepare",
    "scan",
    "seen",
    "state",
]

_LABEL, _NAME, _WORD_OR_NUMBER, _ONE_OF, _TRUTH, _UNIT, _SIGNED, _SECONDS, _FINITE = range(1, 10)
_KINDS: Final = {
    "channel journey step intent device team release language segment prefers queue where field "
    "reason result to_channel from_team to_team kind version scale": _LABEL,
    "case_id session_id conversation_id agent_id alert_id": _NAME,
    "priority": _WORD_OR_NUMBER,
    "direction actor metric": _ONE_OF,
    "first_time problem last_contact vulnerable": _TRUTH,
    "risk": _UNIT,
    "emotion": _SIGNED,
    "wait_s announced_wait_s talk_s": _SECONDS,
    "results amount score": _FINITE,
}
_CHOICES: Final = {
    "direction": frozenset(["inbound", "outbound"]),
    "actor": frozenset(["customer", "company", "machine"]),
    "metric": frozenset(["ces", "csat", "nps"]),
}
_IN_ORDER: Final = (
    "id source type time subject tenant "
    "channel journey step intent case_id session_id conversation_id device direction actor release language "
    "segment field queue result first_time "
    "agent_id alert_id team where reason kind to_channel from_team to_team priority prefers metric version "
    "scale wait_s announced_wait_s talk_s amount results score risk emotion problem last_contact vulnerable "
    "engagement own rare"
)
#: The fields of an event in the order in which they are read; from ``agent_id`` to ``vulnerable`` they are
#: rare. ``engagement`` is a list of what was said; ``own`` maps the names of its own fields to their JSON;
#: ``rare`` says whether there is any of those.
PLACES: Final = _IN_ORDER.split()


def _nothing(*_: object) -> None:
    return None


def _no_number(_: str) -> int:
    return -1


def _seen(ring: bytes, fact: str, width: int, most: int) -> bytes | None:
    short = bytes.fromhex(fact[: 2 * width])
    place = ring.find(short)
    while place > 0 and place % width:
        place = ring.find(short, place + 1)
    return None if place >= 0 else (ring + short)[-most * width :]


#: The event of a record, its ``customer`` still the raw subject and its ``key`` empty; and what events are
#: made of: see ``_scan.prepare``.
scan: Callable[[bytes | None], Any] = _nothing
prepare: Callable[..., None] = _nothing
#: Some bytes, and rows as :class:`detectors.moment.Findings` has them as MessagePack of so many columns; and
#: the classes of rows.
columns: Callable[[list[Any], int, bytes], bytes | None] = _nothing
know_rows: Callable[[type, type, type], None] = _nothing
#: The same, a few rows at a time; None without the compiled build.
Columns: Any = None
#: See :func:`detectors.event_row.newest`.
newest: Callable[[list[Any]], dict[str, int] | None] = _nothing
#: 128 bits over a text as hexadecimal digits; and 63 bits, or -1 where it is out of the ordinary.
digest: Callable[[str], str | None] = _nothing
number: Callable[[str], int] = _no_number
#: Kafka's hash of a key; None without the compiled build.
murmur2: Callable[[bytes], int] | None = None
#: A ring of at most ``most`` marks of ``width`` bytes with that of ``fact`` at its end; None if it was there.
seen: Callable[[bytes, str, int, int], bytes | None] = _seen
#: A customer's record before it is compressed, with its ring or without; and of which classes it is made.
state: Callable[[object, bool], bytes | None] = _nothing
know: Callable[[int, list[type]], None] = _nothing

if BUILD == "compiled":
    from detectors import _quick, _records, _rows, _scan

    _kinds = {name: kind for names, kind in _KINDS.items() for name in names.split()}
    prepare = partial(
        _scan.prepare,
        [(name, PLACES.index(name), _kinds[name]) for name in PLACES if name in _kinds],
        {PLACES.index(name): choices for name, choices in _CHOICES.items()},
    )
    scan = _scan.scan
    columns, know_rows, newest = _rows.columns, _rows.know, _rows.newest
    Columns = _rows.Columns
    digest, number, seen = _quick.digest, _quick.number, _quick.seen
    murmur2 = _quick.murmur2
    state, know = _records.state, _records.know
