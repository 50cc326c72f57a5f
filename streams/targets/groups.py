"""Whether alerts treat groups alike: who was raised or held back, how long they waited, what came of it.

Groups are read from the events' own data: the segment, and any field that a user names. Nothing of them is an
input to the score unless the policy says so; a report has to look at them all the same, as what is left out
may come back by another way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np

from streams.targets.chance import LEVEL, holm, p_value
from streams.targets.measures import Interval, Rows, Vector, interval

__all__ = ["LEAST_CASES", "MEASURES", "of_groups"]

#: Events that a group, and those outside it, must have to be looked at.
LEAST_CASES: Final = 50
#: What a share or mean must be taken of on both sides to be compared.
LEAST_PARTS: Final = 20
#: Cases to be expected in the rarer half of a share, on both sides, to be compared.
LEAST_EXPECTED: Final = 5
MOST_GROUPS: Final = 30
#: ``held_back`` is the share of bad outcomes that were below the line, 1 less recall.
MEASURES: Final = (
    "alert_rate",
    "precision",
    "recall",
    "mean_lead_s",
    "false_alarm_rate",
    "held_back",
    "mean_wait_s",
    "base_rate",
)
# What recall tells of is not told again.
_TESTED: Final = [place for place, name in enumerate(MEASURES) if name != "held_back"]


def of_groups(
    held: Rows, alerted: Any, lead: Vector, records: Sequence[bytes], fields: Sequence[str]
) -> dict[str, Any]:
    """Each group of each field with enough cases, and the gaps between one and the rest beyond chance."""
    data = [_data(record) for record in records]
    waits = np.array([_number(one.get("wait_s")) for one in data], dtype=np.float64)
    parts, wholes = _columns(held, np.asarray(alerted, dtype=bool), lead, waits)
    groups: list[dict[str, Any]] = []
    tests: list[tuple[dict[str, Any], float]] = []
    for field in dict.fromkeys(fields):
        values = [_text(one.get(field)) for one in data]
        counted = Counter(value for value in values if value)
        large = [value for value, count in counted.most_common(MOST_GROUPS) if count >= LEAST_CASES]
        for place, value in enumerate(large):
            inside = np.array([one == value for one in values])
            outside = np.array([bool(one) and one != value for one in values])
            samples = held.ratios(
                np.concatenate([parts * inside[:, None], parts * outside[:, None]], axis=1),
                np.concatenate([wholes * inside[:, None], wholes * outside[:, None]], axis=1),
            )
            groups.append(_described(held, field, value, inside, alerted, samples))
            if outside.sum() < LEAST_CASES or (len(counted) == 2 and place):
                continue  # of two groups, the one's gap is the other's
            sides = [(parts[side], wholes[side]) for side in (inside, outside)]
            tests += _tested(field, value, samples, sides)
    corrected = holm([p for _, p in tests])
    findings = [{**told, "p": p} for (told, _), p in zip(tests, corrected, strict=True) if p < LEVEL]
    return {
        "least_cases": LEAST_CASES,
        "comparisons": len(tests),
        "groups": groups,
        "findings": sorted(findings, key=lambda one: one["p"]),
    }


def _columns(held: Rows, alerted: Any, lead: Vector, waits: Vector) -> tuple[Vector, Vector]:
    """Parts and wholes of every measure, a column each, in their order."""
    bad = held.positive
    every = np.ones(len(held))
    led, waited = alerted & bad & ~np.isnan(lead), ~np.isnan(waits)
    columns = (
        (alerted, every),
        (alerted & bad, alerted),
        (alerted & bad, bad),
        (np.where(led, lead, 0.0), led),
        (alerted & ~bad, ~bad),
        (~alerted & bad, bad),
        (np.where(waited, waits, 0.0), waited),
        (bad, every),
    )
    parts = np.stack([np.asarray(part, dtype=np.float64) for part, _ in columns], axis=1)
    wholes = np.stack([np.asarray(whole, dtype=np.float64) for _, whole in columns], axis=1)
    return parts, wholes


def _described(
    held: Rows, field: str, value: str, inside: Any, alerted: Any, samples: Vector
) -> dict[str, Any]:
    figures: dict[str, Interval] = {name: interval(samples[:, place]) for place, name in enumerate(MEASURES)}
    return {
        "field": field,
        "value": value,
        "n": int(inside.sum()),
        "bad_outcomes": int((inside & held.positive).sum()),
        "alerts": int((inside & alerted).sum()),
        "held_back_cases": int((inside & held.positive & ~np.asarray(alerted)).sum()),
        **figures,
    }


def _tested(
    field: str, value: str, samples: Vector, sides: Sequence[tuple[Vector, Vector]]
) -> list[tuple[dict[str, Any], float]]:
    """What may be a finding: each gap with its likelihood, before any correction."""
    found = []
    width = len(MEASURES)
    for place in _TESTED:
        values = [part[whole[:, place] > 0, place] for part, whole in sides]
        spread = _spread(MEASURES[place], values)
        if spread is None:
            continue
        gap = samples[:, place] - samples[:, width + place]
        p = p_value(gap, spread)
        if p is None:
            continue
        told = {
            "field": field,
            "value": value,
            "measure": MEASURES[place],
            "group": float(samples[0, place]),
            "rest": float(samples[0, width + place]),
            "gap": interval(gap),
        }
        found.append((told, p))
    return found


def _spread(measure: str, values: Sequence[Vector]) -> float | None:
    """How far two shares or means of so many part by chance alone, were all cases alike; None for too few.

    A share can only be told from another where a few cases are to be expected on either side of it.
    """
    counts = [len(one) for one in values]
    if min(counts) < LEAST_PARTS:
        return None
    both = np.concatenate(values)
    if not measure.startswith("mean_"):
        rarer = min(float(both.mean()), 1.0 - float(both.mean()))
        if rarer * min(counts) < LEAST_EXPECTED:
            return None
    return float(both.std() * np.sqrt(sum(1 / count for count in counts)))


def _data(record: bytes) -> dict[str, Any]:
    found = msgspec.json.decode(record).get("data")
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str:
    """A field's value as a group's name; empty where it is not known."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else ""


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else float("nan")
