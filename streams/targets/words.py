"""The report's figures about targets as short lines for people.

>>> figure({"value": 0.7123, "low": 0.69, "high": 0.7345}, 3)
'0.712 (0.690 to 0.735)'
>>> figure({"value": 0.1, "low": None, "high": None}, 0, 100, " %")
'10 %'
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

__all__ = ["figure", "lines"]

_NAMES: Final = {
    "alert_rate": "share that is alerted",
    "precision": "precision",
    "recall": "recall",
    "mean_lead_s": "mean lead time, s",
    "false_alarm_rate": "share of good outcomes that is alerted",
    "mean_wait_s": "mean wait, s",
    "base_rate": "share of bad outcomes",
}
_SHARES: Final = frozenset(["alert_rate", "precision", "recall", "false_alarm_rate", "base_rate"])


def lines(part: str, found: Any) -> Iterator[str]:
    """Of the report's ``targets`` or ``declared``."""
    plain = msgspec.to_builtins(found)
    if part == "declared":
        yield from _declared(plain)
        return
    for text, one in plain.items():
        yield from (f"{text}: {line}" for line in _target(one))


def figure(found: dict[str, Any], places: int, times: float = 1.0, unit: str = "") -> str:
    """A figure and its interval."""
    if found["value"] is None:
        return "not known"
    value = f"{times * found['value']:.{places}f}"
    if found["low"] is None:
        return value + unit
    return f"{value} ({times * found['low']:.{places}f} to {times * found['high']:.{places}f}){unit}"


def _target(one: dict[str, Any]) -> Iterator[str]:
    rows, left = int(one["n"]["value"] or 0), one["not_scored"]
    yield f"human need of [{one['section']}], {rows} rows, {one['customers']} customers" + (
        f"; {left} more were not scored" if left else ""
    )
    if not rows:
        return
    yield f"AUC {figure(one['auc'], 3)}, average precision {figure(one['average_precision'], 3)}"
    yield f"Brier {figure(one['brier'], 4)}, base rate {figure(one['base_rate'], 1, 100, ' %')}"
    for name, reference in one["references"].items():
        gap = reference["difference"]["auc"]
        yield f"AUC of {name} {figure(reference['auc'], 3)}; human need is ahead by {figure(gap, 3)}"
    if one.get("compare"):
        other = one["compare"]
        yield (
            f"AUC of policy {other['policy_version']} to compare with {figure(other['auc'], 3)};"
            f" this one is ahead by {figure(other['difference']['auc'], 3)}"
        )
    for budget in one["budgets"]:
        yield f"{budget['per_1000_customers_a_day']} alerts per 1,000 customers a day: {_alerts(budget)}"
    yield f"at the policy's own line: {_alerts(one['policy_line'])}"
    by = one["by"]
    yield f"groups with {by['least_cases']} cases or more: {len(by['groups'])}, gaps: {len(by['findings'])}"
    for gap in by["findings"]:
        share = gap["measure"] in _SHARES
        times, unit = (100, " %") if share else (1, "")
        yield (
            f"gap: {gap['field']} {gap['value']}, {_NAMES[gap['measure']]}: {times * gap['group']:.1f}{unit},"
            f" the others {times * gap['rest']:.1f}{unit} (p {gap['p']:.2g})"
        )


def _alerts(found: dict[str, Any]) -> str:
    if found["threshold"] is None:
        return "none; too many scores are equal, or there are too few customers"
    lead = found["lead_s"]
    told = f"from {found['threshold']:.3f}: {found['alerts']}"
    if found["alerts"]:
        told += f", precision {figure(found['precision'], 0, 100, ' %')}"
    told += f", recall {figure(found['recall'], 0, 100, ' %')}"
    if lead["median"] is None:
        return told
    return told + f", lead {lead['median']:.0f} s ({lead['quarter']:.0f} to {lead['three_quarters']:.0f})"


def _declared(found: dict[str, Any]) -> Iterator[str]:
    if not found["answers"]:
        return
    yield f"declared: {found['answers']} answers, {found['without_effort']} of them without effort to compare"
    for one in found["metrics"]:
        yield (
            f"declared: {one['metric']} {figure(one['declared'], 2)}, inferred {figure(one['inferred'], 2)}"
            " (1 to 7, 7 is easy)"
        )
    for one in found["findings"]:
        gap = one["difference"]
        how = "harder" if gap["value"] < 0 else "easier"
        yield (
            f"declared: {one['metric']} at {one['journey']}/{one['step'] or '-'}: {how} than inferred by"
            f" {abs(gap['value']):.2f} ({one['answers']} answers, p {one['p']:.2g})"
        )
