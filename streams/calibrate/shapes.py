"""An additive model in the form in which it is written: log-odds by bins, and nothing else.

>>> import numpy as np
>>> model = Shapes(-1.0, [np.array([0.0, 0.5, 0.0])])
>>> model.logits(np.array([[1], [0]])).tolist()
[-0.5, -1.0]
>>> model.centred(np.array([[1], [0]])).base
-0.75
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from streams.calibrate.bins import Codes

__all__ = ["Floats", "Shapes", "mean", "solve_base"]

Floats = NDArray[np.float64]


class Shapes:
    """``base``, and the log-odds of each bin of each part."""

    def __init__(self, base: float, parts: list[Floats]) -> None:
        self.base = base
        self.parts = parts

    def logits(self, codes: Codes) -> Floats:
        """The log-odds of rows given by their bins."""
        total = np.full(len(codes), self.base)
        for place, part in enumerate(self.parts):
            total += part[codes[:, place]]
        return total

    def scaled(self, by: float, base: float) -> Shapes:
        """Every shape times ``by``, on another base."""
        return Shapes(base, [by * part for part in self.parts])

    def centred(self, codes: Codes) -> Shapes:
        """The same model; each shape is 0 on average over ``codes``, so that it says who is above others."""
        middles = [float(part[codes[:, place]].mean()) for place, part in enumerate(self.parts)]
        parts = [part - middle for part, middle in zip(self.parts, middles, strict=True)]
        return Shapes(self.base + sum(middles), parts)

    def spreads(self, codes: Codes) -> Floats:
        """How much each part tells rows apart: the standard deviation of its log-odds over ``codes``."""
        return np.array([float(part[codes[:, place]].std()) for place, part in enumerate(self.parts)])


def mean(models: Sequence[Shapes]) -> Shapes:
    """The average of additive models over the same bins: again one."""
    places = range(len(models[0].parts))
    parts = [np.mean([model.parts[place] for model in models], axis=0) for place in places]
    return Shapes(float(np.mean([model.base for model in models])), parts)


def solve_base(logits: Floats, positive: Floats, weight: Floats | None = None) -> float:
    """What to add to all ``logits`` so that the probabilities are right on average."""
    share = float(np.average(positive, weights=weight))
    low, high = -30.0, 30.0
    for _ in range(80):
        middle = (low + high) / 2.0
        chances = 0.5 * (1.0 + np.tanh(0.5 * (logits + middle)))
        if float(np.average(chances, weights=weight)) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0
