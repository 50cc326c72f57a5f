"""The port: all that a lane needs of the world."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

from streams.lanes.api import Output
from streams.lanes.changelog import Merge
from streams.lanes.chunk import Chunk, Place

__all__ = ["Wire"]


class Wire(Protocol):
    """What a lane needs of the world: Kafka in production, a list of records in unit tests."""

    async def committed(self, place: Place) -> int | None:
        """The group's committed offset, None where there is none."""

    async def earliest(self, place: Place) -> int:
        """The first offset that is still in the log."""

    async def restore(self, changelog: Place) -> Merge:
        """Everything in one partition of a changelog; nobody before us can write there any more."""

    async def open(self, place: Place, position: int, headers: bool, offer: Callable[[Chunk], None]) -> None:
        """Seek, and let chunks come to ``offer``."""

    def credit(self, place: Place) -> None:
        """A chunk is done; the next may come."""

    async def send(self, outputs: Iterable[Output]) -> set[asyncio.Future[None]]:
        """Send in order; the futures tell the acknowledgements."""

    async def commit(self, place: Place, offset: int) -> None:
        """Commit to the group. Raises when it is refused."""

    async def hold(self) -> None:
        """Return when it is certain that the partition is still ours."""
