"""How well a score foretold what came: each figure with a 95 % interval by bootstrap over customers.

Customers are drawn, not rows: the calls of one person are no independent witnesses. Every resample is a
weight a customer, and all figures of one comparison are taken on the same resamples, so that differences are
paired. The same rows give the same intervals, always.

>>> rows = Rows([True, True, False, False, False], ["ann", "bob", "cy", "dee", "eve"])
>>> found = rows.ranked({"model": [0.9, 0.5, 0.5, 0.2, 0.1]}, probabilities=["model"])
>>> round(found.interval("model", "auc").value, 3), round(found.interval("model", "brier").value, 3)
(0.917, 0.112)
>>> rows.ratio([1, 0, 1, 0, 0]).value
0.4
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

__all__ = ["MEASURES", "TIMES", "Bin", "Interval", "Ranked", "Rows", "Vector", "interval", "summed"]

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

#: Resamples.
TIMES: Final = 1_000
SEED: Final = 20_160_401
MEASURES: Final = ("auc", "average_precision", "brier", "base_rate", "n")
# Weights at hand at a time; more would not stay in a core's cache.
_CELLS: Final = 1_000_000
_LOW, _HIGH = 2.5, 97.5


class Interval(msgspec.Struct, frozen=True):
    """A figure and its 95 % interval; None where there is nothing to take it from."""

    value: float | None
    low: float | None
    high: float | None


class Bin(msgspec.Struct, frozen=True):
    """One of the equal parts of a reliability curve."""

    n: int
    predicted: float
    observed: Interval


class Rows:
    """What came of some events, and whose they were; the resamples are of their customers."""

    def __init__(
        self, positive: Sequence[bool] | npt.ArrayLike, customers: Sequence[str], times: int = TIMES
    ) -> None:
        self.positive = np.asarray(positive, dtype=bool)
        self.times = times
        places: dict[str, int] = {}
        self._codes = np.fromiter(
            (places.setdefault(customer, len(places)) for customer in customers), np.intp, len(customers)
        )
        self.customers = len(places)

    def __len__(self) -> int:
        return len(self.positive)

    def ranked(self, scores: Mapping[str, npt.ArrayLike], probabilities: Collection[str] = ()) -> Ranked:
        """How well each of ``scores`` ranks the rows; ``brier`` only of those that are ``probabilities``."""
        given = {name: np.asarray(score, dtype=np.float64) for name, score in scores.items()}
        orders = {name: _Order(score, self.positive, self._codes) for name, score in given.items()}
        sums = [np.ones(len(self)), self.positive.astype(np.float64)]
        sums += [(given[name] - self.positive) ** 2 for name in probabilities]
        by_customer = np.stack([summed(self._codes, one, self.customers) for one in sums], axis=1)
        found: dict[tuple[str, str], list[Vector]] = {}
        for weights in self._draws(len(self)):
            totals = weights @ by_customer
            n = totals[:, 0]
            shares = _divided(totals[:, 1:], n[:, None])
            for name, order in orders.items():
                auc, precision = order.measures(weights)
                found.setdefault((name, "auc"), []).append(auc)
                found.setdefault((name, "average_precision"), []).append(precision)
                found.setdefault((name, "base_rate"), []).append(shares[:, 0])
                found.setdefault((name, "n"), []).append(n)
            for place, name in enumerate(probabilities, 1):
                found.setdefault((name, "brier"), []).append(shares[:, place])
        return Ranked({key: np.concatenate(parts) for key, parts in found.items()})

    def ratios(self, parts: Matrix, wholes: Matrix) -> Matrix:
        """Of each column: sum of ``parts`` by sum of ``wholes``; first as it is, then of each resample."""
        both = np.concatenate([parts, wholes], axis=1)
        by_customer = np.zeros((self.customers, both.shape[1]))
        np.add.at(by_customer, self._codes, both)
        width = parts.shape[1]
        found = []
        for weights in self._draws(max(self.customers, 2 * width)):
            totals = weights @ by_customer
            found.append(_divided(totals[:, :width], totals[:, width:]))
        return np.concatenate(found)

    def ratio(self, part: npt.ArrayLike, whole: npt.ArrayLike | None = None) -> Interval:
        """Sum of ``part`` by sum of ``whole`` (by default the number of rows), with its interval."""
        top = np.asarray(part, dtype=np.float64)[:, None]
        under = np.ones_like(top) if whole is None else np.asarray(whole, dtype=np.float64)[:, None]
        return interval(self.ratios(top, under)[:, 0])

    def reliability(self, probability: npt.ArrayLike, bins: int = 10) -> list[Bin]:
        """Predicted beside observed in parts of equal count; equal predictions stay in one part."""
        predicted = np.asarray(probability, dtype=np.float64)
        if not len(predicted):
            return []
        order = np.sort(predicted)
        cuts = sorted({int(np.searchsorted(order, order[len(order) * k // bins])) for k in range(1, bins)})
        edges = [0, *(cut for cut in cuts if cut), len(order)]
        place = np.searchsorted(np.array(edges[1:-1]), np.searchsorted(order, predicted), side="right")
        inside = (place[:, None] == np.arange(len(edges) - 1)).astype(np.float64)
        observed = self.ratios(inside * self.positive[:, None], inside)
        return [
            Bin(high - low, float(order[low:high].mean()), interval(observed[:, number]))
            for number, (low, high) in enumerate(pairwise(edges))
        ]

    def _draws(self, width: int) -> Iterator[Matrix]:
        """How often each customer is in each resample, some resamples at a time; first once as it is."""
        yield np.ones((1, self.customers))
        if self.customers < 2:
            return
        random = np.random.default_rng(SEED)
        step = max(1, _CELLS // max(width, 1))
        for start in range(0, self.times, step):
            count = min(step, self.times - start)
            drawn = random.integers(0, self.customers, (count, self.customers))
            drawn += np.arange(count)[:, None] * self.customers
            counted = np.bincount(drawn.ravel(), minlength=count * self.customers)
            yield counted.reshape(count, self.customers).astype(np.float64)


class Ranked:
    """Figures of scores on the same rows, each as it is and of every resample."""

    def __init__(self, samples: Mapping[tuple[str, str], Vector]) -> None:
        self._samples = samples

    def measures(self, name: str) -> dict[str, Interval]:
        """All figures of one score."""
        return {one: self.interval(name, one) for one in MEASURES if (name, one) in self._samples}

    def interval(self, name: str, measure: str) -> Interval:
        """One figure of one score."""
        return interval(self._samples[name, measure])

    def difference(self, name: str, other: str) -> dict[str, Interval]:
        """``name`` less ``other``, paired: what both share is none of it."""
        return {
            one: interval(self._samples[name, one] - self._samples[other, one])
            for one in ("auc", "average_precision", "brier")
            if (name, one) in self._samples and (other, one) in self._samples
        }


class _Order:
    """One score's rows from the highest to the lowest, made ready for weights."""

    def __init__(self, score: Vector, positive: npt.NDArray[np.bool_], codes: Places) -> None:
        order = np.argsort(-score, kind="stable")
        falling = -score[order]
        self._codes = codes[order]
        self._bad = np.flatnonzero(positive[order])
        # Of each bad outcome: where those with the same score begin and end, among all and among the bad.
        value = falling[self._bad]
        self._from = np.searchsorted(falling, value, "left")
        self._to = np.searchsorted(falling, value, "right")
        self._bad_from = np.searchsorted(self._bad, self._from)
        self._bad_to = np.searchsorted(self._bad, self._to)

    def measures(self, weights: Matrix) -> tuple[Vector, Vector]:
        """AUC and average precision under each row of customers' weights; NaN where either side is empty."""
        drawn = weights[:, self._codes]
        own = drawn[:, self._bad]
        whole, bad = _running(drawn), _running(own)
        good = whole[:, -1] - bad[:, -1]
        until, bad_until = whole[:, self._to], bad[:, self._bad_to]
        above = whole[:, self._from] - bad[:, self._bad_from] + until - bad_until
        won = np.einsum("ij,ij->i", own, good[:, None] - above / 2)
        precise = np.einsum("ij,ij->i", own, bad_until / np.maximum(until, 1.0))
        return _divided(won, bad[:, -1] * good), _divided(precise, bad[:, -1])


def interval(samples: Vector) -> Interval:
    """The first of ``samples`` is the figure, the others its resamples; those that say nothing are left."""
    value = None if np.isnan(samples[0]) else float(samples[0])
    told = samples[1:][~np.isnan(samples[1:])]
    if value is None or not len(told):
        return Interval(value, None, None)
    low, high = np.percentile(told, (_LOW, _HIGH))
    return Interval(value, float(low), float(high))


def summed(codes: Places, values: Vector, size: int) -> Vector:
    """Sums of ``values`` by code."""
    return np.bincount(codes, weights=values, minlength=size).astype(np.float64)


def _running(weights: Matrix) -> Matrix:
    found = np.zeros((len(weights), weights.shape[1] + 1))
    np.cumsum(weights, axis=1, out=found[:, 1:])
    return found


def _divided(part: Any, whole: Any) -> Any:
    """NaN where there is nothing to divide by."""
    return np.divide(part, whole, out=np.full(np.broadcast(part, whole).shape, np.nan), where=whole != 0)
