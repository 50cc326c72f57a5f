"""The expected answer by effort beside what was declared, as a picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from streams.calibrate.common import BAR, EDGE, LINE, draw

__all__ = ["lines"]


def lines(path: Path, told: Mapping[str, Mapping[str, Any]]) -> None:
    """One part a metric: the line, the straight line it is drawn to, and answers kept apart."""
    metrics = list(told)

    def each(number: int, axes: Any) -> None:
        one = told[metrics[number]]
        axes.plot([0, 100], [1, 0], color=EDGE, linewidth=0.8, linestyle="--")
        axes.plot(*zip(*one["line"], strict=True), color=LINE)
        for part in one["held_back"].get("reliability", ()):
            place = sum(part["effort"]) / 2
            axes.vlines(place, part["low"], part["high"], color=BAR)
            axes.plot([place], [part["declared"]], marker="o", markersize=3, color=LINE)
        axes.set_xlabel("effort")
        axes.set_ylabel("answer, 1 is best")

    draw(path, metrics, each)
