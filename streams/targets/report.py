"""What the report says of one target: how well human need ranks, and what an advisor would have had of it.

An alert is an event at which human need reaches a threshold. A budget says how many of them there may be for
each 1,000 customers of a day; a customer is one of a day's where an event of theirs was scored on it (UTC).
The threshold is the lowest that keeps the budget, so fewer may come out where many scores are equal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np

from detectors.policy import Policy
from streams.targets.groups import of_groups
from streams.targets.labels import Label
from streams.targets.measures import Interval, Rows, Vector, interval

__all__ = ["BUDGETS", "Decision", "measured"]

#: Alerts for each 1,000 customers a day.
BUDGETS: Final = (1, 2, 5, 10, 20, 50)
#: The one at which groups are looked at.
GROUPS_AT: Final = 20
_QUARTILES: Final = tuple(enumerate(("quarter", "median", "three_quarters")))
_DAY_MS: Final = 86_400_000


class Decision(NamedTuple):
    """One scored event: when, its record, what came of it, and all scores of it."""

    time: int
    record: bytes
    label: Label
    human_need: float
    beside: Mapping[str, float]
    compared: float | None = None


class Alerts(msgspec.Struct, frozen=True):
    """What comes of alerting at a threshold; ``lead_s`` is of the alerts that were right."""

    threshold: float | None
    alerts: int
    precision: Interval
    recall: Interval
    lead_s: dict[str, float | None]
    per_1000_customers_a_day: float | None = None


def measured(rows: Sequence[Decision], policy: Policy, by: Sequence[str]) -> dict[str, Any]:
    """The target's part of the report. ``by`` are fields of the events' data to group by, beside segment."""
    held = Rows([row.label.positive for row in rows], [row.label.customer for row in rows])
    need = np.array([row.human_need for row in rows], dtype=np.float64)
    lead = np.array([_seconds(row.label.lead) for row in rows], dtype=np.float64)
    days = len({(row.label.customer, row.time // _DAY_MS) for row in rows})
    beside = {name: [row.beside[name] for row in rows] for name in (rows[0].beside if rows else ())}
    scores: dict[str, Any] = {"human_need": need, **beside}
    compares = bool(rows) and rows[0].compared is not None
    if compares:
        scores["compared"] = np.array([row.compared for row in rows], dtype=np.float64)
    ranked = held.ranked(scores, ["human_need", "compared"] if compares else ["human_need"])
    found: dict[str, Any] = dict(ranked.measures("human_need"))
    found["customers"], found["customer_days"] = held.customers, days
    found["reliability"] = held.reliability(need)
    found["references"] = {
        name: {
            "auc": ranked.interval(name, "auc"),
            "average_precision": ranked.interval(name, "average_precision"),
            "difference": ranked.difference("human_need", name),
        }
        for name in beside
    }
    thresholds = [threshold_of(need, budget * days // 1000) for budget in BUDGETS]
    *budgets, at_line = _alerts(held, need, lead, [*thresholds, float(policy.document.candidates.line)])
    found["budgets"] = [
        msgspec.structs.replace(one, per_1000_customers_a_day=budget)
        for one, budget in zip(budgets, BUDGETS, strict=True)
    ]
    rate = 1000 * at_line.alerts / days if days else None
    found["policy_line"] = msgspec.structs.replace(at_line, per_1000_customers_a_day=rate)
    threshold = thresholds[BUDGETS.index(GROUPS_AT)]
    alerted = need >= (np.inf if threshold is None else threshold)
    groups = of_groups(held, alerted, lead, [row.record for row in rows], ("segment", *by))
    found["by"] = {"per_1000_customers_a_day": GROUPS_AT, "threshold": threshold, **groups}
    if compares:
        found["compare"] = {
            **ranked.measures("compared"),
            "difference": ranked.difference("human_need", "compared"),
        }
    elif not rows:
        found["compare"] = {}
    return found


def threshold_of(need: Vector, most: int) -> float | None:
    """The lowest threshold that gives at most so many alerts; None where every one gives more.

    >>> threshold_of(np.array([0.1, 0.9, 0.5, 0.5]), 2), threshold_of(np.array([0.5, 0.5]), 1)
    (0.9, None)
    """
    values, counts = np.unique(need, return_counts=True)
    alerts = np.cumsum(counts[::-1])
    fitting = int(np.searchsorted(alerts, most, side="right"))
    return float(values[::-1][fitting - 1]) if fitting else None


def _alerts(held: Rows, need: Vector, lead: Vector, thresholds: Sequence[float | None]) -> list[Alerts]:
    """What comes of each threshold; all on the same resamples."""
    lines = np.array([np.inf if one is None else one for one in thresholds])
    alerted = need[:, None] >= lines
    right = alerted & held.positive[:, None]
    bad = np.repeat(held.positive[:, None], len(lines), axis=1)
    samples = held.ratios(
        np.concatenate([right, right], axis=1).astype(np.float64),
        np.concatenate([alerted, bad], axis=1).astype(np.float64),
    )
    found = []
    for place, threshold in enumerate(thresholds):
        leads = lead[right[:, place] & ~np.isnan(lead)]
        quartiles = np.percentile(leads, (25, 50, 75)) if len(leads) else None
        found.append(
            Alerts(
                threshold,
                int(alerted[:, place].sum()),
                interval(samples[:, place]),
                interval(samples[:, len(lines) + place]),
                {name: None if quartiles is None else float(quartiles[at]) for at, name in _QUARTILES},
            )
        )
    return found


def _seconds(lead: int | None) -> float:
    return float("nan") if lead is None else lead / 1000
