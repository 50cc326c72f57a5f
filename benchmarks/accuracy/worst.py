"""Where the score fails, picked by rule from the figures: nobody chooses what is shown here.

>>> classes = {"forced": {"truth": 30, "found": 40, "precision": {"value": 0.5}, "recall": {"value": 0.9}}}
>>> list(_recalls("outage", "switches", classes)), list(_precisions("outage", "switches", classes))
([(0.9, 'outage, switches, forced', 30)], [(0.5, 'outage, switches, forced', 40)])
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.accuracy.common import Figures
from benchmarks.accuracy.render_people import questions
from benchmarks.accuracy.words import count, figure, name, percent, plain, table

__all__ = ["worst"]

#: Cases that a class must have to be told of, and how many of each kind are.
LEAST = 20
MOST = 6
_TARGETS = ("calls", "cases")
Ranked = tuple[float, str, int]


def worst(figures: Figures) -> Iterator[str]:
    """The section."""
    yield "## Where the score fails"
    yield ""
    yield (
        f"Picked by rule from the figures below (`benchmarks/accuracy/worst.py`): whatever is not ahead of what "
        f"it is compared with; the {MOST} lowest recalls and precisions of classes with {LEAST} cases or more; "
        f"the {MOST} tenths in which what was foretold is furthest outside the interval of what came; alerts "
        "of which fewer than half are right; and every gap between groups of real data."
    )
    yield ""
    yield from _bulleted("Not ahead by more than chance", _not_ahead(figures))
    if people := figures.get("people"):
        lowest: dict[str, list[Ranked]] = {"recall": [], "precision": []}
        for pack, question, one in questions(people):
            lowest["recall"] += _recalls(f"`{pack}`", question, one["classes"])
            lowest["precision"] += _precisions(f"`{pack}`", question, one["classes"])
        for measure, cases in lowest.items():
            yield f"The lowest {measure}s on simulated people:"
            yield ""
            rows = [[what, plain(value), count(n)] for value, what, n in sorted(cases)[:MOST]]
            yield from table(["class", measure, "cases"], rows)
            yield ""
    off = sorted(_off(figures), reverse=True)
    told = [f"{what}, {count(n)} rows: off by {100 * gap:.1f} points" for gap, what, n in off[:MOST]]
    yield from _bulleted(f"Foretold outside the interval of what came, in {len(off)} tenths or parts", told)
    yield from _bulleted("Fewer than half of the alerts are right", _false_alarms(figures))
    gaps = sum(len(figures[key]["alerts"]["by"]["findings"]) for key in _TARGETS if key in figures)
    yield f"Gaps between groups of real data: {gaps}, told [below](#fairness)."
    yield ""


def _bulleted(title: str, lines: Any) -> Iterator[str]:
    told = list(lines)
    yield f"{title}:" if told else f"{title}: none."
    yield ""
    for line in told:
        yield f"* {line}"
    if told:
        yield ""


def _not_ahead(figures: Figures) -> Iterator[str]:
    for key in _TARGETS:
        if key not in figures:
            continue
        one = figures[key]
        pairs = {score: gap for score, gap in one["ahead"].items() if score != "with_protected"}
        pairs |= {score: of["difference"] for score, of in one["alerts"]["counts"].items()}
        pairs |= {f"feature `{score}`": of["difference"] for score, of in one["singles"].items()}
        for score, gap in pairs.items():
            if gap["low"] is not None and gap["low"] <= 0:
                yield f"`{one['target']}`, additive less {name(score)}, AUC: {figure(gap)}"
        gap = one["default"]["counts"][one["flag"]]["difference"]
        if gap["low"] is not None and gap["low"] <= 0:
            yield f"`{one['target']}`, the built-in policy less {name(one['flag'])}, AUC: {figure(gap)}"
    if people := figures.get("people"):
        for pack, question, found in questions(people):
            ahead = found["ahead"]
            if ahead["low"] is not None and ahead["low"] <= 0:
                yield f"`{pack}`, {question}, less always the commonest class: {figure(ahead)}"
    if waits := figures.get("waits"):
        for label, found in waits["held_back"]["by_label"].items():
            if found["log_loss"] >= found["log_loss_constant"]:
                yield (
                    f"queue `{label}`, log-loss {plain(found['log_loss'], 4)}, a constant rate's "
                    f"{plain(found['log_loss_constant'], 4)} ({count(found['waits'])} waits)"
                )


def _recalls(pack: str, question: str, classes: Mapping[str, Any]) -> Iterator[Ranked]:
    for kind, one in classes.items():
        if kind and one["truth"] >= LEAST:
            yield one["recall"]["value"], f"{pack}, {question}, {name(kind)}", one["truth"]


def _precisions(pack: str, question: str, classes: Mapping[str, Any]) -> Iterator[Ranked]:
    for kind, one in classes.items():
        if kind and one["found"] >= LEAST:
            yield one["precision"]["value"], f"{pack}, {question}, {name(kind)}", one["found"]


def _off(figures: Figures) -> Iterator[Ranked]:
    """Every part of a reliability curve in which what was foretold is outside the interval of what came."""
    for what, foretold, came, n in _parts(figures):
        if came["low"] is not None and not came["low"] <= foretold <= came["high"]:
            yield abs(foretold - came["value"]), what, n


def _parts(figures: Figures) -> Iterator[tuple[str, float, Mapping[str, Any], int]]:
    for key in _TARGETS:
        for at, one in enumerate(figures.get(key, {}).get("reliability", ()), 1):
            yield f"`{figures[key]['target']}`, tenth {at}", one["predicted"], one["observed"], one["n"]
    for one in figures.get("waits", {}).get("held_back", {}).get("reliability", ()):
        came = {"value": one["observed"], "low": one["low"], "high": one["high"]}
        yield f"risk of the next minute, tenth {one['group']}", one["predicted"], came, one["looks"]
    for label, one in figures.get("waits", {}).get("held_back", {}).get("by_label", {}).items():
        came = {"value": one["observed"], "low": one["low"], "high": one["high"]}
        yield f"risk of the next minute, queue `{label}`", one["predicted"], came, one["looks"]
    for pack, found in figures.get("people", {}).get("packs", {}).items():
        for key in ("silent_probability", "human_needed"):
            for at, one in enumerate(found[key]["reliability"], 1):
                yield f"`{pack}`, {name(key)}, part {at}", one["score"], one["share"], one["rows"]
    for metric, found in figures.get("answers", {}).get("surveys", {}).items():
        for at, one in enumerate(found["held_back"].get("reliability", ()), 1):
            came = {"value": one["declared"], "low": one["low"], "high": one["high"]}
            yield f"survey `{metric}`, part {at}", one["expected"], came, one["n"]


def _false_alarms(figures: Figures) -> Iterator[str]:
    for key in _TARGETS:
        if key not in figures:
            continue
        one = figures[key]["alerts"]
        for budget in (*one["budgets"], one["policy_line"]):
            precision = budget["precision"]
            if precision["value"] is not None and precision["value"] < 0.5:
                where = "the policy's line" if budget is one["policy_line"] else _budget(budget)
                yield f"`{figures[key]['target']}`, {where}: {percent(precision)} of {count(budget['alerts'])}"
    if waits := figures.get("waits"):
        share = waits["foresight"]["right_share"]
        if share["value"] is not None and share["value"] < 0.5:
            yield f"callers named before they hang up: {percent(share)} of those named"


def _budget(budget: Mapping[str, Any]) -> str:
    return f"{count(budget['per_1000_customers_a_day'])} alerts for each 1,000 customers a day"
