"""Surveys and channels, on simulated people: what a fit of the first days says of the days after."""

from __future__ import annotations

from typing import Any

from benchmarks.accuracy.common import DAY, Figures, Where, ms, settings, share, simulate
from streams import calibrate
from streams.calibrate import Request

__all__ = ["answers"]

PACK = "billing-run"
SEED = 300
CUSTOMERS = 6_000
DAYS = 21
# Of days. Whether a contact settled its matter is known a week later.
SPLIT = 11
_START = "2026-01-05"


def answers(where: Where) -> Figures:
    """Both fits, on one history."""
    customers = where.size(CUSTOMERS)
    history = simulate(where, PACK, seed=SEED, customers=customers, hours=24 * DAYS)
    found: dict[str, Any] = {}
    for target in ("survey", "channels"):
        request = Request(
            settings=settings(),
            source="cloudevents",
            files=(history,),
            target_text=target,
            policy_out=where.work / f"{target}.toml",
            holdout=ms(_START) + SPLIT * DAY,
        )
        found[target] = calibrate.run(request)
    return {
        "pack": PACK,
        "seed": SEED,
        "customers": customers,
        "days": DAYS,
        "split_day": SPLIT,
        "surveys": {name: _metric(told) for name, told in found["survey"]["metrics"].items()},
        "left_out": found["survey"]["left_out"],
        "channels": _channels(found["channels"]),
    }


def _metric(told: dict[str, Any]) -> Figures:
    """Of one metric of declared effort, what the fitted line is worth on later answers."""
    steps = told["divergence"]
    return {
        "answers": told["answers"],
        "held_back": told["held_back"],
        "steps": len(steps),
        "diverging": [step for step in steps if step["finding"]],
    }


def _channels(report: dict[str, Any]) -> Figures:
    """Each intent and channel with enough contacts: the share foretold, and the one that came."""
    rows = []
    minimum = report["minimum"]
    for intent, told in report["intents"].items():
        for channel, one in told["channels"].items():
            later = one.get("later_contacts", 0)
            if one["contacts"] < minimum or later < minimum:
                continue
            came = share(round(one["later_settled"] * later), later)
            rows.append(
                {
                    "intent": intent,
                    "channel": channel,
                    "contacts": one["contacts"],
                    "foretold": {"value": one["settled"], "low": one["low"], "high": one["high"]},
                    "later": later,
                    "came": came,
                    "agrees": one["low"] <= came["high"] and came["low"] <= one["high"],
                }
            )
    recommended = {intent: told["recommended"] for intent, told in report["intents"].items()}
    return {
        "window_days": report["window_days"],
        "minimum": minimum,
        "fitted": report["fitted"],
        "later": report["later"],
        "rows": rows,
        "recommended": {intent: channel for intent, channel in recommended.items() if channel},
        "not_known": sorted(intent for intent, channel in recommended.items() if not channel),
    }
