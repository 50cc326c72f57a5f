"""Declared answers: CES, CSAT and NPS on one scale, 0 (worst) to 1 (best), each with its direction.

CES 2.0 asks 1-7 and high is easy; CES 1.0 asked 1-5 and high was effort. An answer never feeds the score that
it is compared with: the row keeps the effort just before it.

>>> value("ces", "2.0", "", 7), value("ces", "1.0", "", 5), value("csat", "", "0-100", 80)
(1.0, 0.0, 0.8)
>>> value("ces", "2.0", "", 9) is None
True
"""

from __future__ import annotations

import re
from typing import Final

from detectors import effort
from detectors.events import Event
from detectors.moment import Moment
from detectors.state import Journey

__all__ = ["on_event", "value"]

_SCALES: Final = {
    ("ces", "1"): (1.0, 5.0),
    ("ces", "2"): (1.0, 7.0),
    ("csat", ""): (1.0, 5.0),
    ("nps", ""): (0.0, 10.0),
}
_SCALE: Final = re.compile(r"(-?\d+(?:\.\d+)?)\s*-\s*(\d+(?:\.\d+)?)")


def value(metric: str, version: str, scale: str, score: float) -> float | None:
    """The answer normalised to 0..1 with 1 best; None where the scale is not known or the score is off it."""
    old = metric == "ces" and version.startswith("1")
    key = (metric, ("1" if old else "2") if metric == "ces" else "")
    if match := _SCALE.fullmatch(scale):
        low, high = float(match[1]), float(match[2])
    elif key in _SCALES:
        low, high = _SCALES[key]
    else:
        return None
    if high <= low or not low <= score <= high:
        return None
    share = (score - low) / (high - low)
    return 1.0 - share if old else share


def on_event(m: Moment, e: Event, journey: Journey) -> None:
    """Store the answer beside the effort that it is compared with."""
    if e.type != "survey.response" or e.score is None:
        return
    known = effort.coverage(m.state, m.time, m.policy) >= m.policy.document.effort.coverage_floor
    m.out.add(
        "surveys",
        (
            *m.head(m.id("survey", m.trigger), e.time),
            e.metric,
            e.version,
            e.scale,
            e.score,
            value(e.metric, e.version, e.scale, e.score),
            e.channel,
            e.journey,
            e.step,
            e.intent,
            m.segment,
            m.effort(journey) if known else None,
        ),
    )
