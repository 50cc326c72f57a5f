"""How the card writes a figure and a table.

>>> figure({"value": 0.8123, "low": 0.79, "high": 0.834}), figure({"value": None, "low": None, "high": None})
('0.812 (0.790 to 0.834)', 'not known')
>>> print("\\n".join(table(["what", "n"], [["calls", count(2533)]])))
| what | n |
|---|---|
| calls | 2,533 |
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

__all__ = ["LEVELS", "NAMES", "count", "figure", "name", "percent", "plain", "span", "table"]

#: How scores and measures are called.
NAMES = {
    "additive": "additive, `rehuman calibrate`",
    "boosting": "gradient boosting, the same features",
    "with_protected": "additive, with what is protected",
    "policy_before": "the built-in policy, uncalibrated",
    "gave_up": "the hang-up flag alone",
    "updates": "the count of updates alone",
    "contacts": "the count of contacts alone",
    "reassignments": "the count of reassignments alone",
    "alert_rate": "share alerted",
    "mean_lead_s": "mean lead time (s)",
    "false_alarm_rate": "share of good outcomes alerted",
    "mean_wait_s": "mean wait (s)",
    "base_rate": "share of bad outcomes",
}
LEVELS = ("none", "watch", "offer_help", "offer_human", "human_now")


def name(key: str) -> str:
    """Of a score, measure or class."""
    return NAMES.get(key, key.replace("_", " "))


def plain(value: float | None, places: int = 3) -> str:
    """A number of which there is no interval."""
    return "not known" if value is None else f"{value:.{places}f}"


def count(value: float | None) -> str:
    """A whole number."""
    return "0" if value is None else f"{round(value):,}"


def figure(found: dict[str, Any], places: int = 3) -> str:
    """A figure with its interval."""
    if found["value"] is None:
        return "not known"
    return f"{found['value']:.{places}f}{_interval(found, places)}"


def percent(found: dict[str, Any]) -> str:
    """A share with its interval.

    >>> percent({"value": 0.5, "low": 0.404, "high": 0.6})
    '50 % (40 to 60)'
    >>> percent({"value": 0.0102, "low": 0.0071, "high": 0.0137})
    '1.0 % (0.7 to 1.4)'
    """
    if found["value"] is None:
        return "not known"
    hundred = {key: None if found[key] is None else 100 * found[key] for key in ("low", "high")}
    places = 0 if found["value"] in (0, 1) or found["value"] >= 0.1 else 1
    return f"{100 * found['value']:.{places}f} %{_interval(hundred, places)}"


def _interval(found: dict[str, Any], places: int) -> str:
    if found["low"] is None or found["high"] is None:
        return ""
    return f" ({found['low']:.{places}f} to {found['high']:.{places}f})"


def span(seconds: float | None) -> str:
    """A time that people can read.

    >>> span(45.0), span(600.0), span(90_000.0)
    ('45 s', '10 min', '25 h')
    """
    if seconds is None:
        return "not known"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7_200 else f"{seconds / 3600:.0f} h"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table of Markdown."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return lines + [f"| {' | '.join(row)} |" for row in rows]
