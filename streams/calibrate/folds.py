"""Time-ordered validation: fit on what was known by a moment, look at what came after a gap.

>>> import numpy as np
>>> hours = np.arange(100) * 3_600_000
>>> known = hours + 3_600_000
>>> for fit, look in forward(hours, known, np.arange(100) % 2 == 0, gap=10 * 3_600_000, count=2):
...     print(fit[0], fit[-1], look[0], look[-1])
0 39 50 73
0 63 74 99
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["forward"]


def forward(
    times: NDArray[np.int64],
    known: NDArray[np.int64],
    positive: NDArray[np.bool_],
    gap: int,
    count: int = 4,
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """``count`` pairs of rows to fit and rows to look at, by time.

    Half of the positives come before the first moment, and every stretch looked at has as many as the
    others. ``known`` is when a row's outcome was; what was not known by a moment is not fitted before it,
    nor is what lies within ``gap`` ms of it.
    """
    moments = np.sort(times[positive])
    if len(moments) < 2 * count:
        return []
    shares = [0.5 + 0.5 * number / count for number in range(count)]
    cuts = [int(moments[int(share * len(moments))]) for share in shares]
    found = []
    for cut, end in zip(cuts, [*cuts[1:], int(times.max()) + 1], strict=True):
        fit = np.flatnonzero((times < cut - gap) & (known < cut))
        look = np.flatnonzero((times >= cut) & (times < end))
        if positive[fit].any() and positive[look].any() and not positive[look].all():
            found.append((fit, look))
    return found
