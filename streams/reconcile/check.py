"""From the marks to the report: where each partition's comparison begins and ends, and each in its turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from clickhouse_driver import Client

from streams import policies
from streams.identity import Pseudonyms
from streams.reconcile.facts import Facts, Held
from streams.reconcile.marks import Marks, take
from streams.reconcile.partition import Look
from streams.reconcile.ranges import Range
from streams.reconcile.reader import Reader
from streams.reconcile.records import Judge
from streams.reconcile.report import PartitionReport, Report
from streams.settings import Settings
from streams.warehouse.client import connect

__all__ = ["reconcile"]

# Called with how many offsets have been looked at, of how many.
Tell = Callable[[int, int], None]


def reconcile(settings: Settings, since: int = 0, tell: Tell | None = None) -> Report:
    """Compare the log, from the broker's time ``since`` (ms) on or all of it (0), with the facts.

    Raises SettingError for keys that are not set, OperationError where the brokers or ClickHouse fail.
    """
    names, policy = Pseudonyms.of(settings), policies.configured(settings)
    marks = take(settings)
    judge = Judge(settings.topics.events, len(marks), policy, names)
    client = connect(settings.clickhouse_url)
    try:
        return asyncio.run(_run(settings, marks, judge, client, since, tell or (lambda done, total: None)))
    finally:
        client.disconnect()


async def _run(
    settings: Settings,
    marks: Mapping[int, Marks],
    judge: Judge,
    client: Client,
    since: int,
    tell: Tell,
) -> Report:
    topic = settings.topics.events
    facts = Facts(client, topic)
    async with Reader(settings.kafka_url) as reader, Reader(settings.kafka_url) as beside:
        starts = {number: mark.begin for number, mark in marks.items()}
        if since:
            later = await reader.since(topic, starts, since)
            starts = {number: max(at, later.get(number, marks[number].end)) for number, at in starts.items()}
        spans = _spans(marks, starts)
        held: Mapping[int, Held] = {}
        if spans:
            stamps = await reader.stamps(topic, {number: first for number, (first, _) in spans.items()})
            held = facts.held(spans, stamps)
        look = Look(reader, beside, facts, judge, marks, topic, settings.topics.facts)
        reports, done, total = [], 0, sum(end - first for first, end in spans.values())
        for number, mark in marks.items():
            report = _report(number, mark, starts[number])
            if number in spans:
                await look.into(report, held[number])
                done += spans[number][1] - spans[number][0]
                tell(done, total)
            reports.append(report)
    return Report(topic, reports)


def _spans(marks: Mapping[int, Marks], starts: Mapping[int, int]) -> dict[int, Range]:
    """What the events lane has done: beyond its mark nothing can be missing yet."""
    spans = {number: (starts[number], mark.folded) for number, mark in marks.items()}
    return {number: (first, end) for number, (first, end) in spans.items() if first < end}


def _report(number: int, mark: Marks, start: int) -> PartitionReport:
    return PartitionReport(
        partition=number,
        begin=mark.begin,
        start=start,
        end=mark.end,
        folded=mark.folded,
        facts_folded=mark.facts_folded,
        facts_end=mark.facts_end,
        to_fold=mark.end - max(start, mark.folded),
    )
