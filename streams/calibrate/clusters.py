"""Means over customers who come more than once: the contacts of one person are no independent witnesses.

>>> [round(x, 2) for x in mean([1.0, 2.0, 3.0, 4.0], ["ann", "bob", "cy", "dee"])]
[2.5, 0.45, 4.55]
>>> round(design([True, True, False, False], ["ann", "ann", "bob", "bob"]), 1)  # two witnesses, not four
2.0
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["Mean", "design", "mean"]

Floats = NDArray[np.float64]
# value, low, high
Mean = tuple[float, float, float]


def mean(values: Sequence[float], customers: Sequence[str]) -> Mean:
    """The mean and its 95 % interval, by the sums of each customer; infinite where there is but one."""
    from scipy.stats import t

    centre = float(np.mean(values))
    sums = _sums(np.asarray(values, float) - centre, customers)
    count = len(sums)
    if count < 2:
        return centre, -np.inf, np.inf
    error = np.sqrt((sums**2).sum() * count / (count - 1)) / len(values)
    half = float(t.ppf(0.975, count - 1)) * float(error)
    return centre, centre - half, centre + half


def design(flags: Sequence[bool], customers: Sequence[str]) -> float:
    """By how much a share varies more than that of so many independent rows would; at least 1."""
    found = np.asarray(flags, float)
    share = float(found.mean())
    sums = _sums(found - share, customers)
    spread = len(found) * share * (1 - share)
    if len(sums) < 2 or not spread:
        return 1.0
    return max(1.0, float((sums**2).sum()) / spread)


def _sums(values: Floats, customers: Sequence[str]) -> Floats:
    places: dict[str, int] = {}
    codes = [places.setdefault(customer, len(places)) for customer in customers]
    sums: Floats = np.bincount(codes, values, len(places)).astype(np.float64)
    return sums
