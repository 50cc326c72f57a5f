"""Shape functions by boosting: trees that each look at one feature (or one named pair) alone.

The trees are those of scikit-learn's histogram boosting, bound by ``interaction_cst``; they see bins, not
numbers. So the sum of all trees *is* a sum of shapes over these bins, which are read off exactly: by asking
for one feature's bins in turn while the others are held still.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from streams.calibrate.bins import Bins, Codes
from streams.calibrate.shapes import Floats, Shapes, mean

__all__ = ["Boosted", "additive", "black_box"]


class Boosted(msgspec.Struct, frozen=True):
    """What regularises boosting."""

    rounds: int
    rate: float = 0.05
    leaves: int = 3
    least: int = 20  # rows in a leaf
    ridge: float = 5.0
    share: float = 0.5  # of the features, drawn anew for each tree


def _inputs(bins: Sequence[Bins], codes: Codes) -> Floats:
    """Bins as numbers in their order; what is not known stands apart from it."""
    found = codes.astype(np.float64)
    for place, one in enumerate(bins):
        if one.kind == "number":
            found[found[:, place] == one.size - 1, place] = np.nan
    return found


def additive(
    bins: Sequence[Bins],
    codes: Codes,
    positive: Floats,
    weights: Sequence[Floats],
    options: Boosted,
    directions: Sequence[int],
    pairs: Sequence[tuple[int, int]] = (),
    stages: Sequence[int] = (),
    seed: int = 1,
) -> list[Shapes]:
    """The model after each of ``stages`` rounds (by default after all), averaged over bags of rows.

    ``weights`` has one bag's weight of each row; ``directions`` are 1 (never falling), -1 or 0.
    """
    inputs = _inputs(bins, codes)
    after = list(stages) or [options.rounds]
    bags = [
        list(_grown(bins, inputs, positive, weight, options, directions, pairs, after, seed + number))
        for number, weight in enumerate(weights)
    ]
    return [mean([bag[place] for bag in bags]) for place in range(len(after))]


def _grown(
    bins: Sequence[Bins],
    inputs: Floats,
    positive: Floats,
    weight: Floats,
    options: Boosted,
    directions: Sequence[int],
    pairs: Sequence[tuple[int, int]],
    stages: Sequence[int],
    seed: int,
) -> Iterator[Shapes]:
    from sklearn.ensemble import HistGradientBoostingClassifier

    groups = [{place} for place in range(len(bins))] + [set(pair) for pair in pairs]
    model = HistGradientBoostingClassifier(
        learning_rate=options.rate,
        max_leaf_nodes=options.leaves,
        min_samples_leaf=options.least,
        l2_regularization=options.ridge,
        max_features=options.share,
        interaction_cst=groups,
        monotonic_cst=list(directions),
        categorical_features=[one.kind == "label" for one in bins],
        early_stopping=False,
        warm_start=True,
        random_state=seed,
    )
    kept = weight > 0
    grid, starts = _grid(bins, pairs)
    for stage in stages:
        model.set_params(max_iter=stage)
        model.fit(inputs[kept], positive[kept], sample_weight=weight[kept])
        yield _read(bins, pairs, model.decision_function(grid), starts)


def _grid(bins: Sequence[Bins], pairs: Sequence[tuple[int, int]]) -> tuple[Floats, list[int]]:
    """Rows that differ from the first bins in one feature, or in both of a pair; where each part begins."""
    rows = [np.zeros((1, len(bins)), np.int64)]
    starts = [0, 1]
    for place, one in enumerate(bins):
        part = np.zeros((one.size, len(bins)), np.int64)
        part[:, place] = np.arange(one.size)
        rows.append(part)
        starts.append(starts[-1] + one.size)
    for first, second in pairs:
        sizes = bins[first].size, bins[second].size
        part = np.zeros((sizes[0] * sizes[1], len(bins)), np.int64)
        part[:, first] = np.repeat(np.arange(sizes[0]), sizes[1])
        part[:, second] = np.tile(np.arange(sizes[1]), sizes[0])
        rows.append(part)
        starts.append(starts[-1] + sizes[0] * sizes[1])
    return _inputs(bins, np.concatenate(rows)), starts


def _read(
    bins: Sequence[Bins], pairs: Sequence[tuple[int, int]], found: Floats, starts: list[int]
) -> Shapes:
    base = float(found[0])
    parts = [found[starts[place + 1] : starts[place + 2]] - base for place in range(len(bins))]
    tables: dict[tuple[int, int], Floats] = {}
    for number, (first, second) in enumerate(pairs):
        at = len(bins) + 1 + number
        table = found[starts[at] : starts[at + 1]].reshape(bins[first].size, bins[second].size)
        tables[first, second] = table - parts[first][:, None] - parts[second][None, :] - base
    return Shapes(base, parts, tables)
