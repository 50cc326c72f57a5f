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
# Nothing found, and nothing known.
_NO_CLASS = frozenset(["", "unknown"])
Ranked = tuple[float, str, int]


def worst(figures: Figures) -> Iterator[str]:
    """The section."""
    yield "## Where the score fails"
    yield ""
    yield (
        "Picked by rule from the figures below (`benchmarks/accuracy/worst.py`): whatever is not "
        "ahead of what "
        f"it is compared with; the {MOST} lowest recalls and precisions of classes with {LEAST} cases "
        "or more; "
        "of each reliability curve the part in which what was foretold is furthest outside the "
        "interval of what "
        "came; alerts of which fewer than half are right; and every gap between groups of real data."
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
    off = list(_off(figures))
    furthest: dict[str, tuple[float, str, int]] = {}
    for curve, gap, part, n in off:
        furthest[curve] = max(furthest.get(curve, (0.0, "", 0)), (gap, part, n))
    told = [
        f"{curve}, {part} ({count(n)} rows): off by {100 * gap:.1f} points"
        for curve, (gap, part, n) in sorted(furthest.items(), key=lambda entry: -entry[1][0])
    ]
    outside = f"{len(off)} of {sum(1 for _ in _parts(figures))} parts of {len(_curves(figures))} curves"
    yield from _bulleted(f"Foretold outside the interval of what came, in {outside}", told)
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
        if kind not in _NO_CLASS and one["truth"] >= LEAST:
            yield one["recall"]["value"], f"{pack}, {question}, {name(kind)}", one["truth"]


def _precisions(pack: str, question: str, classes: Mapping[str, Any]) -> Iterator[Ranked]:
    for kind, one in classes.items():
        if kind not in _NO_CLASS and one["found"] >= LEAST:
            yield one["precision"]["value"], f"{pack}, {question}, {name(kind)}", one["found"]


def _curves(figures: Figures) -> set[str]:
    return {curve for curve, *_ in _parts(figures)}


def _off(figures: Figures) -> Iterator[tuple[str, float, str, int]]:
    """Every part of a reliability curve in which what was foretold is outside the interval of what came."""
    for curve, part, foretold, came, n in _parts(figures):
        if came["low"] is not None and not came["low"] <= foretold <= came["high"]:
            yield curve, abs(foretold - came["value"]), part, n


def _parts(figures: Figures) -> Iterator[tuple[str, str, float, Mapping[str, Any], int]]:
    for key in _TARGETS:
        for at, one in enumerate(figures.get(key, {}).get("reliability", ()), 1):
            yield f"`{figures[key]['target']}`", f"part {at}", one["predicted"], one["observed"], one["n"]
    held = figures.get("waits", {}).get("held_back", {})
    for one in held.get("reliability", ()):
        yield "risk of the next minute", f"tenth {one['group']}", one["predicted"], _came(one), one["looks"]
    for label, one in held.get("by_label", {}).items():
        part = f"queue `{label}`"
        yield "risk of the next minute by queue", part, one["predicted"], _came(one), one["looks"]
    for pack, found in figures.get("people", {}).get("packs", {}).items():
        for key in ("silent_probability", "human_needed"):
            for at, one in enumerate(found[key]["reliability"], 1):
                yield f"`{pack}`, {name(key)}", f"part {at}", one["score"], one["share"], one["rows"]
    for metric, found in figures.get("answers", {}).get("surveys", {}).items():
        for at, one in enumerate(found["held_back"].get("reliability", ()), 1):
            yield f"survey `{metric}`", f"part {at}", one["expected"], _came(one, "declared"), one["n"]


def _came(one: Mapping[str, Any], key: str = "observed") -> Figures:
    return {"value": one[key], "low": one["low"], "high": one["high"]}


def _false_alarms(figures: Figures) -> Iterator[str]:
    for key in _TARGETS:
        if key not in figures:
            continue
        one = figures[key]["alerts"]
        for budget in (*one["budgets"], one["policy_line"]):
            precision = budget["precision"]
            if precision["value"] is not None and precision["value"] < 0.5:
                where = "the policy's line" if budget is one["policy_line"] else _budget(budget)
                of = count(budget["alerts"])
                yield f"`{figures[key]['target']}`, {where}: {percent(precision)} of {of}"
    if waits := figures.get("waits"):
        share = waits["foresight"]["right_share"]
        if share["value"] is not None and share["value"] < 0.5:
            yield f"callers named before they hang up: {percent(share)} of those named"


def _budget(budget: Mapping[str, Any]) -> str:
    return f"{count(budget['per_1000_customers_a_day'])} alerts for each 1,000 customers a day"
