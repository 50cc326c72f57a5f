"""Work that must not hold up the event loop: one step at a time, and no more than a share of the time.

All facts lanes of a process take turns here, however many there are: after minutes without a database each
of them has a backlog, and lanes that score share the loop with them. An alert passes the loop a dozen times;
were every facts lane to take a step in between, it would wait for all of them each time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

from streams.clock import monotonic

__all__ = ["STEP_S", "Turns"]

T = TypeVar("T")

# What a step should take; the loop's other work waits that long.
STEP_S = 0.004


class Turns:
    """Steps of many iterators, one after the other."""

    def __init__(self, share: float, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """``share`` of the time that steps may take; 1 where nothing else is in the loop."""
        self._rest = 1 / share - 1
        self._sleep = sleep
        self._turn = asyncio.Lock()

    async def next(self, work: Iterator[T]) -> T | None:
        """The next of ``work`` when it is its turn; None at its end."""
        async with self._turn:
            began = monotonic()
            found = next(work, None)
            await self._sleep((monotonic() - began) * self._rest)
        return found
