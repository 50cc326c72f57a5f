"""The fitted model of one set of features: parts, choice, shapes on the right scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from streams.calibrate.bins import Codes
from streams.calibrate.choose import Chosen, Fold, choose, folds_of
from streams.calibrate.data import Rows
from streams.calibrate.fitting import Choice, bags, fit
from streams.calibrate.parts import Parts, learn
from streams.calibrate.shapes import Floats, Shapes, solve_base

__all__ = ["Model", "fitted", "scale", "validated"]

# Samples of customers that a boosting is averaged over.
BAGS = 8
# The scale is trusted to be 1 within so much, before any row says otherwise.
SPREAD = 0.2


class Model(NamedTuple):
    """``codes`` are the bins of the rows that were fitted; ``slope`` what validation scaled the shapes by."""

    parts: Parts
    shapes: Shapes
    codes: Codes
    chosen: Chosen
    slope: float


def fitted(
    target: str,
    rows: Rows,
    names: Sequence[str],
    pairs: Sequence[tuple[str, str]],
    gap: int,
    seed: int = 1,
    choice: Choice | None = None,
) -> Model:
    """Choose by validation within ``rows``, fit all of them, and put the shapes on validation's scale.

    A ``choice`` that was made elsewhere is taken as it is.
    """
    folds = [] if choice is not None else folds_of(target, rows, names, pairs, gap)
    chosen = choose(folds, seed)
    if choice is not None:
        chosen = msgspec.structs.replace(chosen, choice=choice)
    parts = learn(target, rows, names, pairs)
    codes = parts.codes(rows)
    positive = rows.positive.astype(float)
    shapes = fit(chosen.choice, parts, codes, positive, bags(rows.customers, BAGS, seed), seed)
    slope = scale(chosen, [fold.truth for fold in folds])
    scaled = shapes.scaled(slope, 0.0)
    scaled.base = solve_base(scaled.logits(codes), positive)
    return Model(parts, scaled, codes, chosen, slope)


def validated(folds: Sequence[Fold], choice: Choice, seed: int = 1) -> Floats:
    """Log-odds of the rows looked at, by a choice that was made before."""
    return np.concatenate(
        [
            fit(choice, one.parts, one.codes, one.positive, [one.weight], seed).logits(one.ahead)
            for one in folds
        ]
    )


def scale(chosen: Chosen, truths: Sequence[Floats]) -> float:
    """By how much validation says the shapes are too steep or too flat; 1 where it says little.

    Each stretch keeps a base of its own.

    >>> from streams.calibrate.boosted import Boosted
    >>> steep = np.array([-4.0, -4.0, 4.0, 4.0] * 100)
    >>> one = Chosen(Choice("ridge", 1.0, Boosted()), [], np.arange(400), steep, [400])
    >>> round(scale(one, [np.array([0.0, 1.0, 0.0, 1.0] * 50 + [0.0, 0.0, 1.0, 1.0] * 50)]), 1)
    0.3
    """
    if not truths:
        return 1.0
    stretches = list(zip(np.split(chosen.logits, chosen.ends[:-1]), truths, strict=True))

    def loss(slope: float) -> float:
        total = 0.5 * ((slope - 1.0) / SPREAD) ** 2
        for logits, truth in stretches:
            moved = slope * logits
            moved = moved + solve_base(moved, truth)
            total += float(np.sum(np.logaddexp(0.0, moved) - truth * moved))
        return total

    tried = np.round(np.arange(0.2, 1.51, 0.01), 2)
    return float(tried[int(np.argmin([loss(float(slope)) for slope in tried]))])
