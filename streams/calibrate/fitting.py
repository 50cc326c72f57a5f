"""One fit of the additive model: a family of shape functions and how strongly it is held back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.calibrate import boosted, ridge
from streams.calibrate.bins import Codes
from streams.calibrate.boosted import Boosted
from streams.calibrate.parts import Parts
from streams.calibrate.shapes import Floats, Shapes, mean

__all__ = ["Choice", "bags", "fit"]


class Choice(msgspec.Struct, frozen=True):
    """``both`` is the mean of a fit by ridge and one by boosting: of sums over the same bins again a sum."""

    family: Literal["ridge", "boosting", "both"]
    penalty: float
    boosting: Boosted

    @property
    def words(self) -> str:
        """In one line."""
        ridge_words = f"ridge of {self.penalty:g}"
        boosting = (
            f"boosting of single features ({self.boosting.rounds} rounds, {self.boosting.leaves} leaves)"
        )
        words = {"ridge": ridge_words, "boosting": boosting, "both": f"mean of {ridge_words} and {boosting}"}
        return words[self.family]


def bags(customers: NDArray[np.int64], count: int, seed: int) -> list[Floats]:
    """Weights of rows for ``count`` samples of customers, drawn with replacement; of one, all rows once."""
    if count <= 1:
        return [np.ones(len(customers))]
    random = np.random.default_rng(seed)
    people = int(customers.max()) + 1
    drawn = [np.bincount(random.integers(0, people, people), minlength=people) for _ in range(count)]
    return [weight.astype(float)[customers] for weight in drawn]


def fit(
    choice: Choice,
    parts: Parts,
    codes: Codes,
    positive: Floats,
    weights: Sequence[Floats],
    seed: int = 1,
) -> Shapes:
    """The shapes, centred over ``codes``; ``weights`` are :func:`bags`."""
    found = []
    if choice.family in ("ridge", "both"):
        # A ridge is steady as it is.
        whole = np.ones(len(codes))
        found.append(ridge.fit(parts.bins, codes, positive, whole, choice.penalty, parts.directions))
    if choice.family in ("boosting", "both"):
        found += boosted.additive(
            parts.bins, codes, positive, weights, choice.boosting, parts.directions, seed=seed
        )
    return mean(found).centred(codes)
