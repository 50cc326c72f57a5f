"""Effort: decayed sums of points on two horizons, and the score they make.

``x = w_a * A + w_c * C``, never below 0, with ``A(t) = sum of p_i 2^-((t - t_i) / h_a)`` over all signals
and C the same with the longer half-life; ``effort = 100 (1 - exp(-x / k))``. Adding commutes: any order and
any split of the same signals ends in the same sums.

>>> policy = default()
>>> a, b = Sums(), Sums()
>>> for t, p in ((0, 4.0), (600_000, 2.0)): add(a, p, t, policy)
>>> for t, p in ((600_000, 2.0), (0, 4.0)): add(b, p, t, policy)
>>> round(score(a, 600_000, policy), 6) == round(score(b, 600_000, policy), 6) == 22.809883
True
>>> ces(0.0), ces(100.0)
(7.0, 1.0)
"""

from __future__ import annotations

from math import exp
from typing import Final

from detectors.bounds import MOST_PARTS
from detectors.declared import Line
from detectors.policy import Policy, default
from detectors.state import Customer, Journey, Part, Sums

__all__ = [
    "add",
    "ces",
    "charge",
    "contributions",
    "coverage",
    "decayed",
    "default",
    "load",
    "observe",
    "observed",
    "scaled",
    "score",
]


# Below this ``x`` is what rounding leaves of friction and relief that cancel.
_NOTHING: Final = 1e-9


def add(sums: Sums, points: float, time: int, policy: Policy) -> None:
    """Add ``points`` at ``time`` (ms), before or after what is already there."""
    passed = time - sums.at
    if passed > 0:
        sums.acute = sums.acute * exp(-policy.acute_rate * passed) + points
        sums.chronic = sums.chronic * exp(-policy.chronic_rate * passed) + points
        sums.at = time
    elif passed == 0:
        sums.acute += points
        sums.chronic += points
    else:
        sums.acute += points * exp(policy.acute_rate * passed)
        sums.chronic += points * exp(policy.chronic_rate * passed)


def decayed(sums: Sums, time: int, policy: Policy) -> tuple[float, float]:
    """Acute and chronic sums at ``time``; a moment before the last addition is read as that moment."""
    passed = time - sums.at
    if passed <= 0:
        return sums.acute, sums.chronic
    return sums.acute * exp(-policy.acute_rate * passed), sums.chronic * exp(-policy.chronic_rate * passed)


def load(sums: Sums, time: int, policy: Policy) -> float:
    """``x`` before it is cut off at 0, in points."""
    acute, chronic = decayed(sums, time, policy)
    return policy.acute_weight * acute + policy.chronic_weight * chronic


def score(sums: Sums, time: int, policy: Policy) -> float:
    """Effort, 0-100."""
    return scaled(load(sums, time, policy), policy)


def scaled(x: float, policy: Policy) -> float:
    """Effort, 0-100, of a load of ``x`` points."""
    return 100.0 * (1.0 - exp(-x / policy.scale)) if x > 0.0 else 0.0


def ces(effort: float, line: Line | None = None) -> float:
    """The customer effort score that would be expected, 1-7 with 7 easy (CES 2.0's direction).

    ``line`` is the policy's, fitted to answers; without one the scale's ends are those of effort.
    """
    return 7.0 - 6.0 * effort / 100.0 if line is None else 1.0 + 6.0 * line.at(effort)


def charge(state: Customer, journey: Journey, signal: int, points: float, time: int, policy: Policy) -> None:
    """Put one signal's points on the customer and on the journey, kept apart by signal."""
    add(state.sums, points, time, policy)
    add(journey.sums, points, time, policy)
    for part in journey.parts:
        if part.signal == signal:
            part.count += 1
            add(part, points, time, policy)
            return
    if len(journey.parts) >= MOST_PARTS:
        _make_room(journey, policy)
    part = Part(signal, 0.0, 0.0, time, 1)
    add(part, points, time, policy)
    journey.parts.append(part)


def _make_room(journey: Journey, policy: Policy) -> None:
    """Merge the part that weighs least into the bucket: sums of one half-life add up exactly."""
    bucket = next((part for part in journey.parts if part.signal == policy.other), None)
    latest = max(part.at for part in journey.parts)
    smallest = min(
        (part for part in journey.parts if part is not bucket),
        # What human need is told by comes last: its points are few, its say is not.
        key=lambda part: (part.signal in policy.telling, abs(load(part, latest, policy)), part.signal),
    )
    journey.parts.remove(smallest)
    if bucket is None:
        bucket = Part(policy.other, 0.0, 0.0, smallest.at, 0)
        # A second one has to go, so that the newcomer finds a place beside the bucket.
        journey.parts.append(bucket)
        if len(journey.parts) >= MOST_PARTS:
            _merge(bucket, smallest, policy)
            _make_room(journey, policy)
            return
    _merge(bucket, smallest, policy)


def _merge(bucket: Part, part: Part, policy: Policy) -> None:
    at = max(bucket.at, part.at)
    ours, theirs = decayed(bucket, at, policy), decayed(part, at, policy)
    bucket.acute, bucket.chronic = ours[0] + theirs[0], ours[1] + theirs[1]
    bucket.at = at
    bucket.count += part.count


def contributions(
    parts: list[Part], effort: float, time: int, policy: Policy
) -> list[tuple[int, float, int, int]]:
    """What makes up ``effort``: (signal number, points of effort, count, last seen in ms), largest first.

    In proportion to each signal's part of ``x``, so that they add up to ``effort``. Where relief outweighs
    friction, ``x`` is cut off at 0: the parts then stand at their marginal worth and one more, numbered -1,
    takes back what was cut off. A ``time`` before the last addition is read as that moment.
    """
    at = max([time, *(part.at for part in parts)])
    loads = [(part, load(part, at, policy)) for part in parts]
    x = sum(value for _, value in loads)
    if x > _NOTHING:
        worth = effort / x
        found = [(part.signal, value * worth, part.count, part.at) for part, value in loads]
    else:
        worth = 100.0 / policy.scale
        found = [(part.signal, value * worth, part.count, part.at) for part, value in loads]
        if found:
            found.append((-1, effort - sum(entry[1] for entry in found), 0, at))
    return sorted(found, key=lambda entry: (-abs(entry[1]), entry[0]))


def observe(state: Customer, time: int, policy: Policy) -> None:
    """One more event of the customer was seen."""
    passed = time - state.observed_at
    if passed >= 0:
        state.observed = state.observed * exp(-policy.coverage_rate * passed) + 1.0
        state.observed_at = time
    else:
        state.observed += exp(policy.coverage_rate * passed)


def coverage(state: Customer, time: int, policy: Policy) -> float:
    """How much is known, 0..1: ``n / (n + scale)`` with n the decayed count of observed events."""
    seen = observed(state, time, policy)
    return seen / (seen + policy.coverage_scale)


def observed(state: Customer, time: int, policy: Policy) -> float:
    """The decayed count of observed events."""
    passed = max(0, time - state.observed_at)
    return state.observed * exp(-policy.coverage_rate * passed)
