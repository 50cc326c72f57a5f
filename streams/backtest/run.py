"""One back-test from files to report."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from streams import policies
from streams.backtest.report import ALERTS, SCORES, Report, table
from streams.clock import monotonic, wall_ms
from streams.folding import Progress, few_collections, fold_chunks
from streams.identity import Pseudonyms
from streams.settings import Settings
from streams.sources.api import Source, SourceCounts, get_source
from streams.sources.files import read_merged
from streams.targets.scoring import Asked, Decisions
from streams.ticks import under

__all__ = ["run"]


def run(
    settings: Settings,
    source: str | Source,
    files: Sequence[Path],
    *,
    start: int | None = None,
    until: int | None = None,
    asked: Asked | None = None,
    scores_out: Path | None = None,
    alerts_out: Path | None = None,
    report_out: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Fold all of ``files``; report events from ``start`` to before ``until`` (ms). Returns the report.

    ``asked`` are the targets to measure the score against. Raises SettingError for a wrong policy or file and
    OperationError for a file that cannot be read.
    """
    adapter = get_source(source) if isinstance(source, str) else source
    policy = policies.configured(settings)
    names = Pseudonyms.of(settings)
    counts = SourceCounts()
    began = monotonic()
    span = (-(2**62) if start is None else start, 2**62 if until is None else until)
    with few_collections(), ExitStack() as stack:
        events = list(read_merged(adapter, files, counts))
        items = list(under(policy, events, now_ms=wall_ms()))
        decisions = None if asked is None else Decisions(asked, policy, events, items, adapter, span)
        report = Report(
            adapter, items, span, table(stack, scores_out, SCORES), table(stack, alerts_out, ALERTS)
        )
        shown, watch = (
            (policy, frozenset[str]()) if decisions is None else (decisions.policy, decisions.watch)
        )
        for findings in fold_chunks(items, shown, names, watch=watch, progress=progress):
            report.take(findings)
            if decisions is not None:
                decisions.take(findings)
        if decisions is not None:
            decisions.fold_again(names, progress)
    folded = monotonic()
    summary = report.summary(counts, policy)
    if decisions is not None:
        summary |= decisions.measured(report.surveys)
    summary["seconds"] = round(monotonic() - began, 3)
    if asked is not None:
        summary["measuring_seconds"] = round(monotonic() - folded, 3)
    if report_out is not None:
        report_out.write_bytes(msgspec.json.format(msgspec.json.encode(summary)) + b"\n")
    return summary
