"""Which family, how strongly held back, and of how many features: told by time-ordered validation alone.

1. Folds go forward in time, with a gap of the target's window (at least a day); bins are learnt anew in each.
2. Every candidate is fitted in every fold on what was known by then, and looks at the stretch that follows.
3. The least log-loss over all stretches chooses; of the number of parts, the least that is as good.
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
from streams.calibrate.fitting import Choice, fit, strongest
from streams.calibrate.folds import forward
from streams.calibrate.parts import Parts, learn
from streams.calibrate.shapes import Floats, Shapes, mean

__all__ = ["Chosen", "Fold", "Tried", "auc", "choose", "folds_of", "log_loss"]

PENALTIES = (3.0, 10.0, 30.0, 100.0)
ROUNDS = (50, 100, 150, 200, 300, 400, 600)
LEAVES = (2, 3)
COUNTS = (6, 9, 12, 16, 20, 25)
#: Fewer parts are preferred while the log-loss is at most this much (relatively) above the least.
AS_GOOD = 0.001
#: Without enough positives to validate with: what a hundred positives bear.
CAUTIOUS = Choice("ridge", 30.0, Boosted(), 6)
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

    def only(self, places: list[int]) -> Fold:
        """Of some parts."""
        found = object.__new__(Fold)
        found.parts = self.parts.only(places)
        found.codes, found.positive = self.codes[:, places], self.positive
        found.ahead, found.truth, found.after = self.ahead[:, places], self.truth, self.after
        return found

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


def folds_of(
    target: str, rows: Rows, names: Sequence[str], pairs: Sequence[tuple[str, str]], gap: int
) -> list[Fold]:
    """The folds, in the order of time; none where there are too few positives."""
    found = forward(rows.times, rows.known, rows.positive, max(gap, DAY))
    return [Fold(learn(target, rows.at(known), names, pairs), rows, known, after) for known, after in found]


def choose(folds: list[Fold], seed: int = 1) -> Chosen:
    """The candidate with the least log-loss, of as few parts as are as good."""
    if not folds:
        return Chosen(CAUTIOUS, [], np.zeros(0, np.int64), np.zeros(0))
    search = _Search(folds, seed)
    ridges, trees = search.ridges(), search.boostings()
    penalty, rounds = ridges.choice.penalty, trees.choice.boosting
    means = [mean([one, other]) for one, other in zip(ridges.models, trees.models, strict=True)]
    both = search.told(Choice("both", penalty, rounds), means)
    best = min((both, ridges, trees), key=lambda one: one.loss)
    return search.fewest(Choice(best.choice.family, penalty, rounds), best)


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
        self.truth = np.concatenate([fold.truth for fold in folds])
        self.tried: list[Tried] = []

    def told(self, choice: Choice, models: list[Shapes], folds: list[Fold] | None = None) -> _Looked:
        """Look at what followed."""
        pairs = list(zip(models, folds or self.folds, strict=True))
        logits = [model.logits(fold.ahead) for model, fold in pairs]
        loss = log_loss(self.truth, np.concatenate(logits))
        # Each stretch by itself: from one to the next the base moves, and that is no ranking.
        within = float(np.mean([auc(fold.truth, one) for (_, fold), one in zip(pairs, logits, strict=True)]))
        words = choice.words + (f", {choice.parts} parts" if choice.parts else "")
        self.tried.append(Tried(words, round(loss, 6), round(within, 4)))
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
            grown = [
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
            ]
            for at, rounds in enumerate(ROUNDS):
                choice = Choice("boosting", 0.0, msgspec.structs.replace(options, rounds=rounds))
                found.append(self.told(choice, [stages[at] for stages in grown]))
        return min(found, key=lambda one: one.loss)

    def fewest(self, choice: Choice, best: _Looked) -> Chosen:
        """The least number of parts that is as good as the best number; each fold ranks its own parts."""
        found = []
        most = max(len(fold.parts.bins) for fold in self.folds)
        for count in [count for count in COUNTS if count < most]:
            few = msgspec.structs.replace(choice, parts=count)
            folds = [
                fold.only(strongest(model, fold.codes, count))
                for fold, model in zip(self.folds, best.models, strict=True)
            ]
            found.append(self.told(few, [self._fit(few, fold) for fold in folds], folds))
        found.append(
            _Looked(best.loss, msgspec.structs.replace(choice, parts=most), best.models, best.logits)
        )
        least = min(one.loss for one in found)
        taken = next(one for one in found if one.loss <= least * (1.0 + AS_GOOD))
        places = np.concatenate([fold.after for fold in self.folds])
        return Chosen(taken.choice, self.tried, places, np.concatenate(taken.logits))

    def _fit(self, choice: Choice, fold: Fold) -> Shapes:
        return fit(choice, fold.parts, fold.codes, fold.positive, [fold.weight], self.seed)
