"""One partition: what has a fact, what need not have one, what is on its way, and the rest.

For an offset without a row there are, in the order in which they are cheap to see: a row in a block that the
facts lane has not stored yet; a record that is a tick or a policy; an event whose fact lies at another
offset, because it came twice, or at another partition, because it was sent on; the fact of such an event on
its way. What is none of these is missing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from streams.blocks import Block
from streams.lanes.api import Record
from streams.reconcile.facts import LOOK_UP, Facts, Held
from streams.reconcile.marks import Marks
from streams.reconcile.ranges import Range, joined, ranges, size, without
from streams.reconcile.reader import Reader
from streams.reconcile.records import Judge, Wanted
from streams.reconcile.report import Kind, PartitionReport

__all__ = ["Look"]

# The tables of which a record of the log becomes a row, whatever else it leads to.
TABLES = ("events", "dead_letters")


class Look:
    """Has what is needed to look into one partition after the other.

    A reader is at one place at a time: ``reader`` reads the partition's log, and ``beside``, meanwhile, what
    is on its way.
    """

    def __init__(
        self,
        reader: Reader,
        beside: Reader,
        facts: Facts,
        judge: Judge,
        marks: Mapping[int, Marks],
        events_topic: str,
        facts_topic: str,
    ) -> None:
        self._reader, self._beside = reader, beside
        self._facts, self._judge, self._marks = facts, judge, marks
        self._events_topic, self._facts_topic = events_topic, facts_topic
        # Facts on their way, by partition: of the one that is looked into, and of those it has sent on to.
        self._coming: dict[int, set[str]] = {}
        self._unread: dict[int, set[str]] = {}

    async def into(self, report: PartitionReport, held: Held) -> None:
        """Fill in the report of a partition, given what ClickHouse has of it."""
        number, mark = report.partition, self._marks[report.partition]
        report.stored, report.dead_letters = held.events, held.dead_letters
        holes = held.holes
        if holes and mark.facts_folded < mark.facts_end:
            left = without(holes, await self._coming_offsets(number))
            report.to_store += size(holes) - size(left)
            holes = left
        self._coming.clear()
        self._unread.clear()
        lost: dict[Kind, list[Range]] = {}
        seen: list[Range] = []
        waiting: list[Wanted] = []
        async for records in self._reader.records(self._events_topic, number, holes):
            seen += ranges(record.offset for record in records)
            waiting += self._owed(report, records)
            if len(waiting) >= LOOK_UP:
                await self._settle(report, waiting, lost)
                waiting = []
        await self._settle(report, waiting, lost)
        report.find_gaps(lost)
        await self._absent(report, without(holes, joined(seen, 0)))

    def _owed(self, report: PartitionReport, records: Sequence[Record]) -> list[Wanted]:
        """Those of the records that must have a fact; the others are counted."""
        found = []
        for record in records:
            wanted = self._judge.wanted(report.partition, record)
            if wanted == "tick":
                report.ticks += 1
            elif wanted == "policy":
                report.policies += 1
            else:
                found.append(wanted)
        return found

    async def _settle(
        self, report: PartitionReport, wanted: Sequence[Wanted], lost: dict[Kind, list[Range]]
    ) -> None:
        """Find their facts, wherever they are; ``lost`` gets the offsets of the others, by kind."""
        for start in range(0, len(wanted), LOOK_UP):
            part = wanted[start : start + LOOK_UP]
            events = [each for each in part if each.kind != "dead_letter"]
            letters = [each for each in part if each.kind == "dead_letter"]
            places = self._facts.find(events) | self._facts.find_letters(letters)
            for each in part:
                place = places.get(each.fact)
                if place is None:
                    if await self._comes(report.partition, each):
                        report.to_store += 1
                    else:
                        lost.setdefault(each.kind, []).append((each.offset, each.offset + 1))
                elif place == (report.partition, each.offset):
                    # Stored, by a clock far behind the brokers'.
                    report.stored += each.kind != "dead_letter"
                    report.dead_letters += each.kind == "dead_letter"
                elif place[0] == report.partition:
                    report.duplicates += 1
                else:
                    report.misrouted += 1
        for kind, parts in lost.items():
            lost[kind] = joined(parts, 0)

    async def _absent(self, report: PartitionReport, parts: Sequence[Range]) -> None:
        """Offsets at which the log gave no record."""
        if parts:
            begin = await self._reader.begin(self._events_topic, report.partition)
            deleted = size(parts) - size(without(parts, [(0, begin)]))
            report.uncheckable += deleted
            report.empty += size(parts) - deleted

    # -- on their way --------------------------------------------------------------------------------------

    async def _coming_offsets(self, number: int) -> list[Range]:
        """The offsets of one partition that have a row in a block that is not stored yet."""
        found: list[Range] = []
        mark = self._marks[number]
        async for block in self._blocks(number, mark):
            rows = zip(_column(block, "partition"), _column(block, "offset"), strict=True)
            found += ranges(sorted({offset for partition, offset in rows if partition == number}))
        return joined(sorted(found), 0)

    async def _comes(self, number: int, wanted: Wanted) -> bool:
        """Whether the fact is on its way, from this partition or from the one the event was sent on to."""
        if wanted.fact in await self._coming_facts(number):
            return True
        if wanted.kind != "misrouted":
            return False
        return wanted.fact in await self._coming_facts(wanted.owner) or wanted.fact in await self._ahead(
            wanted.owner
        )

    async def _coming_facts(self, number: int) -> set[str]:
        """The ids of the facts of one partition in blocks that are not stored yet."""
        known = self._coming.get(number)
        if known is None:
            known, mark = set(), self._marks[number]
            async for block in self._blocks(number, mark):
                known.update(_column(block, "fact_id"))
            self._coming[number] = known
        return known

    async def _ahead(self, number: int) -> set[str]:
        """The ids of the events of one partition that the events lane has not read yet."""
        known = self._unread.get(number)
        if known is None:
            known, mark = set(), self._marks[number]
            unread = [(mark.folded, mark.end)]
            async for records in self._beside.records(self._events_topic, number, unread):
                judged = (self._judge.wanted(number, record) for record in records)
                known.update(each.fact for each in judged if not isinstance(each, str))
            self._unread[number] = known
        return known

    async def _blocks(self, number: int, mark: Marks) -> AsyncIterator[Block]:
        async for block in self._beside.blocks(self._facts_topic, number, mark.facts_folded, mark.facts_end):
            if block.table in TABLES:
                yield block


def _column(block: Block, name: str) -> Sequence[Any]:
    return block.columns[block.names.index(name)]
