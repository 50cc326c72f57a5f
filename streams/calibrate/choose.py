"""Which family, how strongly held back, and of how many features: told by time-ordered validation alone.

1. Folds go forward in time, with a gap of the target's window (at least a day); bins are learnt anew in each.
   Every candidate is fitted in every fold on what was known by then, and looks at the stretch that follows.
2. A ridge over all parts finds its penalty. Then parts are left out one by one, as long as what follows, and
   customers that were not fitted (folds of their own, which have more positives), are told as well without.
3. On the parts that stay, the least log-loss over all stretches chooses family and regularisation.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from copy import copy
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.calibrate import boosted, ridge
from streams.calibrate.boosted import Boosted
from streams.calibrate.data import Rows
from streams.calibrate.fitting import Choice, fit
from streams.calibrate.folds import apart, forward
from streams.calibrate.parts import Parts, learn
from streams.calibrate.shapes import Floats, Shapes, mean, solve_base

__all__ = ["Chosen", "Fold", "Folds", "Tried", "auc", "choose", "folds_of", "log_loss", "ranked_loss"]

PENALTIES = (3.0, 10.0, 30.0, 100.0)
ROUNDS = (50, 100, 150, 200, 300, 400, 600)
LEAVES = (2, 3)
#: Fewer parts are preferred while the log-loss is at most this much (relatively) above the least.
AS_GOOD = 0.0005
LEAST_PARTS = 4
#: Folds of customers, beside those of time.
GROUPS = 4
#: Without enough positives to validate with.
CAUTIOUS = Choice("ridge", 30.0, Boosted())
DAY = 86_400_000


class Tried(msgspec.Struct, frozen=True):
    """A candidate, and what it came to over all stretches that were looked at."""

    what: str
    log_loss: float
    auc: float


class Chosen(msgspec.Struct, frozen=True):
    """The choice, names of its parts (none: all), all that was tried, and the log-odds of rows looked at."""

    choice: Choice
    parts: list[str]
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

    def only(self, names: Collection[str]) -> Fold:
        """Of some parts, by their names."""
        places = [place for place, one in enumerate(self.parts.bins) if one.name in names]
        found = copy(self)
        found.parts = self.parts.only(places)
        found.codes, found.ahead = self.codes[:, places], self.ahead[:, places]
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


def ranked_loss(truth: Floats, logits: Floats) -> float:
    """Log-loss on the base that fits these rows: bases move with the seasons, and that is no ranking."""
    return log_loss(truth, logits + solve_base(logits, truth))


class Folds(NamedTuple):
    """By time, and by customer; none where there are too few positives."""

    ahead: list[Fold]
    apart: list[Fold]


def folds_of(
    target: str, rows: Rows, names: Sequence[str], pairs: Sequence[tuple[str, str]], gap: int
) -> Folds:
    """The folds of the rows to fit."""
    by_time = forward(rows.times, rows.known, rows.positive, max(gap, DAY))
    if not by_time:
        return Folds([], [])
    by_customer = apart(rows.customers, GROUPS)
    found = [
        [Fold(learn(target, rows.at(fitted), names, pairs), rows, fitted, looked) for fitted, looked in kind]
        for kind in (by_time, by_customer)
    ]
    return Folds(*found)


def choose(folds: Folds, seed: int = 1) -> Chosen:
    """Parts, family and regularisation."""
    if not folds.ahead:
        return Chosen(CAUTIOUS, [], [], np.zeros(0, np.int64), np.zeros(0))
    tried: list[Tried] = []
    whole = _Search(folds.ahead, seed, tried).ridges()
    names = _fewest(folds, whole.choice, tried)
    search = _Search([fold.only(names) for fold in folds.ahead], seed, tried)
    ridges, trees = search.ridges(), search.boostings()
    penalty, rounds = ridges.choice.penalty, trees.choice.boosting
    means = [mean([one, other]) for one, other in zip(ridges.models, trees.models, strict=True)]
    both = search.told(Choice("both", penalty, rounds), means)
    best = min((both, ridges, trees), key=lambda one: one.loss)
    places = np.concatenate([fold.after for fold in folds.ahead])
    choice = Choice(best.choice.family, penalty, rounds)
    return Chosen(choice, names, tried, places, np.concatenate(best.logits))


def _fewest(folds: Folds, choice: Choice, tried: list[Tried]) -> list[str]:
    """Leave out one part after another, that which is missed least; the fewest that are as good."""
    kinds = [list(folds.ahead), list(folds.apart)]
    names = {one.name: None for kind in kinds for fold in kind for one in fold.parts.bins}
    steps: list[tuple[float, list[str]]] = []
    first: list[float] = []
    while True:
        fitted = [[(fold, _ridge(fold, choice.penalty)) for fold in kind] for kind in kinds]
        losses = [_loss(kind, "") for kind in fitted]
        first = first or losses
        score = float(np.mean([loss / start for loss, start in zip(losses, first, strict=True)]))
        steps.append((score, list(names)))
        tried.append(Tried(f"{len(names)} parts, {choice.words}", round(losses[0], 6), _within(fitted[0])))
        if len(names) <= LEAST_PARTS:
            break
        without = {
            name: sum(_loss(kind, name) / start for kind, start in zip(fitted, first, strict=True))
            for name in names
        }
        names.pop(min(without, key=lambda name: without[name]))
        kinds = [[fold.only(names) for fold in kind] for kind in kinds]
    least = min(score for score, _ in steps)
    return next(kept for score, kept in reversed(steps) if score <= least * (1.0 + AS_GOOD))


def _ridge(fold: Fold, penalty: float) -> Shapes:
    found = ridge.fit(
        fold.parts.bins, fold.codes, fold.positive, fold.weight, penalty, fold.parts.directions, ridge.ROUGH
    )
    return found.centred(fold.codes)


def _loss(fitted: list[tuple[Fold, Shapes]], without: str) -> float:
    """Log-loss on what was looked at, with one part held at its mean."""
    total, rows = 0.0, 0
    for fold, model in fitted:
        logits = model.logits(fold.ahead)
        for place, one in enumerate(fold.parts.bins):
            if one.name == without:
                logits = logits - model.parts[place][fold.ahead[:, place]]
        total += ranked_loss(fold.truth, logits) * len(logits)
        rows += len(logits)
    return total / rows


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

    def __init__(self, folds: list[Fold], seed: int, tried: list[Tried]) -> None:
        self.folds = folds
        self.seed = seed
        self.tried = tried

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

    def _fit(self, choice: Choice, fold: Fold) -> Shapes:
        return fit(choice, fold.parts, fold.codes, fold.positive, [fold.weight], self.seed)
