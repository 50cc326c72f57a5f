"""The public sets, how they are split, and what can be said of them without any score.

Nothing here is folded, so it takes seconds: the tests make it again and compare.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from benchmarks.accuracy.calls import TARGET as CALLS
from benchmarks.accuracy.cases import TARGET as CASES
from benchmarks.accuracy.cases import opened_later
from benchmarks.accuracy.common import APRIL, BANK, DAY, INCIDENTS, LAST_WEEK, Figures, Where, day
from benchmarks.accuracy.people import simulated
from benchmarks.accuracy.scored import History, Known
from detectors import policy as policies
from streams.targets.labels import Label
from streams.targets.measures import Rows

__all__ = ["data", "small"]

# The calls of three days are a sixth of the month.
_FIRST_DAYS = 3


def data(where: Where) -> Figures:
    """Both sets."""
    return {
        "bank": _set(
            "anonymous-bank",
            where.datasets / BANK,
            CALLS,
            LAST_WEEK,
            lambda known: {ref for ref, time in known.times.items() if time >= LAST_WEEK},
            "Asia/Jerusalem",
        ),
        "incidents": _set(
            "servicenow-incidents", where.datasets / INCIDENTS, CASES, APRIL, opened_later, "UTC"
        ),
    }


def _set(
    source: str,
    path: Path,
    target: str,
    cut: int,
    apart: Callable[[Known], set[tuple[str, str]]],
    zone: str,
) -> Figures:
    known = Known(source, path, target, cut)
    later = apart(known)
    held = {ref: label for ref, label in known.later.items() if ref in later}
    return {
        "source": source,
        "target": target,
        "rows": known.source_counts.rows,
        "used": known.source_counts.used,
        "events": len(known.events),
        "from": day(known.events[0].time, zone),
        "until": day(known.events[-1].time, zone),
        "cut": day(cut, zone),
        "fit": _about(known.before),
        "apart": _about(held) | {"counts": _counts(known, held)},
    }


def _about(labels: dict[tuple[str, str], Label]) -> Figures:
    held = _rows(labels)
    return {
        "n": len(held),
        "customers": held.customers,
        "positives": int(held.positive.sum()),
        "base_rate": msgspec.to_builtins(held.ratio(held.positive)),
    }


def _counts(known: Known, labels: dict[tuple[str, str], Label]) -> Figures:
    scores = {name: [counts[ref] for ref in labels] for name, counts in known.counts.items()}
    ranked = _rows(labels).ranked(scores)
    return {name: msgspec.to_builtins(ranked.interval(name, "auc")) for name in scores}


def _rows(labels: dict[tuple[str, str], Label]) -> Rows:
    return Rows([one.positive for one in labels.values()], [one.customer for one in labels.values()])


def small(where: Where) -> Figures:
    """Small enough for the tests to make it again: three days of the bank folded, and two dozen people."""
    end = LAST_WEEK - (21 - _FIRST_DAYS) * DAY
    history = History("anonymous-bank", where.datasets / BANK, CALLS, end, until=end)
    rows = history.kept(lambda ref: True)
    held = Rows(rows.positive, [str(customer) for customer in rows.customers], times=200)
    scores: dict[str, Any] = {"policy_before": rows.need}
    for name, counts in history.counts.items():
        scores[name] = np.array([counts[ref] for ref in rows.refs])
    ranked = held.ranked(scores)
    people = simulated(where._replace(small=False), ("broken-release",), (1,), customers=60, times=100)
    return {
        "bank": {
            "days": _FIRST_DAYS,
            "n": len(rows),
            "base_rate": msgspec.to_builtins(held.ratio(held.positive)),
            "auc": {name: msgspec.to_builtins(ranked.interval(name, "auc")) for name in scores},
            "policy_version": policies.default().version,
        },
        "people": people,
    }
