"""What a fit learned, in sentences: where its strongest shapes are high, and where they are low."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detectors.feature_names import FEATURES
from streams.calibrate.bins import Bins, Codes, LabelBins, NumberBins, PairBins
from streams.calibrate.parts import Parts
from streams.calibrate.shapes import Floats, Shapes

__all__ = ["OUTCOMES", "learned"]

#: The bad outcome of a target, as a subject.
OUTCOMES = {"recontact": "Another contact", "reopen": "Reopening"}
_WORDS = {one.name: one.words for one in FEATURES}
# A bin that fewer rows are in is no example of anything.
LEAST_SHARE = 0.005


def learned(target: str, parts: Parts, shapes: Shapes, codes: Codes, most: int = 8) -> list[str]:
    """A sentence for each of the strongest parts, the strongest first."""
    subject = OUTCOMES.get(target, "The bad outcome")
    order = np.argsort(-shapes.spreads(codes), kind="stable")[:most]
    found = []
    for place in order:
        sentence = _sentence(subject, parts.bins[place], shapes.parts[place], codes[:, place])
        if sentence:
            found.append(sentence)
    return found


def _sentence(subject: str, one: Bins, part: Floats, codes: Codes) -> str:
    share = np.bincount(codes, minlength=one.size) / max(1, len(codes))
    seen = np.flatnonzero(share >= LEAST_SHARE)
    if len(seen) < 2:
        return ""
    high, low = (int(seen[place]) for place in (np.argmax(part[seen]), np.argmin(part[seen])))
    if part[high] == part[low]:
        return ""
    # Neighbours that say the same are told as one.
    return (
        f"{subject} is likelier where {_where(one, part, high)} (odds x {np.exp(part[high]):.2f}) and less "
        f"likely where {_where(one, part, low)} (odds x {np.exp(part[low]):.2f}). {_about(one)}"
    )


def _about(one: Bins) -> str:
    if isinstance(one, PairBins):
        return (
            f"`{one.first.name}`: {_WORDS[one.first.name]}; `{one.second.name}`: {_WORDS[one.second.name]}."
        )
    return f"`{one.name}`: {_WORDS[one.name]}."


def _where(one: Bins, part: Floats, at: int) -> str:
    if isinstance(one, NumberBins):
        return _span(one, *_same(part[:-1], at)) if at < one.size - 1 else f"`{one.name}` is not known"
    if isinstance(one, LabelBins):
        return _level(one, at)
    if at == one.size - 1:
        return "one of the two is not known"
    row, column = divmod(at, one.shape[1])
    return " and ".join(
        _span(side, place, place) if isinstance(side, NumberBins) else _level(side, place)
        for side, place in ((one.first, row), (one.second, column))
    )


def _same(values: Sequence[float] | Floats, at: int) -> tuple[int, int]:
    first = last = at
    while first > 0 and values[first - 1] == values[at]:
        first -= 1
    while last < len(values) - 1 and values[last + 1] == values[at]:
        last += 1
    return first, last


def _span(one: NumberBins, first: int, last: int) -> str:
    low = one.edges[first - 1] if first > 0 else None
    high = one.edges[last] if last < len(one.edges) else None
    if low is None:
        return f"`{one.name}` is below {high:g}"
    if high is None:
        return f"`{one.name}` is {low:g} or more"
    return f"`{one.name}` is from {low:g} to below {high:g}"


def _level(one: LabelBins, at: int) -> str:
    if at == len(one.levels):
        return f"`{one.name}` is another"
    return f"`{one.name}` is {one.levels[at] or 'empty'}"
