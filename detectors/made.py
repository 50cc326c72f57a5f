"""An event out of its fields, whichever way they were read.

>>> event(in_order(("1.0", "7", "web", "page_view"), (None,) * 44, 5, "default", True), ("p", b"k"), "").id
'7'
"""

from __future__ import annotations

from typing import Any

from detectors.envelope import Consent, RawEngagement
from detectors.events import Event
from detectors.labels import LABEL_BYTES, identifier, label
from detectors.rare import NONE, Rare
from detectors.vocabulary import CHANNELS, TYPES, UNKNOWN, canonical

__all__ = ["event", "in_order", "mean", "resolved"]


def event(f: tuple[Any, ...], name: tuple[str, bytes], extras: str) -> Event:
    """``f`` is in the order of :data:`detectors.quick.PLACES`; ``name``: a pseudonym and its record's key."""
    kind, rank, known, channel, actor, direction = resolved(f[2])
    if f[6]:
        channel = f[6]
    event = Event(
        f[5],
        name[0],
        name[1],
        f[0],
        f[1],
        kind,
        f[3],
        False,
        channel if channel in CHANNELS else "other",
        f[7] or "default",
        f[15] or actor,
        f[14] or direction,
        f[8],
        f[9],
        f[10],
        f[11],
        f[12],
        f[13],
        f[16],
        f[17],
        f[18],
        f[19],
        f[20],
        f[21],
        f[22],
        mean(f[48]) if f[48] else None,
        extras,
        _rare(f) if f[50] else NONE,
    )
    event.rank = rank
    event.known = known
    return event


def resolved(name: str) -> tuple[str, int, bool, str, str, str]:
    """What a type as sent stands for: its name, rank, whether it is known, and whose it is by default."""
    kind = canonical(name)
    spec = TYPES.get(kind, UNKNOWN)
    if spec is UNKNOWN:
        kind = label(kind)
    return kind, spec.rank, spec is not UNKNOWN, spec.channel, spec.actor, spec.direction


def _rare(f: tuple[Any, ...]) -> Rare:
    consent: Consent | None = f[50] if isinstance(f[50], Consent) else None
    return Rare(
        f[23],
        f[24],
        f[25],
        f[26],
        f[27],
        f[28],
        f[29],
        f[30],
        f[31],
        f[32],
        f[33],
        f[34],
        f[35],
        f[36],
        f[37],
        f[38],
        f[39],
        f[40],
        f[41],
        f[42],
        f[43],
        f[44],
        f[45],
        f[46],
        f[47],
        None if consent is None else consent.profiling,
        None if consent is None else consent.contact,
    )


def in_order(e: tuple[Any, ...], d: tuple[Any, ...], time: int, tenant: str, plain: bool) -> tuple[Any, ...]:
    """The fields of the envelope and of its data, in their order there, in that of ``PLACES``.

    Taken as tuples: one call for all of them costs less than asking for five by name.
    """
    return (
        e[1],
        _label(e[2], plain),
        e[3],
        time,
        "",
        tenant,
        d[0] or "",
        _label(d[1], plain),
        _label(d[2], plain),
        _label(d[3], plain),
        identifier(d[4]) if d[4] else "",
        identifier(d[5]) if d[5] else "",
        identifier(d[6]) if d[6] else "",
        _label(d[7], plain),
        d[8] or "",
        d[9] or "",
        _label(d[13], plain),
        _label(d[14], plain),
        _label(d[15], plain),
        _label(d[31], plain),
        _label(d[29], plain),
        _label(d[33], plain),
        d[17],
        identifier(d[10]) if d[10] else "",
        identifier(d[11]) if d[11] else "",
        _label(d[12], plain),
        _label(d[30], plain),
        _label(d[32], plain),
        _label(d[39], plain),
        _label(d[36], plain),
        _label(d[37], plain),
        _label(d[38], plain),
        "" if d[28] is None else label(str(d[28])),
        _label(d[22], plain),
        d[40] or "",
        _label(d[41], plain),
        _label(d[42], plain),
        d[25],
        d[26],
        d[27],
        d[35],
        d[34],
        d[43],
        d[20],
        d[21],
        d[18],
        d[19],
        d[23],
        None if d[16] is None else _given(d[16]),
        None,
        # All of it may be there: to look would cost more than it saves.
        d[24] or True,
    )


def _label(text: str | None, plain: bool) -> str:
    if text is None:
        return ""
    return text if plain and len(text) <= LABEL_BYTES else label(text)


def _given(said: RawEngagement) -> list[float]:
    all_of_it = (said.financial, said.sentimental, said.expertise, said.temporal)
    return [value for value in all_of_it if value is not None]


def mean(given: list[float]) -> float | None:
    """Of an engagement's four sides, those that were said; None where none was."""
    return sum(given) / len(given) if given else None
