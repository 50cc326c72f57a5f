"""An additive model in the form in which it is written: log-odds by bins, and nothing else.

>>> import numpy as np
>>> model = Shapes(-1.0, [np.array([0.0, 0.5, 0.0])], {})
>>> model.logits(np.array([[1], [0]])).tolist()
[-0.5, -1.0]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streams.calibrate.bins import Bins, Codes

__all__ = ["Floats", "Shapes", "mean"]

Floats = NDArray[np.float64]


class Shapes:
    """``base``, a shape for each feature, and a table for each pair of features, by their places."""

    def __init__(self, base: float, parts: list[Floats], pairs: dict[tuple[int, int], Floats]) -> None:
        self.base = base
        self.parts = parts
        self.pairs = pairs

    def logits(self, codes: Codes) -> Floats:
        """The log-odds of rows given by their bins."""
        total = np.full(len(codes), self.base)
        for place, part in enumerate(self.parts):
            if part.any():
                total += part[codes[:, place]]
        for (first, second), table in self.pairs.items():
            total += table[codes[:, first], codes[:, second]]
        return total

    def scaled(self, by: float, base: float) -> Shapes:
        """Every shape times ``by``, on another base."""
        pairs = {key: by * table for key, table in self.pairs.items()}
        return Shapes(base, [by * part for part in self.parts], pairs)

    def centred(self, codes: Codes) -> Shapes:
        """The same model; each shape is 0 on average over ``codes``, so that it says who is above others.

        What a pair says of one of its features alone goes to that feature.
        """
        base, parts = self.base, [part.copy() for part in self.parts]
        pairs: dict[tuple[int, int], Floats] = {}
        for (first, second), table in self.pairs.items():
            table = table.copy()
            weight = np.zeros_like(table)
            np.add.at(weight, (codes[:, first], codes[:, second]), 1.0)
            for _ in range(20):
                for axis, place in ((1, first), (0, second)):
                    sums = weight.sum(axis=axis)
                    move = np.where(sums > 0, (table * weight).sum(axis=axis) / np.maximum(sums, 1.0), 0.0)
                    parts[place] = parts[place] + move
                    table -= np.expand_dims(move, axis)
            pairs[first, second] = table
        for place, part in enumerate(parts):
            middle = float(part[codes[:, place]].mean())
            parts[place] = part - middle
            base += middle
        return Shapes(base, parts, pairs)

    def spreads(self, codes: Codes) -> Floats:
        """How much each feature tells rows apart: the standard deviation of its shape over ``codes``."""
        return np.array([float(part[codes[:, place]].std()) for place, part in enumerate(self.parts)])


def mean(models: Sequence[Shapes]) -> Shapes:
    """The average of additive models over the same bins: again one."""
    first = models[0]
    parts = [np.mean([model.parts[place] for model in models], axis=0) for place in range(len(first.parts))]
    pairs = {key: np.mean([model.pairs[key] for model in models], axis=0) for key in first.pairs}
    return Shapes(float(np.mean([model.base for model in models])), parts, pairs)


def coded(bins: Sequence[Bins], columns: Sequence[NDArray[Any]]) -> Codes:
    """One column of bins for each feature."""
    return np.column_stack([one.codes(column) for one, column in zip(bins, columns, strict=True)])
