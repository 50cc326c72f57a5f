"""The lease: who hears nothing from the group any more must not write.

A process that was frozen (a suspended laptop, a paused container) wakes up believing that its partitions
are still its own. Each heartbeat that the group's coordinator accepted proves that they were, at the moment
it was sent, for one session more; a lane writes only within that. The rest of the session is for the write
to arrive.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from streams.clock import monotonic

__all__ = ["Lease"]

# Only a process in trouble ever waits; how often it looks does not matter.
_LOOK_S = 0.05


class Lease:
    """Renewed by the consumer thread, asked by the lanes."""

    def __init__(self, span_s: float, clock: Callable[[], float] = monotonic) -> None:
        """``span_s``: how long after an accepted heartbeat was sent it still holds."""
        self._span_s = span_s
        self._clock = clock
        self._until = float("-inf")

    def renew(self, sent: float) -> None:
        """The coordinator accepted what was sent at that monotonic time."""
        self._until = max(self._until, sent + self._span_s)

    def held(self) -> bool:
        """Whether writing is safe now."""
        return self._clock() < self._until

    async def hold(self) -> None:
        """Return when writing is safe: at once, or with the next accepted heartbeat."""
        # The renewal comes from another thread, where an asyncio event cannot be set.
        while not self.held():  # noqa: ASYNC110 -- see above
            await asyncio.sleep(_LOOK_S)
