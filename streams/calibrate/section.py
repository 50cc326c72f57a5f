"""An additive model as a section of the policy: few numbers, short, and the same bytes for the same model.

Steps too small to matter are left out, labels too near to all others go to them, and numbers have three
decimals. What the text says, and not what was fitted, is what is reported.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from streams.calibrate.bins import Bins, Codes, LabelBins, NumberBins, PairBins
from streams.calibrate.parts import Parts
from streams.calibrate.shapes import Floats, Shapes, solve_base

__all__ = ["MOST_BYTES", "Section", "written"]

#: A policy is 32 KiB at most, and holds several targets.
MOST_BYTES = 6 * 1024
# Below this a difference of log-odds moves a probability of one half by less than half a percent.
STEP = 0.02
DIGITS = 3


class Section:
    """The text's parts in their order, with the shapes as they are written."""

    def __init__(self, parts: Parts, shapes: Shapes, text: str) -> None:
        self.parts = parts
        self.shapes = shapes
        self.text = text


def written(
    name: str,
    target: str,
    events: Sequence[str],
    parts: Parts,
    shapes: Shapes,
    codes: Codes,
    positive: Floats,
    *,
    live: bool = False,
    protected: bool = False,
    comment: str = "",
    most_bytes: int = MOST_BYTES,
) -> Section:
    """The section of centred ``shapes``; the weakest parts are left out where it would be too long."""
    order = np.argsort(-shapes.spreads(codes), kind="stable")
    tables: list[tuple[int, str, Floats]] = []
    for place in order:
        text, values = _table(f"targets.{name}", parts.bins[place], shapes.parts[place], codes[:, place])
        if text:
            tables.append((int(place), text, values))
    head = (
        f"{comment}[targets.{name}]\ntarget = {_text(target)}\n"
        f"events = [{', '.join(_text(event) for event in sorted(events))}]\n"
        f"live = {'true' if live else 'false'}\n" + ("protected = true\n" if protected else "")
    )
    room = most_bytes - len(head.encode()) - 40
    kept: list[tuple[int, str, Floats]] = []
    for one in tables:
        size = len(one[1].encode())
        if size <= room:
            kept.append(one)
            room -= size
    places = [place for place, _, _ in kept]
    final = Shapes(0.0, [values for _, _, values in kept])
    final.base = _rounded(solve_base(final.logits(codes[:, places]), positive))
    # Pairs are an array of tables and come after all other tables.
    kept.sort(key=lambda one: (isinstance(parts.bins[one[0]], PairBins), -_spread(one[2], codes[:, one[0]])))
    body = "".join(text for _, text, _ in kept)
    return Section(parts.only(places), final, f"{head}base = {_number(final.base)}\n{body}")


def _table(path: str, one: Bins, part: Floats, codes: Codes) -> tuple[str, Floats]:
    """A part's text, and its log-odds as the text has them; no text where it says next to nothing."""
    weight = np.bincount(codes, minlength=one.size).astype(float)
    if isinstance(one, PairBins):
        return _pair(path, one, part, weight)
    if isinstance(one, LabelBins):
        return _label(path, one, part)
    return _steps(path, one, part, weight)


def _steps(path: str, one: NumberBins, part: Floats, weight: Floats) -> tuple[str, Floats]:
    missing = _rounded(part[-1]) if weight[-1] and abs(part[-1]) >= STEP else 0.0
    groups = [[place] for place in range(one.size - 1)]
    values, weights = [float(value) for value in part[:-1]], [float(value) for value in weight[:-1]]
    while len(groups) > 1:
        # The smallest step first: its two sides become one.
        gaps = [abs(after - before) for before, after in pairwise(values)]
        at = int(np.argmin(gaps))
        if gaps[at] >= STEP:
            break
        both = weights[at] + weights[at + 1]
        middle = (values[at] * weights[at] + values[at + 1] * weights[at + 1]) / both if both else values[at]
        values[at : at + 2], weights[at : at + 2] = [middle], [both]
        groups[at : at + 2] = [groups[at] + groups[at + 1]]
    if len(groups) == 1 and abs(missing) < STEP:
        return "", np.zeros(one.size)
    if len(groups) == 1:
        # Only whether it is known matters; the format wants an edge.
        groups, values = [groups[0][:1], groups[0][1:]], values * 2
    values = [_rounded(value) for value in values]
    edges = [one.edges[group[0] - 1] for group in groups[1:]]
    found = np.empty(one.size)
    for group, value in zip(groups, values, strict=True):
        found[group] = value
    found[-1] = missing
    text = f"\n[{path}.numbers.{one.name}]\nedges = {_list(edges)}\nlog_odds = {_list(values)}\n" + (
        f"missing = {_number(missing)}\n" if missing else ""
    )
    return text, found


def _label(path: str, one: LabelBins, part: Floats) -> tuple[str, Floats]:
    other = _rounded(part[-1])
    found = np.full(one.size, other)
    named = []
    for place, level in enumerate(one.levels):
        if abs(part[place] - other) >= STEP:
            found[place] = _rounded(part[place])
            named.append(f"{_text(level)} = {_number(found[place])}\n")
    if not named:
        return "", np.zeros(one.size)
    text = f"\n[{path}.labels.{one.name}]\n" + (f"other = {_number(other)}\n" if other else "")
    return text + f"[{path}.labels.{one.name}.log_odds]\n" + "".join(named), found


def _pair(path: str, one: PairBins, part: Floats, weight: Floats) -> tuple[str, Floats]:
    found = np.array([_rounded(value) for value in part])
    # Of combinations that nobody was in nothing is known.
    found[weight == 0] = 0.0
    if np.abs(found).max() < STEP:
        return "", np.zeros(one.size)
    rows, columns = one.shape
    table = found[:-1].reshape(rows, columns)
    body = ", ".join(_list([float(value) for value in row]) for row in table)
    text = (
        f"\n[[{path}.pairs]]\nfeatures = [{_text(one.first.name)}, {_text(one.second.name)}]\n"
        f"first = {_side(one.first)}\nsecond = {_side(one.second)}\nlog_odds = [{body}]\n"
        + (f"missing = {_number(found[-1])}\n" if found[-1] else "")
    )
    return text, found


def _side(one: NumberBins | LabelBins) -> str:
    if isinstance(one, NumberBins):
        return f"{{ edges = {_list(one.edges)} }}"
    return f"{{ labels = [{', '.join(_text(level) for level in one.levels)}] }}"


def _spread(values: Floats, codes: Codes) -> float:
    return float(values[codes].std())


def _rounded(value: float) -> float:
    return round(float(value), DIGITS) + 0.0  # no minus zero


def _number(value: float) -> str:
    """A TOML float, the shortest that reads back the same."""
    text = repr(float(value))
    return text if any(mark in text for mark in ".en") else f"{text}.0"


def _list(values: Sequence[float]) -> str:
    return f"[{', '.join(_number(value) for value in values)}]"


def _text(value: str) -> str:
    """A basic string of TOML.

    >>> print(_text('a "b" \\\\ c\\n'))
    "a \\"b\\" \\\\ c\\u000a"
    """
    found = value.replace("\\", "\\\\").replace('"', '\\"')
    return (
        '"'
        + "".join(f"\\u{ord(char):04x}" if ord(char) < 32 or ord(char) == 127 else char for char in found)
        + '"'
    )
