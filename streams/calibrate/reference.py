"""The black box beside which the additive model is shown: gradient boosting that may combine all features.

The same rows, the same features as they are (not in bins), the same folds for its own parameters. It is never
written anywhere: it says what being additive costs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np

from detectors.feature_names import NUMBERS
from streams.calibrate.bins import LabelBins, label_bins
from streams.calibrate.boosted import Boosted
from streams.calibrate.choose import DAY, past, ranked_loss
from streams.calibrate.data import Rows
from streams.calibrate.folds import forward
from streams.calibrate.shapes import Floats

__all__ = ["Reference", "reference"]

LEAVES = (4, 8, 16)
ROUNDS = (25, 50, 100, 150, 200, 300)
# Levels of a label that it is told apart by, at most.
MOST_LEVELS = 200


class Reference(msgspec.Struct, frozen=True):
    """Its parameters, and its log-odds of the rows looked at in validation and of those asked for."""

    options: Boosted
    looked: Floats
    asked: Floats | None

    @property
    def words(self) -> str:
        """In one line."""
        options = self.options
        return f"boosting of all features together, {options.rounds} rounds, {options.leaves} leaves"


def reference(rows: Rows, names: Sequence[str], ask: Rows | None, gap: int, seed: int = 1) -> Reference:
    """Choose its parameters within ``rows``, fit it to them, and ask it about ``ask``."""
    folds = forward(rows.times, rows.known, rows.positive, max(gap, DAY))
    tried: list[tuple[float, Boosted, list[Floats]]] = []
    for leaves in LEAVES if folds else ():
        options = Boosted(max(ROUNDS), leaves=leaves, least=20, ridge=5.0, share=1.0)
        grown = [
            _staged(options, ROUNDS, rows.at(known), names, rows.at(after), seed) for known, after in folds
        ]
        own: list[float] = []
        for rounds, logits in zip(ROUNDS, zip(*grown, strict=True), strict=False):
            losses = [
                ranked_loss(rows.positive[after].astype(float), one)
                for (_, after), one in zip(folds, logits, strict=True)
            ]
            own.append(float(np.average(losses, weights=[len(one) for one in logits])))
            tried.append((own[-1], msgspec.structs.replace(options, rounds=rounds), list(logits)))
            if past(own):
                break
    if tried:
        _, options, looked = min(tried, key=lambda one: one[0])
    else:
        options, looked = Boosted(50, leaves=4, ridge=5.0, share=1.0), [np.zeros(0)]
    asked = None if ask is None else next(_staged(options, (options.rounds,), rows, names, ask, seed))
    return Reference(options, np.concatenate(looked), asked)


def _staged(
    options: Boosted, stages: Sequence[int], rows: Rows, names: Sequence[str], ask: Rows, seed: int
) -> Iterator[Floats]:
    """Log-odds of ``ask`` after each of ``stages`` rounds."""
    labels = {
        name: label_bins(name, rows.column(name), MOST_LEVELS, 5) for name in names if name not in NUMBERS
    }
    model = options.model(categorical_features=[name in labels for name in names], random_state=seed)
    given, asked = _inputs(rows, names, labels), _inputs(ask, names, labels)
    # Of what no row to fit has, nothing can be learnt.
    empty = np.isnan(given).all(axis=0)
    given[:, empty] = asked[:, empty] = 0.0
    for rounds in stages:
        model.set_params(max_iter=rounds)
        model.fit(given, rows.positive)
        yield np.asarray(model.decision_function(asked), np.float64)


def _inputs(rows: Rows, names: Sequence[str], labels: dict[str, LabelBins]) -> Floats:
    columns: list[Any] = [
        labels[name].codes(rows.column(name)) if name in labels else rows.column(name) for name in names
    ]
    return np.column_stack(columns).astype(np.float64)
