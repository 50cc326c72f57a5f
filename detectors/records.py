"""What a record of the log can be beside a customer's event.

>>> Rejected("missing_field", "id")
Rejected(reason='missing_field', field='id')
"""

from __future__ import annotations

from msgspec import Struct

__all__ = ["Activation", "Rejected", "Tick"]


class Tick(Struct, frozen=True, gc=False):
    """Time passing, as a record of the log: ``time`` in ms; ``stale`` names the sources that are silent."""

    time: int
    stale: tuple[str, ...] = ()


class Activation(Struct, frozen=True, gc=False):
    """A policy becomes the one for events at or after ``time`` (ms); ``text`` is the whole policy."""

    time: int
    version: int
    text: str


class Rejected(Struct, frozen=True, gc=False):
    """Why a record cannot be an event: ``reason`` from a bounded set, ``field`` a contract name or empty.

    Neither ever holds a value of the record: reasons end up in labels, headers and logs.
    """

    reason: str
    field: str = ""
