"""The answer: partition by partition, what became of every offset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from streams.reconcile.ranges import Range

__all__ = ["Gap", "Kind", "PartitionReport", "Report"]

# What a record without a fact had to become.
Kind = Literal["event", "misrouted", "dead_letter"]


class Gap(msgspec.Struct, frozen=True):
    """Offsets ``first`` to ``last``, ``count`` records of one kind, that have no fact."""

    first: int
    last: int
    count: int
    kind: Kind


class PartitionReport(msgspec.Struct):
    """One partition of the events' topic. The counts add up to ``end - start``.

    ``begin`` and ``end`` are the log's offsets: what is below ``begin`` was deleted by retention, and nobody
    can say any more what it was. ``start`` is where the comparison begins, ``folded`` what the events lane
    has committed; ``facts_folded`` and ``facts_end`` are the same of the facts' topic.
    """

    partition: int
    begin: int
    start: int
    end: int
    folded: int
    facts_folded: int
    facts_end: int
    #: Rows of ``events``, and of ``dead_letters``, at this offset.
    stored: int = 0
    dead_letters: int = 0
    #: The same event is stored at another offset, or at one of another partition.
    duplicates: int = 0
    misrouted: int = 0
    #: Records that have no fact of their own.
    ticks: int = 0
    policies: int = 0
    #: Offsets without a record: a transaction's marks.
    empty: int = 0
    #: Not read by the events lane yet; read, and the rows on their way in the facts' topic.
    to_fold: int = 0
    to_store: int = 0
    #: Deleted by retention while we were looking.
    uncheckable: int = 0
    missing: int = 0
    gaps: list[Gap] = []

    def find_gaps(self, lost: Mapping[Kind, Iterable[Range]]) -> None:
        """Take the ranges of offsets without a fact, by what they had to become."""
        found = [
            Gap(first, end - 1, end - first, kind) for kind, parts in lost.items() for first, end in parts
        ]
        self.gaps = sorted(found, key=lambda gap: gap.first)
        self.missing = sum(gap.count for gap in found)


class Report(msgspec.Struct):
    """All partitions of one topic."""

    topic: str
    partitions: list[PartitionReport]

    @property
    def missing(self) -> int:
        """Records without a fact."""
        return sum(partition.missing for partition in self.partitions)
