"""What most events need, done in C: their fields out of the record, their ids, and rows into columns.

All but :func:`seen` answer None for whatever is out of the ordinary (an escape, a letter beyond ASCII, a
number with an exponent, ...): then the general way is taken, which is complete and gives the same for what
this one takes, as the tests hold. Without the compiled build everything goes the general way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from detectors import BUILD

__all__ = ["PLACES", "columns", "digest", "event", "scan", "seen"]

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
#: What a scanned event holds, in order: ``time`` in ms, texts "" where absent, all else None. ``engagement``
#: is a list of what was said; ``own`` maps the names of the event's own fields to their JSON; ``rare`` says
#: whether there is anything from ``agent_id`` to ``vulnerable``.
PLACES: Final = _IN_ORDER.split()


def _nothing(*_: object) -> None:
    return None


def _seen(ring: bytes, fact: bytes, width: int, most: int) -> bytes | None:
    short = fact[:width]
    place = ring.find(short)
    while place > 0 and place % width:
        place = ring.find(short, place + 1)
    return None if place >= 0 else (ring + short)[-most * width :]


scan: Callable[[bytes | None], tuple[Any, ...] | None] = _nothing
columns: Callable[[list[tuple[object, ...]], int], bytes | None] = _nothing
#: 128 bits over a text, and as hexadecimal digits; and over the parts of an event's id.
digest: Callable[[str], tuple[bytes, str] | None] = _nothing
event: Callable[[str, str, str], tuple[bytes, str] | None] = _nothing
#: A ring of at most ``most`` marks of ``width`` bytes with that of ``fact`` at its end; None if it was there.
seen: Callable[[bytes, bytes, int, int], bytes | None] = _seen

if BUILD == "compiled":
    from detectors import _quick

    kinds = {name: kind for names, kind in _KINDS.items() for name in names.split()}
    given = {"tenant": "default", "time": 0, "engagement": None, "own": None, "rare": False}
    blank = [given.get(name, "" if kinds.get(name, _LABEL) <= _ONE_OF else None) for name in PLACES]
    _quick._prepare(
        [(name, PLACES.index(name), kinds[name]) for name in PLACES if name in kinds], tuple(blank)
    )
    _quick._choose({PLACES.index(name): choices for name, choices in _CHOICES.items()})
    scan, columns = _quick.scan, _quick.columns
    digest, event, seen = _quick.digest, _quick.event, _quick.seen
