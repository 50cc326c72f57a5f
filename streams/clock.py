"""The one place that reads the machine's clocks; everything else is given the time.

``detectors`` never sees a clock at all: for the fold, time is data in the log.
"""

from __future__ import annotations

import time

__all__ = ["monotonic", "wall_ms"]


def wall_ms() -> int:
    """Milliseconds since the epoch by the wall clock."""
    return time.time_ns() // 1_000_000


def monotonic() -> float:
    """Seconds on a clock that never goes back; only differences mean anything."""
    return time.monotonic()
