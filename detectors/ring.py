"""The last few events of a customer, so that one that comes out of order can still take its place.

``base`` is the state as it was before the first of them. What is on time can only belong after what the
watermark has passed: once it has passed the last of them, all of it is settled and the ring is let go.
Nothing that comes in order waits for that. A ring lets go its first :data:`STEP` events when they are
settled, or when it is full; where they are not settled yet the moment is ``closed``: an earlier event that
comes then is as late as one beyond its lateness.

>>> ring = Ring(b"before")
>>> ring.full
False
"""

from __future__ import annotations

from typing import Final

from mypy_extensions import mypyc_attr

from detectors.events import Event

__all__ = ["MOST_EVENTS", "MOST_SIZE", "STEP", "Ring", "precedes"]

MOST_EVENTS: Final = 32
# Bytes of their records as they were sent; what is kept of them is about half of that.
MOST_SIZE: Final = 10_240
# So many are let go at once, always from the first on: a ring that was restored goes on as it would have.
STEP: Final = 8


@mypyc_attr(acyclic=True)
class Ring:
    """``events`` are in canonical order, but for late ones, which stand where they came."""

    def __init__(self, base: bytes, closed: int = 0) -> None:
        self.base = base
        self.events: list[Event] = []
        # The state after each so many events, as (their number, state), for the next bases. What is not here
        # can always be made again of the base.
        self.marks: list[tuple[int, bytes]] = []
        self.size = 0
        # Nothing at or before this moment (ms) can be put in any more.
        self.closed = closed

    @property
    def full(self) -> bool:
        """Whether room has to be made for one more."""
        return len(self.events) >= MOST_EVENTS or self.size >= MOST_SIZE

    def passed(self, settled: int) -> bool:
        """Whether all of the first :data:`STEP` events are settled, and need not be kept."""
        return len(self.events) >= STEP and self._latest(STEP) < settled

    def _latest(self, count: int) -> int:
        """The time of the last one on time among the first ``count``; 0 where there is none."""
        for at in range(min(count, len(self.events)) - 1, -1, -1):
            e = self.events[at]
            if not e.late:
                return e.time
        return 0

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
        if self.marks and place < self.marks[-1][0]:
            self.marks = [mark for mark in self.marks if mark[0] <= place]

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

    def mark(self, state: bytes) -> None:
        """Keep the state as it is after all events that are here."""
        self.marks.append((len(self.events), state))

    def advance(self, base: bytes, settled: int) -> bool:
        """Let go the first :data:`STEP` events, after which the state is ``base``.

        True where they were not all before ``settled`` (ms).
        """
        latest = self._latest(STEP)
        self.base = base
        self.events = self.events[STEP:]
        self.marks = [(count - STEP, state) for count, state in self.marks if count > STEP]
        self.measure()
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
