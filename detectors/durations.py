"""Durations as people write them, as integer milliseconds.

>>> parse("90s"), parse("20min"), parse("1.5h"), parse("7d")
(90000, 1200000, 5400000, 604800000)
>>> parse("20 minutes")
Traceback (most recent call last):
ValueError: a duration such as "90s", "20min", "8h" or "7d"
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["DAY", "HOUR", "MINUTE", "SECOND", "parse"]

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

_UNITS: Final = {"ms": 1, "s": SECOND, "min": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}
_FORM: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|s|min|h|d|w)")


def parse(text: str) -> int:
    """Milliseconds of ``text``; ValueError says the form that is wanted."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError('a duration such as "90s", "20min", "8h" or "7d"')
    return round(float(match[1]) * _UNITS[match[2]])
