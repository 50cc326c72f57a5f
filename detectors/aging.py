"""Who was idle for so long that nothing of them is kept any more, found without looking at everybody.

Customers wait in the bucket of the day on which they were last looked at. A bucket is opened when that day is
longer ago than the policy keeps anybody; who has been active since goes to the bucket of that day. A record
of the log looks at a few of them at most.

>>> aging, day = Aging(), 86_400_000
>>> for key, seen in ((b"a", 0), (b"b", 1), (b"c", 3 * day)): aging.add(key, seen)
>>> aging.take(10 * day, idle=5 * day), aging.take(10 * day, idle=5 * day)
([b'a', b'b'], [b'c'])
>>> aging.take(10 * day, idle=5 * day)
[]
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Final

from detectors.durations import DAY

__all__ = ["Aging"]

# How many are looked at in one record of the log.
_MOST: Final = 32
_NEVER: Final = 2**62


class Aging:
    """Keys by the day (since the epoch) on which they were last looked at."""

    def __init__(self) -> None:
        self._days: list[int] = []
        self._keys: dict[int, list[bytes]] = {}
        #: The watermark (ms) from which :meth:`take` may find somebody.
        self.due = _NEVER

    def add(self, key: bytes, seen: int) -> None:
        """``seen`` is the event time (ms) of the last activity."""
        day = seen // DAY
        keys = self._keys.get(day)
        if keys is None:
            self._keys[day] = [key]
            heappush(self._days, day)
            # Nobody is kept for less than a day.
            self.due = min(self.due, (self._days[0] + 1) * DAY)
        else:
            keys.append(key)

    def take(self, watermark: int, idle: int) -> list[bytes]:
        """A few that may have been idle for longer than ``idle`` ms at ``watermark``."""
        if not self._days:
            self.due = _NEVER
            return []
        day = self._days[0]
        self.due = (day + 1) * DAY + idle
        if watermark <= self.due:
            return []
        keys = self._keys[day]
        found, left = keys[:_MOST], keys[_MOST:]
        if left:
            self._keys[day] = left
        else:
            heappop(self._days)
            del self._keys[day]
        return found
