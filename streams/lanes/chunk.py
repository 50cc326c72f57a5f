"""What the consumer thread hands to a lane, and where it comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from streams.lanes.api import Record

__all__ = ["Chunk", "Place"]


class Place(NamedTuple):
    """One partition of one topic; equal to Faust's and aiokafka's own pairs.

    >>> str(Place("rehuman.events", 3))
    'rehuman.events/3'
    """

    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}"


class Chunk(NamedTuple):
    """Records in offset order; ``position`` is the offset to read next, ``end`` the partition's end."""

    records: Sequence[Record]
    position: int
    end: int
