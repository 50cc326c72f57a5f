"""How often each channel settles an intent, with its interval, as a picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from streams.calibrate.common import BAR, EDGE, LINE, draw
from streams.channels.fit import Fit

__all__ = ["channels"]

MOST: Final = 12


def channels(path: Path, found: Mapping[str, Mapping[str, Fit]], minimum: int) -> None:
    """One part an intent; channels with too few contacts are grey."""
    shown = list(found.items())[:MOST]

    def each(number: int, axes: Any) -> None:
        rows = sorted(shown[number][1].items(), key=lambda pair: pair[1].settled)
        for place, (_, one) in enumerate(rows):
            enough = one.contacts >= minimum
            axes.hlines(place, one.low, one.high, color=BAR if enough else EDGE)
            axes.plot([one.settled], [place], marker="o", markersize=3, color=LINE if enough else EDGE)
        axes.set_yticks(range(len(rows)), [f"{channel} ({one.contacts})" for channel, one in rows])
        axes.set_xlim(0, 1)
        axes.set_xlabel("settled")

    draw(path, ["any other" if intent == "*" else intent for intent, _ in shown], each)
