"""Patience without a model: the hazard by wait so far, and what raw shares would make of it.

The *raw share*, of the waits that ended after so long those that ended in leaving, depends on how fast others
are answered, and says nothing of patience: who was answered is censored. The hazard, leavers for each minute
that somebody waited, does not depend on it. Nelson-Aalen and Kaplan-Meier are its sum and its survival.

>>> from streams.hazard.spells import Spell
>>> waits = [Spell("queue", "q", "", 9, -1.0, at, 15.0, at % 2 == 0, "p") for at in range(10)]
>>> [(row["at_risk_s"], row["left"], row["raw_share"]) for row in by_wait(waits, [0, 10, 20])]
[(100.0, 0, None), (50.0, 5, 0.5)]
>>> round(nelson_aalen(waits, 60.0), 2), [round(stay, 2) for _, stay in kaplan_meier(waits, [10.0, 20.0])]
(0.5, [1.0, 0.5])
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streams.hazard.spells import Spell

__all__ = ["by_wait", "kaplan_meier", "nelson_aalen"]

Floats = NDArray[np.float64]

# Of a normal distribution: 95 % lie within.
_Z = 1.959964


def by_wait(spells: Sequence[Spell], edges: Sequence[float]) -> list[dict[str, Any]]:
    """By wait so far: the hazard a minute with its 95 % interval, and the raw share of those that ended."""
    seconds, left = _arrays(spells)
    found = []
    for low, high in pairwise(edges):
        there = float(np.clip(seconds - low, 0.0, high - low).sum())
        ended = (seconds > low) & (seconds <= high)
        leavers = int((ended & left).sum())
        rate = leavers / there * 60.0 if there else 0.0
        wide = float(np.exp(_Z / np.sqrt(leavers))) if leavers else 1.0
        found.append(
            {
                "from_s": float(low),
                "to_s": float(high),
                "at_risk_s": there,
                "ended": int(ended.sum()),
                "left": leavers,
                "raw_share": leavers / int(ended.sum()) if ended.any() else None,
                "hazard_per_minute": rate,
                "low": rate / wide,
                "high": rate * wide,
            }
        )
    return found


def nelson_aalen(spells: Sequence[Spell], until: float) -> float:
    """The cumulative hazard at ``until`` seconds of waiting."""
    seconds, left = _arrays(spells)
    at, counts = np.unique(seconds[left & (seconds <= until)], return_counts=True)
    there = len(seconds) - np.searchsorted(np.sort(seconds), at, side="left")
    return float((counts / there).sum())


def kaplan_meier(spells: Sequence[Spell], at: Iterable[float]) -> list[tuple[float, float]]:
    """The share that would still wait after so many seconds if nobody were ever answered."""
    from scipy.stats import CensoredData, ecdf

    seconds, left = _arrays(spells)
    data = CensoredData(uncensored=seconds[left], right=seconds[~left])
    survival = ecdf(data).sf
    return [(float(moment), float(survival.evaluate(moment))) for moment in at]


def _arrays(spells: Sequence[Spell]) -> tuple[Floats, NDArray[np.bool_]]:
    waited = [spell for spell in spells if spell.seconds > 0.0]
    return np.array([spell.seconds for spell in waited]), np.array([s.left for s in waited], dtype=bool)
