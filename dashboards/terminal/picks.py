"""Which customers a picture shows, out of all that are known: pure choices over standings.

>>> one = Standing("c1", "claim", "upload", "web", 60.0, 3.4, 0.8, (), 20.0, 1_000)
>>> two = one._replace(customer="c2", effort=30.0, change=-5.0)
>>> [len(found) for found in (rises([one, two], 5), falls([one, two], 5), active([one, two], 2_000))]
[1, 1, 0]
>>> by_journey([one, two])
[JourneyEffort(journey='claim', customers=2, median=45.0, above=0.5)]
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from dashboards.terminal.frame import JourneyEffort, Standing

__all__ = ["MOVED", "active", "by_journey", "falls", "hardest", "rises"]

# Below a point of effort nobody has moved: scores are shown without decimals.
MOVED = 1.0
# The middle of the score: above it somebody has it hard.
HARD = 50.0


def active(standings: Iterable[Standing], since: int) -> list[Standing]:
    """Those of whom something was seen at or after ``since`` (ms)."""
    return [one for one in standings if one.at >= since]


def hardest(standings: Iterable[Standing], most: int) -> list[Standing]:
    """The highest effort first, those without a score last; none without any effort."""
    found = [one for one in standings if one.effort is None or one.effort > 0.0]
    return sorted(found, key=lambda one: (-(one.effort or 0.0), one.customer, one.journey))[:most]


def rises(standings: Iterable[Standing], most: int) -> list[Standing]:
    """Those whose effort rose by a point or more, the largest rise first."""
    found = [one for one in standings if one.change >= MOVED]
    return sorted(found, key=lambda one: (-one.change, one.customer, one.journey))[:most]


def falls(standings: Iterable[Standing], most: int) -> list[Standing]:
    """Those whose effort fell by a point or more, the largest fall first."""
    found = [one for one in standings if one.change <= -MOVED]
    return sorted(found, key=lambda one: (one.change, one.customer, one.journey))[:most]


def by_journey(standings: Sequence[Standing]) -> list[JourneyEffort]:
    """Each journey's scores summed up, where most customers have it hard first."""
    scores: dict[str, list[float]] = {}
    for one in standings:
        if one.effort is not None:
            scores.setdefault(one.journey, []).append(one.effort)
    found = [
        JourneyEffort(journey, len(efforts), median(efforts), sum(e > HARD for e in efforts) / len(efforts))
        for journey, efforts in scores.items()
    ]
    return sorted(found, key=lambda one: (-one.customers * one.above, -one.median, one.journey))
