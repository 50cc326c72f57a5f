"""What a fitted line is worth: on answers kept apart, and step by step where declared and inferred differ."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final

import numpy as np

from detectors.declared import Line
from streams.calibrate.clusters import mean
from streams.surveys.answers import Answer
from streams.surveys.line import prior

__all__ = ["LEAST", "divergence", "reliability", "worth"]

BINS: Final = 10
# Fewer answers than this in a bin, or of a step, say nothing.
LEAST: Final = 20


def worth(line: Line, fitted: Sequence[Answer], kept: Sequence[Answer]) -> dict[str, Any]:
    """Errors on answers that were ``kept`` apart: of the line, the prior, and of always saying the mean."""
    if not kept:
        return {"n": 0}
    told = np.array([one.value for one in kept])
    always = float(np.mean([one.value for one in fitted])) if fitted else 0.5
    by = {
        "line": np.array([line.at(one.effort) for one in kept]),
        "prior": np.array([prior().at(one.effort) for one in kept]),
        "mean": np.full(len(kept), always),
    }
    customers = [one.customer for one in kept]
    errors = {name: (expected - told) ** 2 for name, expected in by.items()}
    return {
        "n": len(kept),
        "root_mean_square_error": {name: float(np.sqrt(error.mean())) for name, error in errors.items()},
        # Below 0: the line errs less. On the same answers, so paired.
        "squared_error_line_less_prior": mean(list(errors["line"] - errors["prior"]), customers),
        "squared_error_line_less_mean": mean(list(errors["line"] - errors["mean"]), customers),
        "reliability": reliability(line, kept),
    }


def reliability(line: Line, kept: Sequence[Answer]) -> list[dict[str, Any]]:
    """Expected beside declared, in parts of about equal size from easy to hard, with 95 % intervals.

    Answers at the same effort stay together: many journeys have none at all.
    """
    least = max(LEAST, len(kept) / BINS)
    parts: list[list[Answer]] = []
    for _, same in groupby(sorted(kept, key=_effort), _effort):
        if not parts or len(parts[-1]) >= least:
            parts.append([])
        parts[-1] += same
    # What is left at the end may be too little to have an interval.
    if len(parts) > 1 and len(parts[-1]) < LEAST:
        parts[-2:] = [parts[-2] + parts[-1]]
    found = []
    for rows in parts:
        value, low, high = mean([one.value for one in rows], [one.customer for one in rows])
        expected = float(np.mean([line.at(one.effort) for one in rows]))
        found.append(
            {
                "n": len(rows),
                "effort": [rows[0].effort, rows[-1].effort],
                "expected": expected,
                "declared": value,
                "low": low,
                "high": high,
                "inside": low <= expected <= high,
            }
        )
    return found


def divergence(line: Line, answers: Sequence[Answer]) -> list[dict[str, Any]]:
    """By journey and step, what was declared less what was expected; a finding where more than chance.

    As many steps as there are, one in twenty would stand out by chance: the intervals are widened so that the
    chance of a single false finding among all is at most 5 % (Bonferroni).
    """
    from scipy.stats import t

    groups: dict[tuple[str, str], list[Answer]] = {}
    for one in answers:
        groups.setdefault((one.journey, one.step), []).append(one)
    kept = {name: rows for name, rows in groups.items() if len({one.customer for one in rows}) >= LEAST}
    found = []
    for (journey, step), rows in kept.items():
        people = [one.customer for one in rows]
        centre, low, _ = mean([one.value - line.at(one.effort) for one in rows], people)
        free = len(set(people)) - 1
        wider = float(t.ppf(1 - 0.025 / len(kept), free) / t.ppf(0.975, free))
        half = (centre - low) * wider
        found.append(
            {
                "journey": journey,
                "step": step,
                "n": len(rows),
                "difference": centre,
                "low": centre - half,
                "high": centre + half,
                "finding": abs(centre) > half,
            }
        )
    return sorted(found, key=lambda row: (row["difference"], row["journey"], row["step"]))


def _effort(one: Answer) -> float:
    return one.effort
