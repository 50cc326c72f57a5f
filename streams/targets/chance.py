"""Whether a difference is more than chance, where many are looked at.

>>> holm([0.01, 0.04, 0.03])
[0.03, 0.06, 0.06]
"""

from __future__ import annotations

from collections.abc import Sequence
from math import erfc, sqrt
from typing import Final

import numpy as np

from streams.targets.measures import Vector

__all__ = ["LEVEL", "holm", "p_value"]

#: Below this, after the correction for how many were looked at, a difference is a finding.
LEVEL: Final = 0.05


def p_value(samples: Vector, least: float = 0.0) -> float | None:
    """How likely a difference as large is where there is none, two-sided, by the spread of its resamples.

    The first of ``samples`` is the difference itself. A thousand resamples can only tell a thousandth apart,
    which many comparisons would use up; their spread tells more. It is taken as ``least`` at least: where
    nothing has happened in a group yet, its resamples do not differ either.
    """
    told = samples[1:][~np.isnan(samples[1:])]
    if np.isnan(samples[0]) or len(told) < len(samples) // 2:
        return None
    spread = max(float(told.std()), least)
    return erfc(abs(float(samples[0])) / spread / sqrt(2)) if spread > 0 else None


def holm(values: Sequence[float]) -> list[float]:
    """p-values as they are after Holm's correction for all of them together, in the order given."""
    order = sorted(range(len(values)), key=values.__getitem__)
    found = [0.0] * len(values)
    highest = 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(values) - rank) * values[place]))
        found[place] = highest
    return found
