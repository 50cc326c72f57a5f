"""Whether the risk is right: by tenths, what was foretold of the next minute against what came.

At each interval's beginning everybody who still waits has a risk. Within a tenth of equal risks, what came is
1 - exp(-Nelson-Aalen) over the minute that followed: who is answered in that minute is at risk up to then, so
it says how many would have left had nobody been answered, which is what the risk is of. Its interval is a
bootstrap over calls, since one call is looked at many times.

>>> from streams.hazard.spells import Spell
>>> waits = [Spell("queue", "q", "", 9, -1.0, at, 30.0 + at % 60, at % 5 == 0, "p") for at in range(500)]
>>> moments = looks(waits, 10.0, lambda spell, waited: 0.1 + waited / 1e6)
>>> len(moments.predicted) > 1_000, tenths(moments, 60.0, count=2, seed=1)[0]["looks"] > 500
(True, True)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.calibrate.extra import one_thread
from streams.hazard.spells import Spell

__all__ = ["Looks", "looks", "tenths"]

Floats = NDArray[np.float64]

RESAMPLES = 1_000
_AT_ONCE = 100
# A follow-up is cut into so many parts.
_PARTS = 60


class Looks(msgspec.Struct):
    """One row for each moment at which a risk was told: of which spell, what followed, and the risk."""

    spell: NDArray[np.int64]
    follow: Floats
    left: NDArray[np.bool_]
    predicted: Floats
    spells: int
    #: Of a pause of a form or cart the outcome is known: no censoring.
    known: bool = False


def looks(spells: Sequence[Spell], interval: float, risk: Callable[[Spell, float], float]) -> Looks:
    """Each moment, an interval apart, at which a customer still waited, with ``risk(spell, waited)``."""
    number: list[int] = []
    follow: list[float] = []
    left: list[bool] = []
    predicted: list[float] = []
    for place, spell in enumerate(spells):
        waited = 0.0
        while waited < spell.seconds:
            number.append(place)
            follow.append(spell.seconds - waited)
            left.append(spell.left)
            predicted.append(risk(spell, waited))
            waited += interval
    known = bool(spells) and spells[0].kind != "queue"
    made = (np.array(number, dtype=np.int64), np.array(follow), np.array(left, dtype=bool))
    return Looks(*made, np.array(predicted), len(spells), known)


def tenths(moments: Looks, ahead: float, *, count: int = 10, seed: int = 1) -> list[dict[str, Any]]:
    """``count`` groups with as many looks each, by risk: foretold, observed, and its 95 % interval."""
    if not len(moments.predicted):
        return []
    with one_thread():
        return _tenths(moments, ahead, count, seed)


def _tenths(moments: Looks, ahead: float, count: int, seed: int) -> list[dict[str, Any]]:
    order = np.argsort(moments.predicted, kind="stable")
    group = np.empty(len(order), dtype=np.int64)
    group[order] = np.arange(len(order)) * count // len(order)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(moments.spells, np.full(moments.spells, 1 / moments.spells), RESAMPLES)
    weights = drawn.astype(float)
    found = []
    for number in range(count):
        within = group == number
        mean, low, high = _observed(moments, within, ahead, weights)
        predicted = float(moments.predicted[within].mean())
        found.append(
            {
                "group": number + 1,
                "looks": int(within.sum()),
                "from": float(moments.predicted[within].min()),
                "to": float(moments.predicted[within].max()),
                "predicted": predicted,
                "observed": mean,
                "low": low,
                "high": high,
                "within_3_points": abs(predicted - mean) <= 0.03,
                "within_interval": low <= predicted <= high,
            }
        )
    return found


def _observed(
    moments: Looks, within: NDArray[np.bool_], ahead: float, weights: Floats
) -> tuple[float, float, float]:
    """What came of these looks, and its interval: each resample counts a call as often as it drew it."""
    # Most spells have no look in a tenth.
    there_at_all, spell = np.unique(moments.spell[within], return_inverse=True)
    left = moments.left[within]
    weights = weights[:, there_at_all]
    if moments.known:
        events = np.zeros((len(there_at_all), 1))
        there = np.zeros((len(there_at_all), 1))
        np.add.at(events[:, 0], spell, left)
        np.add.at(there[:, 0], spell, 1.0)
    else:
        events, there = _counts(len(there_at_all), spell, moments.follow[within], left, ahead)
    mean = _share(events.sum(axis=0, keepdims=True), there.sum(axis=0, keepdims=True), moments.known)[0]
    drawn = [
        _share(weights[at : at + _AT_ONCE] @ events, weights[at : at + _AT_ONCE] @ there, moments.known)
        for at in range(0, len(weights), _AT_ONCE)
    ]
    low, high = np.nanpercentile(np.concatenate(drawn), [2.5, 97.5])
    return float(mean), float(low), float(high)


def _counts(
    spells: int, spell: NDArray[np.int64], follow: Floats, left: NDArray[np.bool_], ahead: float
) -> tuple[Floats, Floats]:
    """By spell and part of the follow-up: how many left in it, and for how much of it they were there."""
    part = ahead / _PARTS
    events = np.zeros((spells, _PARTS))
    there = np.zeros((spells, _PARTS))
    leaves = left & (follow <= ahead)
    # Who leaves at the very end of a part left in it.
    at = np.minimum(np.ceil(follow[leaves] / part).astype(int) - 1, _PARTS - 1)
    np.add.at(events, (spell[leaves], np.maximum(at, 0)), 1.0)
    # Each is at risk in a part for as long as it was there, and whoever left in it for the whole of it.
    share = np.clip(follow[:, None] / part - np.arange(_PARTS)[None, :], 0.0, 1.0)
    share[np.flatnonzero(leaves), np.maximum(at, 0)] = 1.0
    np.add.at(there, spell, share)
    return events, there


def _share(events: Floats, there: Floats, known: bool) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        rates = np.where(there > 0.0, events / there, 0.0).sum(axis=-1)
    share: Floats = rates if known else 1.0 - np.exp(-rates)
    return share
