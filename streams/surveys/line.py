"""The line from effort to the expected answer: what was answered, drawn towards a straight line.

The prior is ``1 - effort / 100``: the scale's ends are those of effort (as CES 2.0, 7 - 6 * effort / 100). A
line by corners is fitted by least squares that never rises with effort. Two penalties are written as answers,
so that it can be said what the prior weighs:

* ``WEIGHT`` answers, spread over the corners, that say exactly what the prior says. Answers of one customer
  scatter by about a quarter of the scale around what is expected, and the straight line may well be wrong by
  a twentieth of it: the ratio of the two variances is about 20.
* between neighbouring corners the distance from the prior changes little: ``SMOOTH`` answers hold it. So a
  few answers at one effort move the line elsewhere, too.

Without an answer it is the prior; with thousands they weigh nothing.

>>> [round(value, 3) for value in fit([], []).value] == [round(1 - x / 100, 3) for x in CORNERS]
True
>>> few, many = fit([50.0] * 5, [0.2] * 5), fit([50.0] * 5_000, [0.2] * 5_000)
>>> 0.4 < few.at(50.0) < 0.5, round(many.at(50.0), 2)
(True, 0.2)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from detectors.declared import Line

__all__ = ["CORNERS", "SMOOTH", "WEIGHT", "fit", "prior"]

Floats = NDArray[np.float64]

# Closer where most journeys are.
CORNERS: Final = (0.0, 5.0, 10.0, 20.0, 30.0, 45.0, 60.0, 80.0, 100.0)
WEIGHT: Final = 20.0
SMOOTH: Final = 25.0


def prior() -> Line:
    """What holds where nobody was asked."""
    return Line(list(CORNERS), [1.0 - corner / 100.0 for corner in CORNERS])


def fit(effort: Sequence[float], value: Sequence[float]) -> Line:
    """The line of answers ``value`` (0..1, 1 best) given at ``effort`` (0..100)."""
    from scipy.optimize import lsq_linear

    corners, count = np.array(CORNERS), len(CORNERS)
    expected = 1.0 - corners / 100.0
    # Unknown are the last corner's value and the drops before it: none of them is below 0.
    made = np.triu(np.ones((count, count)))
    change = np.diff(np.eye(count), axis=0) * np.sqrt(SMOOTH)
    pull = np.eye(count) * np.sqrt(WEIGHT / count)
    rows = np.vstack([_shares(np.asarray(effort, float), corners), pull, change])
    told = np.concatenate([np.asarray(value, float), pull @ expected, change @ expected])
    # Of thousands of answers only what the corners see of them matters.
    small = np.asarray(np.linalg.qr(np.column_stack([rows @ made, told]), "r"))
    found = lsq_linear(small[:, :-1], small[:, -1], bounds=(0.0, np.inf), method="bvls")
    values = np.clip(made @ found.x, 0.0, 1.0)
    return Line(list(CORNERS), [float(one) for one in values])


def _shares(effort: Floats, corners: Floats) -> Floats:
    """How much each answer says about each corner: it lies between two of them."""
    shares = np.zeros((len(effort), len(corners)))
    place = np.clip(np.searchsorted(corners, effort, "right"), 1, len(corners) - 1)
    part = np.clip((effort - corners[place - 1]) / (corners[place] - corners[place - 1]), 0.0, 1.0)
    rows = np.arange(len(effort))
    shares[rows, place - 1] = 1.0 - part
    shares[rows, place] = part
    return shares
