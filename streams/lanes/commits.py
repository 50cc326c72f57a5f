"""Commits: every lane for itself, one request for all who are waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from streams.lanes.chunk import Place

__all__ = ["Commits"]


class Commits:
    """While one commit is on its way, those who come gather for the next."""

    def __init__(self, commit: Callable[[Mapping[Place, int]], Awaitable[None]]) -> None:
        """``commit`` sends offsets to the group and raises when they are refused."""
        self._commit = commit
        self._gathered: dict[Place, int] = {}
        self._next: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()

    async def commit(self, place: Place, offset: int) -> None:
        """Return when the group has it; raises what the request raised."""
        self._gathered[place] = offset
        if self._next is None:
            self._next = asyncio.get_running_loop().create_task(self._send())
            self._next.add_done_callback(_heard)
        # A lane that is cancelled must not take the others' commit with it.
        await asyncio.shield(self._next)

    async def _send(self) -> None:
        async with self._turn:
            offsets, self._gathered, self._next = self._gathered, {}, None
            await self._commit(offsets)


def _heard(sent: asyncio.Task[None]) -> None:
    """Where every lane that waited was given up meanwhile, nobody else asks for the error."""
    if not sent.cancelled():
        sent.exception()
