"""``rehuman doctor --reconcile``: whether every record of the log has become what it had to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from streams.cli.options import print_json
from streams.cli.progress import progress

if TYPE_CHECKING:
    from streams.reconcile import PartitionReport, Report
    from streams.settings import Settings

__all__ = ["run"]

# Gaps shown of one partition; --json has all of them.
SHOWN = 20
WORDS = {
    "event": "that must be events",
    "misrouted": "that were sent on to another partition",
    "dead_letter": "that must be dead letters",
}


def run(settings: Settings, since: int, as_json: bool) -> bool:
    """Print the report from a moment on (ms, 0 for all of the log); whether nothing is missing."""
    from streams.reconcile import reconcile

    with progress("reconcile", "offsets") as tell:
        report = reconcile(settings, since, tell)
    if as_json:
        print_json({"missing": report.missing, "topic": report.topic, "partitions": report.partitions})
    else:
        for partition in report.partitions:
            _partition(report.topic, partition)
        typer.echo(_conclusion(report))
    return not report.missing


def _partition(topic: str, found: PartitionReport) -> None:
    name = f"{topic}/{found.partition}"
    span = f"offsets {found.start} to {found.end - 1}" if found.start < found.end else "no records"
    counts = {
        "stored": found.stored,
        "dead letters": found.dead_letters,
        "duplicates": found.duplicates,
        "sent on": found.misrouted,
        "ticks": found.ticks,
        "policies": found.policies,
        "without a record": found.empty,
        "deleted meanwhile": found.uncheckable,
        "on their way to ClickHouse": found.to_store,
        "not folded yet": found.to_fold,
        "MISSING": found.missing,
    }
    said = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    typer.echo(f"{name}  {span}: {said}" if said else f"{name}  {span}")
    if found.begin and found.start == found.begin:
        typer.echo(f"{name}  offsets 0 to {found.begin - 1}: deleted by retention, cannot be checked")
    for gap in found.gaps[:SHOWN]:
        where = f"offset {gap.first}" if gap.first == gap.last else f"offsets {gap.first} to {gap.last}"
        typer.echo(f"{name}  {where}: {gap.count} records {WORDS[gap.kind]} have no fact")
    if len(found.gaps) > SHOWN:
        typer.echo(f"{name}  and {len(found.gaps) - SHOWN} more gaps; --json names all of them")


def _conclusion(report: Report) -> str:
    total = sum(found.end - found.start for found in report.partitions)
    coming = sum(found.to_fold + found.to_store for found in report.partitions)
    if report.missing:
        return f"{report.missing} of {total} records have no fact"
    way = f"; {coming} of them are on their way" if coming else ""
    return f"all {total} records are accounted for{way}"
