"""A partition's clock, and how it is kept so that a restart anywhere finds the right one.

A changelog keeps, of each key, the record of the highest position, and a crash may leave records that are
ahead of the position mark. One record would not do: the clock it holds may be ahead of where the log is read
again, and the one that is written next loses against it. So the clock goes round a few keys: it is put where
the oldest one lies, never where the last one was put.

>>> slots = Slots()
>>> slots.put(Clock(10, 5, 5))[0], slots.put(Clock(20, 6, 5))[0]
(b'\\x00clock0', b'\\x00clock1')
>>> again = Slots()
>>> all(again.load(*slots.put(Clock(applied))) for applied in (30, 40))
True
>>> again.at(35).applied, again.at(7).applied  # the log is read again from 35; from before all
(30, -1)
"""

from __future__ import annotations

import msgspec

__all__ = ["Clock", "Slots"]

# A customer's key begins with the tenant, never with a zero byte.
_PREFIX = b"\x00clock"
# One is the mark's, one may be ahead of it, and one more for every crash in between.
_SLOTS = 4


class Clock(msgspec.Struct, array_like=True):
    """Highest event time and last tick (ms) as they stood after the record at offset ``applied``."""

    applied: int = -1
    high: int = 0
    tick: int = 0
    # The sources that the last tick said are silent.
    stale: tuple[str, ...] = ()


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Clock).decode


class Slots:
    """The clocks that a changelog holds, by key."""

    def __init__(self) -> None:
        self._kept: dict[bytes, Clock] = {_PREFIX + b"%d" % n: Clock() for n in range(_SLOTS)}
        self._last = b""

    def load(self, key: bytes, raw: bytes) -> bool:
        """Take back a record of :meth:`put`; False for a key that is none of ours."""
        if not key.startswith(_PREFIX):
            return False
        self._kept[key] = _decode(raw)
        return True

    def at(self, offset: int) -> Clock:
        """The clock as it stood before the record at ``offset``: where the log is read again."""
        before = [(clock.applied, key) for key, clock in self._kept.items() if clock.applied < offset]
        applied, key = max(before, default=(-1, b""))
        if applied < 0:
            return Clock()
        self._last = key
        return msgspec.structs.replace(self._kept[key])

    def put(self, clock: Clock) -> tuple[bytes, bytes] | None:
        """Key and record that keep ``clock``; None where nothing was applied since the last one."""
        if self._last and self._kept[self._last].applied == clock.applied:
            return None
        free = ((kept.applied, key) for key, kept in self._kept.items() if key != self._last)
        self._last = min(free)[1]
        self._kept[self._last] = msgspec.structs.replace(clock)
        return self._last, _encode(clock)
