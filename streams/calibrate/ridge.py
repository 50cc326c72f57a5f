"""Shape functions by logistic regression with ridge, for few positives.

A number is coded as a thermometer: a column says "from this edge on", so that the penalty is on the *steps*
of its shape and a shape without evidence is flat. Steps against common sense are not allowed (bounds of the
optimiser). What is not known, and each named label, has a column of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from streams.calibrate.bins import Bins, Codes
from streams.calibrate.shapes import Floats, Shapes

__all__ = ["fit"]

# When to stop: a relative change of the loss below this.
EXACT = 1e-8
Bound = tuple[float | None, float | None]
FREE: Bound = (None, None)


def fit(
    bins: Sequence[Bins],
    codes: Codes,
    positive: Floats,
    weight: Floats,
    penalty: float,
    directions: Sequence[int],
) -> Shapes:
    """The shapes that are likeliest under ``penalty`` (times half the sum of squared steps)."""
    from scipy.optimize import minimize

    columns: list[Floats] = [np.ones(len(codes))]
    bounds: list[Bound] = [FREE]
    for place, one in enumerate(bins):
        steps, allowed = _columns(one, codes[:, place], directions[place])
        columns += steps
        bounds += allowed
    design = np.ascontiguousarray(np.column_stack(columns))
    ridge = np.full(design.shape[1], penalty)
    ridge[0] = 0.0
    rate = float((weight @ positive) / weight.sum())
    start = np.zeros(design.shape[1])
    start[0] = np.log(rate / (1.0 - rate))

    def loss(found: Floats) -> tuple[float, Floats]:
        logits = design @ found
        total = weight @ (np.logaddexp(0.0, logits) - positive * logits)
        chance = 0.5 * (1.0 + np.tanh(0.5 * logits))
        slope = design.T @ (weight * (chance - positive)) + ridge * found
        return float(total + 0.5 * ridge @ (found * found)), slope

    done = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 500, "ftol": EXACT}
    )
    return _shapes(bins, done.x)


def _columns(one: Bins, codes: Codes, direction: int) -> tuple[list[Floats], list[Bound]]:
    if not one.ordered:
        # All others stay at 0: a label that is new is nothing special.
        return [(codes == level).astype(float) for level in range(one.size - 1)], [FREE] * (one.size - 1)
    missing = one.size - 1
    known = codes < missing
    steps = [(known & (codes >= edge)).astype(float) for edge in range(1, missing)]
    bound: Bound = (0.0, None) if direction > 0 else (None, 0.0) if direction < 0 else FREE
    return [*steps, (~known).astype(float)], [bound] * len(steps) + [FREE]


def _shapes(bins: Sequence[Bins], found: Floats) -> Shapes:
    parts: list[Floats] = []
    at = 1
    for one in bins:
        if not one.ordered:
            parts.append(np.append(found[at : at + one.size - 1], 0.0))
            at += one.size - 1
        else:
            steps = found[at : at + one.size - 2]
            parts.append(np.concatenate([[0.0], np.cumsum(steps), [found[at + one.size - 2]]]))
            at += one.size - 1
    return Shapes(float(found[0]), parts)
