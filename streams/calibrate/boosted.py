"""Shape functions by boosting: trees that each look at one part alone, a feature or a named pair.

The trees are those of scikit-learn's histogram boosting, bound by ``interaction_cst``; they see bins, not
numbers. So the sum of all trees *is* a sum of shapes over these bins, which are read off exactly: by asking
for one part's bins in turn while the others are held still.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np

from streams.calibrate.bins import Bins, Codes
from streams.calibrate.shapes import Floats, Shapes, mean

__all__ = ["Boosted", "additive", "inputs"]


class Boosted(msgspec.Struct, frozen=True):
    """What regularises boosting."""

    rounds: int = 300
    rate: float = 0.05
    leaves: int = 3
    least: int = 20  # rows in a leaf
    ridge: float = 10.0
    share: float = 0.3  # of the parts, drawn anew for each split

    def model(self, **more: Any) -> Any:
        """scikit-learn's classifier with these."""
        from sklearn.ensemble import HistGradientBoostingClassifier

        return HistGradientBoostingClassifier(
            max_iter=self.rounds,
            learning_rate=self.rate,
            max_leaf_nodes=self.leaves,
            min_samples_leaf=self.least,
            l2_regularization=self.ridge,
            max_features=self.share,
            early_stopping=False,
            warm_start=True,
            **more,
        )


def inputs(bins: Sequence[Bins], codes: Codes) -> Floats:
    """Bins as numbers in their order; what is not known stands apart from it."""
    found = codes.astype(np.float64)
    for place, one in enumerate(bins):
        if one.ordered:
            found[found[:, place] == one.size - 1, place] = np.nan
    return found


def additive(
    bins: Sequence[Bins],
    codes: Codes,
    positive: Floats,
    weights: Sequence[Floats],
    options: Boosted,
    directions: Sequence[int],
    stages: Sequence[int] = (),
    seed: int = 1,
) -> Iterator[Shapes]:
    """The model after each of ``stages`` rounds (by default after all), averaged over bags of rows;
    nobody has to wait for the later ones.

    ``weights`` has one bag's weight of each row; ``directions`` are 1 (never falling), -1 or 0.
    """
    given = inputs(bins, codes)
    bags = [
        _grown(bins, given, positive, weight, options, directions, stages or [options.rounds], seed + number)
        for number, weight in enumerate(weights)
    ]
    for models in zip(*bags, strict=True):
        yield mean(models)


def _grown(
    bins: Sequence[Bins],
    given: Floats,
    positive: Floats,
    weight: Floats,
    options: Boosted,
    directions: Sequence[int],
    stages: Sequence[int],
    seed: int,
) -> Iterator[Shapes]:
    model = options.model(
        interaction_cst=[{place} for place in range(len(bins))],
        monotonic_cst=list(directions),
        categorical_features=[not one.ordered for one in bins],
        random_state=seed,
    )
    kept = weight > 0
    grid, starts = _grid(bins)
    for stage in stages:
        model.set_params(max_iter=stage)
        model.fit(given[kept], positive[kept], sample_weight=weight[kept])
        found = model.decision_function(grid)
        base = float(found[0])
        parts = [found[starts[place] : starts[place + 1]] - base for place in range(len(bins))]
        yield Shapes(base, parts)


def _grid(bins: Sequence[Bins]) -> tuple[Floats, list[int]]:
    """Rows that differ from the first bins in one part, and where each part's begin."""
    rows = [np.zeros((1, len(bins)), np.int64)]
    starts = [1]
    for place, one in enumerate(bins):
        part = np.zeros((one.size, len(bins)), np.int64)
        part[:, place] = np.arange(one.size)
        rows.append(part)
        starts.append(starts[-1] + one.size)
    return inputs(bins, np.concatenate(rows)), starts
