"""The card's pictures, made from the figures alone; each carries the digest of what it was made from.

Text stays text, ids come from a salt and no date is written, so the same figures give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.accuracy.common import Figures
from streams.calibrate.common import BAR, EDGE, LINE, STYLE

__all__ = ["PICTURES", "digest", "draw", "points"]

_STYLE = {**STYLE, "axes.spines.top": False, "axes.spines.right": False}
_TITLES = {
    "calls": "calling back within the hour",
    "cases": "reopening",
    "waits": "hanging up within the next minute",
}
#: Pictures by the section that they are of.
PICTURES = {section: f"accuracy-{section}.svg" for section in _TITLES}
# What was foretold, what came, and the interval's ends.
Point = tuple[float, float, float, float]


def points(section: str, found: Figures) -> list[Point]:
    """The reliability curve of a section."""
    if section == "waits":
        return [
            (one["predicted"], one["observed"], one["low"], one["high"])
            for one in found["held_back"]["reliability"]
        ]
    rows = ((one["predicted"], one["observed"]) for one in found["reliability"])
    return [
        (told, came["value"], *(came["value"] if came[end] is None else came[end] for end in ("low", "high")))
        for told, came in rows
    ]


def digest(section: str, found: Figures) -> str:
    """Of what a picture is made from."""
    return sha256(msgspec.json.encode([_TITLES[section], points(section, found)])).hexdigest()


def draw(figures: Figures, directory: Path) -> None:
    """Every picture of which there are figures."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    for section, name in PICTURES.items():
        if section in figures:
            with mpl.rc_context(_STYLE):
                _draw(Figure, section, figures[section], directory / name)


def _draw(figure_of: Callable[..., Any], section: str, found: Figures, path: Path) -> None:
    curve = points(section, found)
    figure = figure_of(figsize=(4.6, 4.0), layout="constrained")
    axes = figure.add_subplot(1, 1, 1)
    told, came, low, high = zip(*curve, strict=True)
    most = 1.08 * max(*told, *high)
    axes.plot([0, most], [0, most], color=EDGE, linewidth=0.8, linestyle="--")
    axes.vlines(told, low, high, color=BAR, linewidth=2)
    axes.plot(told, came, color=LINE, marker="o", markersize=3.5, linewidth=1)
    axes.set_xlim(0, most)
    axes.set_ylim(0, most)
    axes.set_xlabel("foretold, mean of a tenth")
    axes.set_ylabel("came, with 95 % interval")
    axes.set_title(_TITLES[section])
    figure.savefig(
        path, format="svg", metadata={"Date": None, "Creator": None, "Identifier": digest(section, found)}
    )
