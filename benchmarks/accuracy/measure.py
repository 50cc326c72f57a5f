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
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

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

Floats = NDArray[np.float64]
# Draws of a bootstrap, and the seed of all of them: the same rows give the same intervals.
TIMES = 400
_SEED = 20_260_105
_BINS = 10


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


def _draws(customers: int, times: int) -> Floats:
    """How often each customer is drawn, in each of ``times`` samples; the first row is the sample itself."""
    rng = np.random.default_rng(_SEED)
    drawn = np.ones((times + 1, customers))
    for row in range(1, times + 1):
        drawn[row] = np.bincount(rng.integers(0, customers, customers), minlength=customers)
    return drawn


def _figure(values: Floats) -> Figure:
    """The first is the figure, the others are those of the samples."""
    known = values[1:][~np.isnan(values[1:])]
    if math.isnan(values[0]) or not known.size:
        return Figure(float(values[0]), math.nan, math.nan)
    low, high = np.percentile(known, [2.5, 97.5])
    return Figure(float(values[0]), float(low), float(high))


def _over(a: Floats, b: Floats) -> Floats:
    found: Floats = np.divide(a, b, out=np.full_like(a, np.nan), where=b > 0)
    return found


def _places(rows: Sequence[Any]) -> tuple[dict[str, int], list[int]]:
    """Customers by number, and each row's."""
    places: dict[str, int] = {}
    return places, [places.setdefault(row.customer, len(places)) for row in rows]


def classified(cases: Sequence[Case], *, times: int = TIMES) -> Classified:
    """Precision and recall by class, accuracy, and that of always the commonest."""
    places, at = _places(cases)
    pairs = sorted({(case.truth, case.found) for case in cases})
    tallies = np.zeros((len(places), len(pairs)))
    for case, place in zip(cases, at, strict=True):
        tallies[place, pairs.index((case.truth, case.found))] += 1
    counts = _draws(len(places), times) @ tallies

    def total(wanted: Callable[[str, str], bool]) -> Floats:
        kept = [place for place, pair in enumerate(pairs) if wanted(*pair)]
        summed: Floats = counts[:, kept].sum(axis=1)
        return summed

    everything = total(lambda truth, found: True)
    accuracy = _over(total(lambda truth, found: truth == found), everything)
    truths = Counter(case.truth for case in cases)
    commonest = max(sorted(truths), key=truths.__getitem__, default="")
    always = _over(total(lambda truth, found: truth == commonest), everything)
    classes: dict[str, Class] = {}
    recalls: list[Floats] = []
    for name in sorted(truths | Counter(case.found for case in cases)):
        right = total(lambda truth, found, name=name: truth == found == name)  # type: ignore[misc]
        is_it = total(lambda truth, found, name=name: truth == name)  # type: ignore[misc]
        says = total(lambda truth, found, name=name: found == name)  # type: ignore[misc]
        recall = _over(right, is_it)
        if name in truths:
            recalls.append(recall)
        classes[name] = Class(int(is_it[0]), int(says[0]), _figure(_over(right, says)), _figure(recall))
    macro = np.nanmean(np.stack(recalls), axis=0) if recalls else np.full(times + 1, np.nan)
    confusion: dict[str, dict[str, int]] = {}
    for (truth, said), count in zip(pairs, counts[0], strict=True):
        confusion.setdefault(truth, {})[said] = int(count)
    return Classified(
        len(cases), len(places), _figure(accuracy), commonest, _figure(always), _figure(accuracy - always),
        _figure(macro), classes, confusion,
    )  # fmt: skip


def _auc(positive: Floats, negative: Floats, starts: NDArray[np.intp]) -> float:
    """Of rows in order of score, with weights; ``starts`` are the places where a new score begins."""
    ups, downs = np.add.reduceat(positive, starts), np.add.reduceat(negative, starts)
    both = ups.sum() * downs.sum()
    below = np.cumsum(downs) - downs
    return float((ups * (below + downs / 2)).sum() / both) if both else math.nan


def scored(rows: Sequence[Scored], *, times: int = TIMES) -> ScoredAs:
    """AUC, Brier score and reliability of probabilities."""
    if not rows:
        nothing = Figure(math.nan, math.nan, math.nan)
        return ScoredAs(0, 0, nothing, nothing, math.nan, [])
    ordered = sorted(rows, key=lambda row: (row.score, row.customer))
    places, at = _places(ordered)
    score = np.array([row.score for row in ordered])
    truth = np.array([float(row.positive) for row in ordered])
    starts = np.flatnonzero(np.concatenate(([True], np.diff(score) > 0)))
    weights = _draws(len(places), times)[:, at]
    base = float(truth.mean())
    squared = _over(weights @ (score - truth) ** 2, weights.sum(axis=1))
    auc = np.array([_auc(weight * truth, weight * (1 - truth), starts) for weight in weights])
    return ScoredAs(
        len(rows), int(truth.sum()), _figure(auc), _figure(squared), base * (1 - base),
        _reliability(score, truth, weights),
    )  # fmt: skip


def _reliability(score: Floats, truth: Floats, weights: Floats) -> list[Bin]:
    """Tenths of the rows by score; those of one score stay together."""
    found = []
    edges = [place * len(score) // _BINS for place in range(1, _BINS)]
    cuts = sorted({0, len(score), *(int(np.searchsorted(score, score[edge])) for edge in edges)})
    for first, last in pairwise(cuts):
        within = slice(first, last)
        share = _over(weights[:, within] @ truth[within], weights[:, within].sum(axis=1))
        found.append(Bin(last - first, float(score[within].mean()), _figure(share)))
    return found
