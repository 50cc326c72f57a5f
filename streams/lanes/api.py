"""What a lane and the code it carries promise each other.

A lane owns one partition of one topic. A :class:`Fold` has state, kept exact through a changelog; a
:class:`Sink` has none and hands rows to something outside. Neither knows Faust, Kafka or the other lanes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

__all__ = ["Fold", "Headers", "Output", "Pauses", "Record", "Sink"]

Headers = Sequence[tuple[str, bytes]]


class Record(NamedTuple):
    """One record as the lane reads it: ``stamp`` is the broker's time stamp in milliseconds."""

    offset: int
    stamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Output(NamedTuple):
    """One record to send. ``partition`` None means murmur2 of the key, as every Kafka client has it."""

    topic: str
    partition: int | None
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Fold(Protocol):
    """State of one partition. All calls are synchronous and come from one lane, one at a time."""

    def load(self, key: bytes, value: bytes) -> None:
        """Take back one key's state, as :meth:`changed` gave it; once a key, before :meth:`ready`."""

    def gone(self, key: bytes, position: int) -> None:
        """Take back that a key is gone, further on than where the lane starts; called like :meth:`load`.

        Its records with offsets below ``position`` have been applied and come again: leave them out, as for
        a state that is ahead. From ``position`` on the key is one that was never there.
        """

    def ready(self) -> None:
        """The restore is complete; records follow."""

    def apply(self, records: Sequence[Record]) -> Sequence[Output]:
        """Fold records in offset order; what it returns is sent at once, acknowledged at the checkpoint."""

    def flush(self) -> Sequence[Output]:
        """At a checkpoint: what was gathered since the last one and is not sent yet (blocks of rows)."""

    def changed(self) -> Iterable[tuple[bytes, bytes | None]]:
        """At a checkpoint, after :meth:`flush`: every key changed since the last; None: the key is gone.

        Written in this order. A process that dies meanwhile leaves the first ones ahead of the position at
        which the lane starts again: a state holds the offset it has applied and leaves out what is below, and
        what describes the whole partition comes last.
        """


@runtime_checkable
class Pauses(Protocol):
    """What a :class:`Fold` has as well when a record of its topic may take seconds."""

    def steps(self, records: Sequence[Record]) -> Iterable[Sequence[Output]]:
        """As :meth:`Fold.apply`; after each step its outputs are sent, and others have their turn.

        A checkpoint comes only after the last one.
        """


class Sink(Protocol):
    """Where a lane without state puts its records."""

    async def apply(self, records: Sequence[Record]) -> None:
        """Take records in offset order; waiting here is the back-pressure."""

    async def flush(self) -> None:
        """Return when everything taken is durable; raise when it cannot be."""
