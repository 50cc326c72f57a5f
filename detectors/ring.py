"""The last few events of a customer, so that one that comes out of order can still take its place.

``base`` is the state as it was before the first of them. What is on time can only belong after what the
watermark has passed: once it has passed the last of them, all of it is settled and the ring is let go.
Nothing that comes in order waits for that. A ring that is full moves its base up to its middle; where that is
not settled yet the moment is ``closed``: an earlier event that comes then is as late as one beyond its
lateness.

>>> ring = Ring(b"before")
>>> ring.full
False
"""

from __future__ import annotations

from typing import Final

from detectors.events import Event

__all__ = ["MOST_EVENTS", "MOST_SIZE", "Ring", "precedes"]

MOST_EVENTS: Final = 32
# Bytes of their records as they were sent; what is kept of them is about half of that.
MOST_SIZE: Final = 10_240
_MIDDLE: Final = 8


class Ring:
    """``events`` are in canonical order, but for late ones, which stand where they came."""

    def __init__(self, base: bytes) -> None:
        self.base = base
        self.events: list[Event] = []
        # How many events are before the middle, and the state there; 0 and empty while there is none. The
        # state can always be made again of the base.
        self.middle_at = 0
        self.middle = b""
        self.size = 0
        # Nothing at or before this moment (ms) can be put in any more.
        self.closed = 0

    @property
    def full(self) -> bool:
        """Whether room has to be made for one more."""
        return len(self.events) >= MOST_EVENTS or self.size >= MOST_SIZE

    @property
    def wants_middle(self) -> bool:
        """Whether the state as it is now should be kept as the middle."""
        return not self.middle_at and (len(self.events) >= _MIDDLE or self.size >= MOST_SIZE // 2)

    def passed(self, settled: int) -> bool:
        """Whether all that is before the middle is settled, and need not be kept."""
        return self.middle_at > 0 and self.events[self.middle_at - 1].time < settled

    def split(self, settled: int) -> None:
        """Where room has to be made: put the middle behind what is settled, but keep one that will do.

        One that was put anew after something out of order may be at the very end: to let go all that is
        before it would close what can still come.
        """
        at = 0
        for e in self.events:
            if not e.late and e.time >= settled:
                break
            at += 1
        at = min(max(at, _MIDDLE), len(self.events))
        if not 0 < self.middle_at <= at:
            self.middle, self.middle_at = b"", at

    def settled(self, moment: int) -> bool:
        """Whether all of it lies before ``moment`` (ms), the watermark."""
        last = self.last()
        return (self.closed if last is None else last.time) < moment

    def last(self) -> Event | None:
        """The last one that was on time."""
        for e in reversed(self.events):
            if not e.late:
                return e
        return None

    def put(self, e: Event, place: int) -> None:
        """One more, at a place of :meth:`place`."""
        self.events.insert(place, e)
        self.size += e.size
        if place < self.middle_at:
            self.middle, self.middle_at = b"", 0

    def place(self, e: Event) -> int:
        """Where ``e`` belongs among the events."""
        events = self.events
        place = len(events)
        for at in range(len(events) - 1, -1, -1):
            other = events[at]
            if other.late:
                continue
            if not precedes(e, other):
                break
            place = at
        return place

    def follows(self, e: Event) -> bool:
        """Whether ``e`` belongs after one that is here, and so after all that were let go.

        Of one moment there may be more events than there is room for.
        """
        for other in self.events:
            if not other.late:
                return not precedes(e, other)
        return False

    def advance(self, settled: int) -> bool:
        """Let go what is before the middle; True where some of it was not before ``settled`` (ms)."""
        gone = self.events[: self.middle_at]
        self.events = self.events[self.middle_at :]
        self.base, self.middle, self.middle_at = self.middle, b"", 0
        self.measure()
        latest = 0
        for e in gone:
            if not e.late and e.time > latest:
                latest = e.time
        if latest < settled:
            return False
        self.closed = max(self.closed, latest)
        return True

    def measure(self) -> None:
        """Work out the size anew."""
        size = 0
        for e in self.events:
            size += e.size
        self.size = size


def precedes(a: Event, b: Event) -> bool:
    """The canonical order of one customer's events: time, rank of the type, source, id."""
    if a.time != b.time:
        return a.time < b.time
    if a.rank != b.rank:
        return a.rank < b.rank
    return (a.source, a.id) < (b.source, b.id)
