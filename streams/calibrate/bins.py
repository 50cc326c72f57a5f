"""Bins: the few places at which a feature's log-odds may change, found in training data alone.

A number gets at most twelve bins of about equal weight, with round edges; a value that many rows share
weighs no more than a bin, so that a feature that is mostly 0 still tells its other values apart. A label gets
a bin for every value seen often enough. What is not known, or not named, has the last bin.

>>> import numpy as np
>>> waits = np.array([0.0] * 50 + [float(n) for n in range(1, 51)])
>>> found = number_bins("wait", waits, most=4, least=5)
>>> found.edges
[1.0, 20.0, 35.0]
>>> found.codes(np.array([0.0, 0.9, 1.0, 70.0, float("nan")])).tolist()
[0, 0, 1, 3, 4]
>>> found = label_bins("queue", np.array(["a"] * 9 + ["b"] * 8 + ["c"]), least=5)
>>> found.levels, found.codes(np.array(["b", "c", "new"])).tolist()
(['a', 'b'], [1, 2, 2])
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Bins", "Codes", "LabelBins", "NumberBins", "PairBins", "label_bins", "number_bins"]

MOST_BINS: Final = 12
MOST_LEVELS: Final = 40
Codes = NDArray[np.int64]


class NumberBins:
    """Bins of a number: below the first edge, then from each edge on; not known comes last."""

    ordered = True

    def __init__(self, name: str, edges: list[float]) -> None:
        self.name = name
        self.edges = edges

    @property
    def size(self) -> int:
        """How many bins there are, the one of what is not known among them."""
        return len(self.edges) + 2

    def codes(self, values: NDArray[Any]) -> Codes:
        """The bin of each value."""
        found = np.searchsorted(np.asarray(self.edges), values, side="right")
        return np.where(np.isnan(values), len(self.edges) + 1, found).astype(np.int64)


class LabelBins:
    """A bin for every level that is named, and the last for all others."""

    ordered = False

    def __init__(self, name: str, levels: list[str]) -> None:
        self.name = name
        self.levels = levels

    @property
    def size(self) -> int:
        """How many bins there are, the one of all others among them."""
        return len(self.levels) + 1

    def codes(self, values: NDArray[Any]) -> Codes:
        """The bin of each value."""
        known = {level: place for place, level in enumerate(self.levels)}
        other = len(self.levels)
        levels, where = np.unique(values, return_inverse=True)
        return np.array([known.get(str(level), other) for level in levels], np.int64)[where]


class PairBins:
    """Every combination of two features' bins: an interaction is one more part of the sum.

    Where a number of the two is not known, the combination is the last bin.
    """

    ordered = False

    def __init__(self, first: NumberBins | LabelBins, second: NumberBins | LabelBins) -> None:
        self.name = f"{first.name} x {second.name}"
        self.first = first
        self.second = second

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the table."""
        first, second = (one.size - 1 if one.ordered else one.size for one in (self.first, self.second))
        return first, second

    @property
    def size(self) -> int:
        """How many combinations there are, the one of what is not known among them."""
        return self.shape[0] * self.shape[1] + 1

    def joined(self, first: NDArray[Any], second: NDArray[Any]) -> Codes:
        """The combination of two columns of values."""
        rows, columns = self.first.codes(first), self.second.codes(second)
        known = (rows < self.shape[0]) & (columns < self.shape[1])
        return np.where(known, rows * self.shape[1] + columns, self.size - 1)


Bins = NumberBins | LabelBins | PairBins


# Below this, a thousandth, a faded count or sum is none.
NOTHING = 1e-3


def number_bins(name: str, values: NDArray[Any], most: int = MOST_BINS, least: int = 20) -> NumberBins:
    """At most ``most`` bins with at least ``least`` rows each, of the values of training rows."""
    values = values[~np.isnan(values)]
    # What has faded for weeks is a number that nobody can tell from nothing, and no edge to lie at.
    known, counts = np.unique(np.where(np.abs(values) < NOTHING, 0.0, values), return_counts=True)
    if len(known) < 2:
        return NumberBins(name, [])
    capped = counts.astype(float)
    for _ in range(most):
        # Until what weighs more than a bin weighs as one.
        capped = np.minimum(capped, capped.sum() / most)
    share = np.cumsum(capped) / capped.sum()
    heavy = np.flatnonzero(counts > capped)
    # Before these places an edge may lie: around each heavy value, and at each share of the rest.
    spans = {
        (place - 1, place) for one in heavy.tolist() for place in (one, one + 1) if 0 < place < len(known)
    }
    for number in range(1, most):
        # Any place within a quarter of a bin will do: the roundest is taken.
        low, high = (int(np.searchsorted(share, (number + by) / most)) for by in (-0.25, 0.25))
        if low < high < len(known) and not np.any((heavy >= low) & (heavy <= high)):
            spans.add((low, high))
    edges: list[float] = []
    rows: list[int] = [0, *np.cumsum(counts).tolist()]
    begun = 0
    for low, high in sorted(spans):
        edge = roundest(float(known[low]), float(known[high]))
        place = int(np.searchsorted(known, edge))
        if rows[place] - begun >= least and rows[-1] - rows[place] >= least and len(edges) < most - 1:
            edges.append(edge)
            begun = rows[place]
    return NumberBins(name, edges)


def roundest(low: float, high: float) -> float:
    """The number in (low, high] with the fewest digits.

    >>> roundest(57.3, 61.2), roundest(0.0, 1.0), roundest(-0.23, -0.18), roundest(1234.2, 1234.9)
    (60.0, 1.0, -0.2, 1234.5)
    """
    if low < 0.0 <= high:
        return 0.0
    exponent = int(np.floor(np.log10(max(abs(low), abs(high), 1e-9)))) + 1
    for power in range(exponent, exponent - 17, -1):
        for part in (1.0, 0.5):
            step = part * 10.0**power
            first = (np.floor(low / step) + 1.0) * step
            if first <= high:
                # Of several as round as each other, the one nearest the middle.
                middle = np.round((low + high) / 2.0 / step) * step
                found = middle if low < middle <= high else first
                found = float(np.round(found, max(0, 1 - power)))
                if low < found <= high:
                    return found
    return high


def label_bins(name: str, values: NDArray[Any], most: int = MOST_LEVELS, least: int = 20) -> LabelBins:
    """The ``most`` commonest levels with at least ``least`` rows, by their names."""
    levels, counts = np.unique(values, return_counts=True)
    order = sorted(range(len(levels)), key=lambda place: (-int(counts[place]), str(levels[place])))
    return LabelBins(name, sorted(str(levels[place]) for place in order[:most] if counts[place] >= least))
