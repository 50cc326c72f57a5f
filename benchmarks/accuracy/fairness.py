"""Groups that mean nothing: how often a gap is called one where, by construction, there is none.

In simulated people a segment and a language are but names (docs/simulate.md): every finding is a false one.
"""

from __future__ import annotations

from typing import Any

from benchmarks.accuracy.common import Figures, Where, settings, share, simulate
from streams.backtest import run
from streams.targets.chance import LEVEL
from streams.targets.scoring import Asked
from streams.targets.spec import parse

__all__ = ["fairness"]

TARGET = "recontact=43200"
FIELDS = ("segment", "language")
PACKS = ("quiet-day", "outage", "billing-run")
# Of nothing else here.
SEEDS = (201, 202, 203, 204, 205)
CUSTOMERS = 2_000
HOURS = 48


def fairness(where: Where) -> Figures:
    """Each pack and seed a back-test of its own under the default policy, as a user would run it."""
    runs = []
    customers = where.size(CUSTOMERS)
    asked = Asked((parse(TARGET),), by=FIELDS)
    for pack in PACKS:
        for seed in SEEDS:
            path = simulate(where, pack, seed=seed, customers=customers, hours=HOURS)
            found = run(settings(), "cloudevents", [path], asked=asked)["targets"][TARGET]
            runs.append({"pack": pack, "seed": seed, **_one(found)})
    wrong = sum(bool(one["findings"]) for one in runs)
    return {
        "target": TARGET,
        "fields": list(FIELDS),
        "customers": customers,
        "hours": HOURS,
        "level": LEVEL,
        "runs": runs,
        "comparisons": sum(one["comparisons"] for one in runs),
        "findings": sum(len(one["findings"]) for one in runs),
        "runs_with_findings": wrong,
        "runs_share": share(wrong, len(runs)),
    }


def _one(found: dict[str, Any]) -> Figures:
    by = found["by"]
    return {
        "n": found["n"].value,
        "auc": found["auc"],
        "groups": len(by["groups"]),
        "comparisons": by["comparisons"],
        "findings": by["findings"],
    }
