"""Pictures of a fitted hazard, as SVG: the same numbers give the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from detectors.policy_model import HazardRules

__all__ = ["draw"]


def draw(directory: Path, kind: str, rules: HazardRules, report: dict[str, Any]) -> list[str]:
    """Draw what ``report`` tells into ``directory``, and say which files."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    directory.mkdir(parents=True, exist_ok=True)
    drawn = {"reliability": _reliability, "shapes": _shapes, "waits": _waits}
    if kind == "queue":
        drawn["patience"] = _patience
    names = []
    with mpl.rc_context({"svg.hashsalt": "rehuman", "axes.spines.top": False, "axes.spines.right": False}):
        for name, paint in drawn.items():
            figure = paint(pyplot, kind, rules, report)
            file = f"hazard-{kind}-{name}.svg"
            figure.savefig(directory / file, metadata={"Date": None}, bbox_inches="tight")
            pyplot.close(figure)
            names.append(file)
    return names


def _reliability(plot: Any, kind: str, rules: HazardRules, report: dict[str, Any]) -> Any:
    groups = report["held_back"]["reliability"]
    figure, axes = plot.subplots(figsize=(5, 5))
    x = [group["predicted"] for group in groups]
    y = [group["observed"] for group in groups]
    spread = [[group["observed"] - group["low"] for group in groups]]
    spread.append([group["high"] - group["observed"] for group in groups])
    most = 1.1 * max([*x, *(group["high"] for group in groups), 0.01])
    axes.plot([0, most], [0, most], color="grey", linewidth=1)
    axes.errorbar(x, y, yerr=spread, fmt="o", capsize=3)
    axes.set_xlabel("foretold risk, mean of a tenth")
    axes.set_ylabel("what came, with 95 % interval")
    axes.set_title(report["title"])
    return figure


def _shapes(plot: Any, kind: str, rules: HazardRules, report: dict[str, Any]) -> Any:
    figure, rows = plot.subplots(1, 3, figsize=(13, 4))
    steps = [0.0, *rules.wait.edges, (rules.wait.edges or [60.0])[-1] * 1.2]
    rows[0].stairs(rules.wait.log_odds, steps, baseline=None)
    rows[0].set_xlabel("seconds so far")
    rows[0].set_ylabel("log-odds")
    if rules.hour is not None:
        rows[1].stairs(rules.hour.log_odds, [0.0, *rules.hour.edges, 24.0], baseline=None)
    rows[1].set_xlabel("hour of day")
    labels = [
        (name or "none", odds) for part in rules.labels.values() for name, odds in part.log_odds.items()
    ]
    labels.sort(key=lambda entry: entry[1])
    rows[2].barh([name for name, _ in labels[-20:]], [odds for _, odds in labels[-20:]])
    rows[2].set_xlabel("log-odds")
    return figure


def _waits(plot: Any, kind: str, rules: HazardRules, report: dict[str, Any]) -> Any:
    """The hazard beside the raw share, which depends on how fast the others were answered."""
    rows = report["curves"]["by_wait"]
    figure, axes = plot.subplots(figsize=(7, 4))
    axes.set_xlabel("seconds so far")
    if kind != "queue":
        axes.plot([row["from_s"] for row in rows], [row["share"] for row in rows], marker="o")
        axes.set_ylabel("nothing more came")
        return figure
    middle = [(row["from_s"] + row["to_s"]) / 2 for row in rows]
    hazard = [row["hazard_per_minute"] for row in rows]
    spread = [[h - row["low"] for h, row in zip(hazard, rows, strict=True)]]
    spread.append([row["high"] - h for h, row in zip(hazard, rows, strict=True)])
    axes.errorbar(middle, hazard, yerr=spread, marker="o", capsize=3, label="hazard: leavers a waited minute")
    shares = [float("nan") if row["raw_share"] is None else row["raw_share"] for row in rows]
    axes.plot(middle, shares, marker="s", linestyle="--", label="raw share of the waits that ended then")
    axes.set_ylim(bottom=0.0)
    axes.legend()
    return figure


def _patience(plot: Any, kind: str, rules: HazardRules, report: dict[str, Any]) -> Any:
    figure, axes = plot.subplots(figsize=(7, 4))
    points = report["curves"]["kaplan_meier"]
    axes.step([at for at, _ in points], [stay for _, stay in points], where="post")
    axes.set_ylim(0.0, 1.0)
    axes.set_xlabel("seconds")
    axes.set_ylabel("would still wait if nobody were answered (Kaplan-Meier)")
    return figure
