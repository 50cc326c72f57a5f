"""Which family, how strongly held back, and of how many features: told by time-ordered validation alone.

1. Folds go forward in time, with a gap of the target's window (at least a day); bins are learnt anew in each.
   Every candidate is fitted in every fold on what was known by then, and looks at the stretch that follows.
2. The least log-loss over all stretches chooses the penalty of a ridge, and the number and size of trees. The
   mean of both is taken, unless one of the two is clearly better alone. A base of its own for each stretch:
   bases move with the seasons, and that is no ranking.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.calibrate import boosted
from streams.calibrate.boosted import Boosted
from streams.calibrate.data import Rows
from streams.calibrate.fitting import Choice, fit
from streams.calibrate.folds import forward
from streams.calibrate.parts import Parts, learn
from streams.calibrate.shapes import Floats, Shapes, mean, solve_base

__all__ = ["Chosen", "Fold", "Tried", "auc", "choose", "folds_of", "log_loss", "past", "ranked_loss"]

PENALTIES = (3.0, 10.0, 30.0, 100.0)
ROUNDS = (50, 100, 150, 200, 300, 400, 600)
LEAVES = (2, 3)
#: The mean of two errs less than either where both err by chance: taken unless it is worse by this much.
AS_GOOD = 0.005
#: Without enough positives to validate with.
CAUTIOUS = Choice("ridge", 30.0, Boosted())
DAY = 86_400_000


class Tried(msgspec.Struct, frozen=True):
    """A candidate, and what it came to over all stretches that were looked at."""

    what: str
    log_loss: float
    auc: float


class Chosen(msgspec.Struct, frozen=True):
    """The choice, all that was tried, and the chosen one's log-odds of the rows that were looked at."""

    choice: Choice
    tried: list[Tried]
    places: NDArray[np.int64]
    logits: Floats
    ends: list[int]  # of each stretch, among them


class Fold:
    """Rows known by a moment and the rows after it, in the bins that the former have."""

    def __init__(self, parts: Parts, rows: Rows, known: NDArray[np.int64], after: NDArray[np.int64]) -> None:
        fitted, ahead = rows.at(known), rows.at(after)
        self.parts = parts
        self.codes = parts.codes(fitted)
        self.positive = fitted.positive.astype(float)
        self.ahead = parts.codes(ahead)
        self.truth = ahead.positive.astype(float)
        self.after = after

    @property
    def weight(self) -> Floats:
        """Each row once."""
        return np.ones(len(self.positive))


def auc(truth: Floats, scores: Floats) -> float:
    """The chance that a positive is above a negative; ties count half.

    >>> auc(np.array([1.0, 0.0, 0.0]), np.array([2.0, 2.0, 1.0]))
    0.75
    """
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2.0)[place]
    positives = float(truth.sum())
    negatives = len(truth) - positives
    if not positives or not negatives:
        return float("nan")
    return float((ranks[truth > 0].sum() - positives * (positives + 1) / 2.0) / (positives * negatives))


def log_loss(truth: Floats, logits: Floats) -> float:
    """On average over rows."""
    return float(np.mean(np.logaddexp(0.0, logits) - truth * logits))


def ranked_loss(truth: Floats, logits: Floats) -> float:
    """Log-loss on the base that fits these rows: bases move with the seasons, and that is no ranking."""
    return log_loss(truth, logits + solve_base(logits, truth))


def past(losses: Sequence[float]) -> bool:
    """Whether more rounds only learn by heart: the last two stages were no better than one before.

    >>> past([0.5, 0.4, 0.41]), past([0.5, 0.4, 0.41, 0.4])
    (False, True)
    """
    return len(losses) > 2 and min(losses[-2:]) >= min(losses[:-2])


def folds_of(
    target: str, rows: Rows, names: Sequence[str], pairs: Sequence[tuple[str, str]], gap: int
) -> list[Fold]:
    """The folds of the rows to fit, in the order of time; none where there are too few positives."""
    found = forward(rows.times, rows.known, rows.positive, max(gap, DAY))
    return [Fold(learn(target, rows.at(known), names, pairs), rows, known, after) for known, after in found]


def choose(folds: list[Fold], seed: int = 1) -> Chosen:
    """Family and regularisation."""
    if not folds:
        return Chosen(CAUTIOUS, [], np.zeros(0, np.int64), np.zeros(0), [])
    search = _Search(folds, seed)
    ridges, trees = search.ridges(), search.boostings()
    penalty, rounds = ridges.choice.penalty, trees.choice.boosting
    means = [mean([one, other]) for one, other in zip(ridges.models, trees.models, strict=True)]
    both = search.told(Choice("both", penalty, rounds), means)
    best = min((ridges, trees), key=lambda one: one.loss)
    if both.loss <= best.loss * (1.0 + AS_GOOD):
        best = both
    places = np.concatenate([fold.after for fold in folds])
    ends = [int(end) for end in np.cumsum([len(fold.after) for fold in folds])]
    choice = Choice(best.choice.family, penalty, rounds)
    return Chosen(choice, search.tried, places, np.concatenate(best.logits), ends)


def _within(fitted: list[tuple[Fold, Shapes]]) -> float:
    """AUC, each stretch by itself: from one to the next the base moves, and that is no ranking."""
    return round(float(np.mean([auc(fold.truth, model.logits(fold.ahead)) for fold, model in fitted])), 4)


class _Looked(NamedTuple):
    """A candidate, its model in each fold and their log-loss on what followed."""

    loss: float
    choice: Choice
    models: list[Shapes]
    logits: list[Floats]


class _Search:
    """Fits candidates in every fold and keeps the account of them."""

    def __init__(self, folds: list[Fold], seed: int) -> None:
        self.folds = folds
        self.seed = seed
        self.tried: list[Tried] = []

    def told(self, choice: Choice, models: list[Shapes]) -> _Looked:
        """Look at what followed."""
        fitted = list(zip(self.folds, models, strict=True))
        logits = [model.logits(fold.ahead) for fold, model in fitted]
        loss = float(
            np.average(
                [ranked_loss(fold.truth, one) for fold, one in zip(self.folds, logits, strict=True)],
                weights=[len(one) for one in logits],
            )
        )
        self.tried.append(Tried(choice.words, round(loss, 6), _within(fitted)))
        return _Looked(loss, choice, models, logits)

    def ridges(self) -> _Looked:
        """The best penalty."""
        found = []
        for penalty in PENALTIES:
            choice = Choice("ridge", penalty, Boosted())
            found.append(self.told(choice, [self._fit(choice, fold) for fold in self.folds]))
        return min(found, key=lambda one: one.loss)

    def boostings(self) -> _Looked:
        """The best trees and number of them; each is grown once and looked at on the way."""
        rate = max(float(self.folds[0].positive.mean()), 1e-4)
        # A leaf is to expect a positive or two.
        least = max(20, round(2.0 / rate))
        found = []
        for leaves in LEAVES:
            options = Boosted(max(ROUNDS), leaves=leaves, least=least)
            grown = zip(
                *(
                    boosted.additive(
                        fold.parts.bins,
                        fold.codes,
                        fold.positive,
                        [fold.weight],
                        options,
                        fold.parts.directions,
                        ROUNDS,
                        self.seed,
                    )
                    for fold in self.folds
                ),
                strict=True,
            )
            looked: list[_Looked] = []
            for rounds, models in zip(ROUNDS, grown, strict=False):
                choice = Choice("boosting", 0.0, msgspec.structs.replace(options, rounds=rounds))
                looked.append(self.told(choice, list(models)))
                if past([one.loss for one in looked]):
                    break
            found += looked
        return min(found, key=lambda one: one.loss)

    def _fit(self, choice: Choice, fold: Fold) -> Shapes:
        return fit(choice, fold.parts, fold.codes, fold.positive, [fold.weight], self.seed)
