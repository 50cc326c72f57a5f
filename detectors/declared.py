"""Declared beside inferred: the answer that is to be expected of a journey with so much effort.

A line by corners, of effort (0-100) to the answer on one scale (0 worst, 1 best), never rising: more effort,
a worse answer. Fitted to a company's own surveys it stands in ``[survey_fit.ces]`` (and ``csat``, ``nps``);
without it, ``ces`` is the straight line 7 - 6 * effort / 100.

>>> line = Line([0.0, 20.0, 100.0], [0.9, 0.6, 0.2])
>>> [round(line.at(effort), 3) for effort in (0.0, 10.0, 20.0, 60.0, 100.0)]
[0.9, 0.75, 0.6, 0.4, 0.2]
"""

from __future__ import annotations

from typing import Final

from detectors.policy_errors import PolicyError, expected
from detectors.policy_model import PolicyDocument

__all__ = ["METRICS", "Line", "check", "made"]

METRICS: Final = ("ces", "csat", "nps")
_MOST: Final = 64


class Line:
    """Corners from 0 to 100, ascending, and the expected answer at each."""

    def __init__(self, effort: list[float], value: list[float]) -> None:
        self.effort = effort
        self.value = value

    def at(self, effort: float) -> float:
        """The expected answer, 0 (worst) to 1 (best)."""
        corners, values = self.effort, self.value
        place = 1
        while place < len(corners) - 1 and effort > corners[place]:
            place += 1
        left, right = corners[place - 1], corners[place]
        share = min(1.0, max(0.0, (effort - left) / (right - left)))
        return values[place - 1] + share * (values[place] - values[place - 1])


def made(document: PolicyDocument) -> dict[str, Line]:
    """By metric."""
    return {name: Line(list(one.effort), list(one.value)) for name, one in document.survey_fit.items()}


def check(document: PolicyDocument) -> None:
    """What types alone cannot say. Raises PolicyError."""
    for name, one in document.survey_fit.items():
        key = f"survey_fit.{name}"
        if name not in METRICS:
            raise PolicyError(key, "an unknown metric", expected(name, set(METRICS)))
        if not 2 <= len(one.effort) <= _MOST or one.effort[0] != 0.0 or one.effort[-1] != 100.0:
            raise PolicyError(f"{key}.effort", f"{one.effort}"[:60], f"2 to {_MOST} corners from 0 to 100")
        if any(right <= left for left, right in zip(one.effort, one.effort[1:], strict=False)):
            raise PolicyError(f"{key}.effort", f"{one.effort}"[:60], "corners in ascending order")
        if len(one.value) != len(one.effort):
            raise PolicyError(f"{key}.value", f"{len(one.value)} values", f"{len(one.effort)}, as effort has")
        if any(right > left for left, right in zip(one.value, one.value[1:], strict=False)):
            raise PolicyError(f"{key}.value", f"{one.value}"[:60], "values that never rise with effort")
