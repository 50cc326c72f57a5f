"""Pictures of a fit, as SVG: its shape functions, and its reliability. The same fit gives the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from streams.calibrate.bins import Codes, LabelBins, NumberBins, PairBins
from streams.calibrate.common import BAR, EDGE, LINE, STYLE
from streams.calibrate.parts import Parts
from streams.calibrate.shapes import Shapes
from streams.targets.measures import Bin

__all__ = ["reliability", "shapes"]

COLUMNS = 3
MOST = 12


def shapes(path: Path, title: str, parts: Parts, model: Shapes, codes: Codes) -> None:
    """The strongest shape functions, in log-odds."""
    figure_of, rc = _library()
    order = [int(place) for place in np.argsort(-model.spreads(codes), kind="stable")][:MOST]
    rows = max(1, -(-len(order) // COLUMNS))
    with rc(STYLE):
        figure = figure_of(figsize=(3.4 * COLUMNS, 2.4 * rows), layout="constrained")
        figure.suptitle(title)
        for number, place in enumerate(order):
            axes = figure.add_subplot(rows, COLUMNS, number + 1)
            _draw(axes, parts.bins[place], model.parts[place])
        _save(figure, path)


def reliability(path: Path, title: str, bins: Sequence[Bin]) -> None:
    """What was foretold beside what came, with 95 % intervals."""
    figure_of, rc = _library()
    with rc(STYLE):
        figure = figure_of(figsize=(4.2, 4.0), layout="constrained")
        axes = figure.add_subplot(1, 1, 1)
        told = [one.predicted for one in bins]
        came = [one.observed.value or 0.0 for one in bins]
        low = [
            one.observed.low if one.observed.low is not None else value
            for one, value in zip(bins, came, strict=True)
        ]
        high = [
            one.observed.high if one.observed.high is not None else value
            for one, value in zip(bins, came, strict=True)
        ]
        most = 1.05 * max([*told, *high, 1e-3])
        axes.plot([0, most], [0, most], color=EDGE, linewidth=0.8, linestyle="--")
        axes.vlines(told, low, high, color=BAR)
        axes.plot(told, came, color=LINE, marker="o", markersize=3, linewidth=1)
        axes.set_xlim(0, most)
        axes.set_ylim(0, most)
        axes.set_xlabel("foretold")
        axes.set_ylabel("came")
        axes.set_title(title)
        _save(figure, path)


def _draw(axes: Any, one: NumberBins | LabelBins | PairBins, part: Any) -> None:
    axes.axhline(0.0, color=EDGE, linewidth=0.6)
    axes.set_title(one.name)
    if isinstance(one, NumberBins):
        places = np.arange(len(part) - 1)
        axes.step([*places, len(places)], [*part[:-1], part[-2]], where="post", color=LINE)
        axes.set_xticks(places[1:], [f"{edge:g}" for edge in one.edges], rotation=60)
        if part[-1]:
            axes.plot([len(places) + 0.7], [part[-1]], marker="o", markersize=3, color=LINE)
            axes.annotate("not known", (len(places) + 0.7, part[-1]), fontsize=6, ha="center")
        return
    names = [*one.levels, "other"] if isinstance(one, LabelBins) else [str(at) for at in range(len(part))]
    shown = np.argsort(-np.abs(part), kind="stable")[:10]
    shown = shown[np.argsort(part[shown], kind="stable")]
    axes.barh(np.arange(len(shown)), part[shown], color=BAR)
    # A label is somebody's own text: no dollar of it is mathematics.
    axes.set_yticks(np.arange(len(shown)), [(names[at] or "empty")[:20].replace("$", r"\$") for at in shown])


def _library() -> tuple[Any, Any]:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    return Figure, mpl.rc_context


def _save(figure: Any, path: Path) -> None:
    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
