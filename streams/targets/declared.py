"""What customers said of their effort, beside what was inferred just before they answered.

Both on the scale of CES 2.0, 1 to 7 and high is easy: a declared answer is stretched to it from its own
scale, and effort, 0 to 100, is turned round. Where the two part by more than chance in one place of a
journey, the score misses something there, or charges for what nobody minds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from detectors.tables import TABLES, Row
from streams.targets.chance import LEVEL, holm, p_value
from streams.targets.measures import Rows, interval

__all__ = ["LEAST_ANSWERS", "beside"]

#: Answers that a place must have to be looked at.
LEAST_ANSWERS: Final = 30
_AT: Final = {name: place for place, name in enumerate(TABLES["surveys"].names)}


def beside(surveys: Sequence[Row]) -> dict[str, Any]:
    """The part of the report: each metric as a whole, each place with enough answers, and the findings."""
    answers = [row for row in surveys if not row[_AT["retracted"]] and row[_AT["value"]] is not None]
    known = [row for row in answers if row[_AT["effort_before"]] is not None]
    metrics = [_place(rows, metric=key) for (key,), rows in _grouped(known, "metric").items()]
    places = [
        _place(rows, metric=metric, journey=journey, step=step)
        for (metric, journey, step), rows in _grouped(known, "metric", "journey", "step").items()
        if len(rows) >= LEAST_ANSWERS
    ]
    tested = [place for place in places if place["p"] is not None]
    for place, p in zip(tested, holm([place["p"] for place in tested]), strict=True):
        place["p"] = p
    return {
        "answers": len(answers),
        "without_effort": len(answers) - len(known),
        "least_answers": LEAST_ANSWERS,
        "metrics": metrics,
        "steps": places,
        "findings": sorted((one for one in tested if one["p"] < LEVEL), key=lambda one: one["p"]),
    }


def _grouped(rows: list[Row], *names: str) -> dict[tuple[str, ...], list[Row]]:
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(str(row[_AT[name]]) for name in names), []).append(row)
    return dict(sorted(found.items()))


def _place(rows: list[Row], **names: str) -> dict[str, Any]:
    """Means of one place; ``difference`` is declared less inferred: below 0 it was harder than inferred."""
    said: Any = np.array([row[_AT["value"]] for row in rows], dtype=np.float64) * 6 + 1
    score: Any = np.array([row[_AT["effort_before"]] for row in rows], dtype=np.float64)
    inferred = 7 - 6 * score / 100
    held = Rows(np.zeros(len(rows), dtype=bool), [f"{row[0]}\x1f{row[1]}" for row in rows])
    columns = np.stack([said, inferred, said - inferred], axis=1)
    samples = held.ratios(columns, np.ones_like(columns))
    return {
        **names,
        "answers": len(rows),
        "customers": held.customers,
        "declared": interval(samples[:, 0]),
        "inferred": interval(samples[:, 1]),
        "difference": interval(samples[:, 2]),
        "p": p_value(samples[:, 2]),
    }
