"""How well the written policy foretells, beside a black box, the best single feature and the policy before.

On the rows kept apart, where there are any; else on the stretches of validation, each told by a model that
had not seen it. All figures are on the same rows and the same resamples of customers, so differences are
paired.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from detectors.feature_names import NUMBERS
from streams.calibrate.bins import label_bins
from streams.calibrate.choose import auc
from streams.calibrate.data import Rows
from streams.calibrate.shapes import Floats
from streams.targets import measures

__all__ = ["proof", "singles"]

# Single features that get intervals: the best of them.
MOST_SINGLES = 5


def chance(logits: Floats) -> Floats:
    """Log-odds as probabilities."""
    found: Floats = 0.5 * (1.0 + np.tanh(0.5 * logits))
    return found


def singles(fitted: Rows, ask: Rows, names: Sequence[str]) -> dict[str, Floats]:
    """Each feature as a score of ``ask``; which way it points, and a label's order, is told by ``fitted``."""
    truth = fitted.positive.astype(float)
    found: dict[str, Floats] = {}
    for name in names:
        if name in NUMBERS:
            own, asked = fitted.column(name), ask.column(name)
            known = own[~np.isnan(own)]
            middle = float(np.median(known)) if len(known) else 0.0
            own, asked = np.nan_to_num(own, nan=middle), np.nan_to_num(asked, nan=middle)
            found[name] = asked if auc(truth, own) >= 0.5 else -asked
        else:
            bins = label_bins(name, fitted.column(name), least=1)
            codes = bins.codes(fitted.column(name))
            count = np.bincount(codes, minlength=bins.size)
            # Shrunk to the mean by as much as twenty rows say.
            rate = (np.bincount(codes, truth, bins.size) + 20.0 * truth.mean()) / (count + 20.0)
            found[name] = rate[bins.codes(ask.column(name))]
    return found


def proof(
    fitted: Rows,
    ask: Rows,
    logits: Mapping[str, Floats],
    names: Sequence[str],
) -> dict[str, Any]:
    """Figures of all scores of ``ask``; ``logits`` has "additive" and others to compare it with."""
    truth = ask.positive.astype(float)
    each = singles(fitted, ask, names)
    areas = {name: auc(truth, score) for name, score in each.items()}
    best = sorted(areas, key=lambda name: (-areas[name], name))[:MOST_SINGLES]
    # Customers as numbers: nobody's id leaves this.
    held = measures.Rows(ask.positive, [str(customer) for customer in ask.customers])
    scores: dict[str, Any] = {name: chance(one) for name, one in logits.items()}
    scores["policy_before"] = ask.need
    probabilities = list(scores)
    scores |= {f"single:{name}": each[name] for name in best}
    ranked = held.ranked(scores, probabilities)
    found: dict[str, Any] = {name: ranked.measures(name) for name in probabilities}
    for name in probabilities:
        found[name]["log_loss"] = _log_loss(truth, scores[name])
    found["differences"] = {
        f"additive - {name}": ranked.difference("additive", name)
        for name in probabilities
        if name != "additive"
    }
    found["singles"] = {
        name: {
            "auc": ranked.interval(f"single:{name}", "auc"),
            "difference": ranked.difference("additive", f"single:{name}")["auc"],
        }
        for name in best
    }
    found["reliability"] = held.reliability(scores["additive"])
    return found


def _log_loss(truth: Floats, chances: Floats) -> float:
    kept = np.clip(chances, 1e-12, 1.0 - 1e-12)
    return float(-np.mean(truth * np.log(kept) + (1.0 - truth) * np.log1p(-kept)))
