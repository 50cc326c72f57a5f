"""Deterministic ids: the same facts get the same ids in every run, on every partition, after every crash.

>>> len(fact_id("default", "event", "web/shop", "42"))
32
>>> fact_id("a", "bc") == fact_id("ab", "c")
False
>>> number("a", "bc") < 2**63
True
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

from detectors import quick

__all__ = ["event_id", "fact_id", "fact_of", "number", "number_on"]

_digest: Final = quick.digest
_number: Final = quick.number


def fact_id(*parts: str) -> str:
    """128 bits over the parts, as 32 hexadecimal digits."""
    return fact_of("\x1f".join(parts))


def event_id(tenant: str, source: str, id: str) -> str:
    """The id of an event's facts: of its source and its own id there, whoever tells it."""
    return fact_id(tenant, "event", source, id)


def fact_of(name: str) -> str:
    """:func:`fact_id` of parts that are joined by a unit separator."""
    found = _digest(name)
    return blake2b(_bytes(name), digest_size=16).hexdigest() if found is None else found


def _bytes(name: str) -> bytes:
    try:
        return name.encode()
    except UnicodeEncodeError:
        return name.encode("utf-8", "surrogatepass")


# An event asks for its conversation's number once a detector, and a conversation has many events.
_numbers: Final[dict[str, int]] = {}
_MOST: Final = 65_536


def number(*parts: str) -> int:
    """63 bits over the parts: what a state keeps in place of a long id."""
    name = parts[0] if len(parts) == 1 else "\x1f".join(parts)
    known = _numbers.get(name)
    if known is None:
        if len(_numbers) >= _MOST:
            _numbers.clear()
        known = _number(name)
        if known < 0:
            known = int.from_bytes(blake2b(_bytes(name), digest_size=8).digest(), "big") >> 1
        _numbers[name] = known
    return known


_numbers_on: Final[dict[str, dict[str, int]]] = {}


def number_on(channel: str, name: str) -> int:
    """:func:`number` of both, where ``channel`` is from a bounded set: found again without joining them."""
    names = _numbers_on.get(channel)
    if names is None:
        names = _numbers_on[channel] = {}
    known = names.get(name)
    if known is None:
        if len(names) >= _MOST:
            names.clear()
        known = names[name] = number(channel, name)
    return known
