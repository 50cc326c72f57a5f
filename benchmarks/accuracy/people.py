"""Findings beside the truth of simulated people, with the seeds that are kept for testing."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from benchmarks.accuracy.common import Figures, Where
from benchmarks.accuracy.measure import TIMES
from benchmarks.accuracy.simulated import PACKS, TESTING, TUNING, measure

__all__ = ["CUSTOMERS", "HOURS", "TESTED", "simulated"]

# Beside those that the detectors are looked at on: one with people in debt, low moods and much at stake.
TESTED = (*PACKS, "collections")
CUSTOMERS = 2_000
HOURS = 24


def simulated(
    where: Where,
    packs: Sequence[str] = TESTED,
    seeds: Sequence[int] = TESTING,
    customers: int = 0,
    times: int = TIMES,
) -> Figures:
    """Each pack over all seeds."""
    customers = customers or where.size(CUSTOMERS)
    found = {
        pack: msgspec.to_builtins(measure(pack, seeds, customers=customers, hours=HOURS, times=times))
        for pack in packs
    }
    return {
        "tuning": list(TUNING),
        "testing": list(seeds),
        "customers": customers,
        "hours": HOURS,
        "packs": found,
    }
