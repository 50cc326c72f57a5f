"""The parts of the sum: which features a fit may use, and their bins in training rows.

What is known at the end only is refused by name; what is protected is left out unless it is asked for.

>>> chosen(("wait_s", "made_sla"), (), ())  # doctest: +ELLIPSIS
Traceback (most recent call last):
streams.errors.SettingError: --features: found 'made_sla'; expected a feature known at the event: ...
>>> "priority" in chosen((), (), ()), "priority" in chosen((), (), ("priority",))
(False, True)
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.feature_names import FEATURES, NEVER, NUMBERS
from streams.calibrate.bins import (
    MOST_BINS,
    MOST_LEVELS,
    Bins,
    Codes,
    LabelBins,
    NumberBins,
    PairBins,
    label_bins,
    number_bins,
)
from streams.calibrate.data import Rows
from streams.calibrate.directions import direction
from streams.errors import SettingError

__all__ = ["Parts", "chosen", "learn", "protected_names"]

# They grow with the length of the history that was folded, not with what happened: fitted to a month, they
# are out of place in the next. Rates and fading counts say the same and stay in their range.
GROWING = ("contacts", "known_h", "cases_solved", "cases_returned")
_BY_NAME = {one.name: one for one in FEATURES}
# A bin is to expect so many positives at least, whatever it holds: below, its log-odds would be noise.
POSITIVES_A_BIN, POSITIVES_A_LABEL = 2, 1
LEAST = 20
# A side of a pair.
PAIR_BINS, PAIR_LEVELS = 4, 4


def protected_names() -> list[str]:
    """Features that are left out unless asked for."""
    return [one.name for one in FEATURES if one.protected]


def chosen(features: Sequence[str], without: Sequence[str], with_protected: Sequence[str]) -> list[str]:
    """The features to fit, in their fixed order. Raises SettingError for a name that cannot be."""
    for option, names in (
        ("--features", features),
        ("--without", without),
        ("--with-protected", with_protected),
    ):
        for name in names:
            _check(option, name)
    for name in with_protected:
        if not _BY_NAME[name].protected:
            expected = "a protected feature: " + ", ".join(protected_names())
            raise SettingError("--with-protected", repr(name), expected)
    for name in features:
        if _BY_NAME[name].protected and name not in with_protected:
            raise SettingError("--features", f"{name!r}, which is protected", f"--with-protected {name}, too")
    wanted = {*features, *with_protected} if features else set(_BY_NAME)
    return [
        one.name
        for one in FEATURES
        if one.name in wanted
        and (one.name in features or one.name not in GROWING)
        and one.name not in without
        and (not one.protected or one.name in with_protected)
    ]


def _check(option: str, name: str) -> None:
    if name.startswith(NEVER):
        raise SettingError(
            option, repr(name), "a feature known at the event: this is known at a case's end only"
        )
    if name not in _BY_NAME:
        near = get_close_matches(name, _BY_NAME, 1)
        expected = f"a feature, such as {near[0]}" if near else "a feature of: " + ", ".join(_BY_NAME)
        raise SettingError(option, repr(name), expected)


class Parts:
    """Bins of every part, and which way each may go."""

    def __init__(self, bins: list[Bins], directions: list[int]) -> None:
        self.bins = bins
        self.directions = directions

    def codes(self, rows: Rows) -> Codes:
        """One column of bins for each part."""
        columns = []
        for one in self.bins:
            if isinstance(one, PairBins):
                columns.append(one.joined(rows.column(one.first.name), rows.column(one.second.name)))
            else:
                columns.append(one.codes(rows.column(one.name)))
        return np.column_stack(columns) if columns else np.zeros((len(rows), 0), np.int64)

    def only(self, places: Sequence[int]) -> Parts:
        """Some of them."""
        return Parts([self.bins[place] for place in places], [self.directions[place] for place in places])


def learn(target: str, rows: Rows, names: Sequence[str], pairs: Sequence[tuple[str, str]]) -> Parts:
    """Bins of the features that tell rows apart at all, from these rows alone."""
    positives = int(rows.positive.sum())
    a_positive = len(rows) / max(1, positives)
    least = max(LEAST, ceil(POSITIVES_A_BIN * a_positive))
    seen = max(LEAST, ceil(POSITIVES_A_LABEL * a_positive))
    bins: list[Bins] = []
    for name in names:
        one = _bins(name, rows.column(name), MOST_BINS, MOST_LEVELS, least if name in NUMBERS else seen)
        if one is not None:
            bins.append(one)
    for first, second in pairs:
        sides = [_bins(name, rows.column(name), PAIR_BINS, PAIR_LEVELS, least) for name in (first, second)]
        if sides[0] is not None and sides[1] is not None:
            bins.append(PairBins(sides[0], sides[1]))
    return Parts(bins, [direction(target, one.name) if one.ordered else 0 for one in bins])


def _bins(
    name: str, values: NDArray[Any], most: int, levels: int, least: int
) -> NumberBins | LabelBins | None:
    if name in NUMBERS:
        number = number_bins(name, values, most, least)
        return number if number.edges else None
    label = label_bins(name, values, levels, least)
    # One level that every row has says nothing.
    return label if label.levels and len(np.unique(label.codes(values))) > 1 else None
