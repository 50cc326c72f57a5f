"""Figures of right and wrong answers, each with a 95 % interval by bootstrap over customers.

Rows of one customer hang together: so customers are drawn, not rows, each with all of theirs.

>>> cases = [Case("a", "forced", "forced"), Case("a", "chosen", "forced"), Case("b", "chosen", "chosen")]
>>> found = classified(cases, times=50)
>>> found.accuracy.value, found.commonest.value, found.classes["forced"].precision.value
(0.6666666666666666, 0.6666666666666666, 0.5)
>>> scored([Scored("a", True, 0.9), Scored("b", False, 0.2), Scored("c", False, 0.4)], times=50).auc.value
1.0
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from streams.targets.measures import Interval, Rows, Vector, interval

__all__ = [
    "TIMES",
    "Bin",
    "Case",
    "Class",
    "Classified",
    "Figure",
    "Scored",
    "ScoredAs",
    "classified",
    "scored",
]

# Draws of a bootstrap.
TIMES = 400


class Case(NamedTuple):
    """One answer: "" in ``truth`` is nothing to be found, "" in ``found`` is nothing found."""

    customer: str
    truth: str
    found: str


class Scored(NamedTuple):
    """One probability, and whether it came true."""

    customer: str
    positive: bool
    score: float


class Figure(msgspec.Struct, frozen=True):
    """A figure with its 95 % interval; not a number where there is nothing to divide by."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f}-{self.high:.3f})"


class Class(msgspec.Struct, frozen=True):
    """Of one class: how many there are, how many were found, and how many of either are right."""

    truth: int
    found: int
    precision: Figure
    recall: Figure


class Classified(msgspec.Struct, frozen=True):
    """Answers of one kind. ``commonest`` is the accuracy of always giving ``commonest_class``."""

    cases: int
    customers: int
    accuracy: Figure
    commonest_class: str
    commonest: Figure
    # Of accuracy minus commonest, on the same draws.
    ahead: Figure
    # The mean of the classes' recalls; always the commonest has one in so many.
    macro_recall: Figure
    classes: dict[str, Class]
    # By truth, then by what was found.
    confusion: dict[str, dict[str, int]]


class Bin(msgspec.Struct, frozen=True):
    """One tenth of the rows by score: the mean score, and the share that came true."""

    rows: int
    score: float
    share: Figure


class ScoredAs(msgspec.Struct, frozen=True):
    """Probabilities of one thing."""

    rows: int
    positives: int
    auc: Figure
    brier: Figure
    # Of the constant that gives the base rate always.
    brier_constant: float
    reliability: list[Bin]


def _figure(found: Interval) -> Figure:
    return Figure(*(math.nan if one is None else one for one in (found.value, found.low, found.high)))


def classified(cases: Sequence[Case], *, times: int = TIMES) -> Classified:
    """Precision and recall by class, accuracy, and that of always the commonest."""
    truth = np.array([case.truth for case in cases], dtype=object)
    found = np.array([case.found for case in cases], dtype=object)
    truths = Counter(case.truth for case in cases)
    commonest = max(sorted(truths), key=truths.__getitem__, default="")
    names = sorted(truths | Counter(case.found for case in cases))
    is_it = [truth == name for name in names]
    says = [found == name for name in names]
    right = [one & other for one, other in zip(is_it, says, strict=True)]
    everything = np.ones(len(cases), dtype=bool)
    # Accuracy, always the commonest, then precision and recall of each class.
    parts = [truth == found, truth == commonest, *right, *right]
    wholes = [everything, everything, *says, *is_it]
    rows = Rows(everything, [case.customer for case in cases], times)
    samples = rows.ratios(np.stack(parts, axis=1).astype(float), np.stack(wholes, axis=1).astype(float))
    accuracy, always = samples[:, 0], samples[:, 1]
    precisions, recalls = np.split(samples[:, 2:], 2, axis=1)
    confusion: dict[str, dict[str, int]] = {}
    for (true, said), count in sorted(Counter((case.truth, case.found) for case in cases).items()):
        confusion.setdefault(true, {})[said] = count
    return Classified(
        len(cases),
        rows.customers,
        _figure(interval(accuracy)),
        commonest,
        _figure(interval(always)),
        _figure(interval(accuracy - always)),
        _figure(interval(_mean(recalls[:, [name in truths for name in names]]))),
        {
            name: Class(
                int(is_it[at].sum()),
                int(says[at].sum()),
                _figure(interval(precisions[:, at])),
                _figure(interval(recalls[:, at])),
            )
            for at, name in enumerate(names)
        },
        confusion,
    )


def _mean(recalls: Vector) -> Vector:
    """Of those that can be told; each sample has the class of some row, if there is one."""
    told = ~np.isnan(recalls)
    found: Vector = np.where(told, recalls, 0.0).sum(axis=1) / np.maximum(told.sum(axis=1), 1)
    return np.where(told.any(axis=1), found, np.nan)


def scored(rows: Sequence[Scored], *, times: int = TIMES) -> ScoredAs:
    """AUC, Brier score and reliability of probabilities."""
    if not rows:
        nothing = Figure(math.nan, math.nan, math.nan)
        return ScoredAs(0, 0, nothing, nothing, math.nan, [])
    # In an order of their own, so that the resamples do not depend on the order in which rows were found.
    ordered = sorted(rows, key=lambda row: (row.score, row.customer))
    score = [row.score for row in ordered]
    held = Rows([row.positive for row in ordered], [row.customer for row in ordered], times)
    ranked = held.ranked({"score": score}, ["score"])
    positives = int(held.positive.sum())
    base = positives / len(rows)
    return ScoredAs(
        len(rows),
        positives,
        _figure(ranked.interval("score", "auc")),
        _figure(ranked.interval("score", "brier")),
        base * (1 - base),
        [Bin(one.n, one.predicted, _figure(one.observed)) for one in held.reliability(score)],
    )
