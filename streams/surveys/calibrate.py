"""``rehuman calibrate --target survey``: the sections ``[survey_fit.ces]`` and the like, and a report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from detectors.declared import METRICS, Line
from streams.calibrate.common import base_policy, checked, joined, read, save
from streams.calibrate.request import Request
from streams.errors import OperationError
from streams.identity import Pseudonyms
from streams.sources.api import rfc3339
from streams.surveys import pictures
from streams.surveys.answers import Answer, gather
from streams.surveys.line import SMOOTH, WEIGHT, fit
from streams.surveys.report import divergence, worth

__all__ = ["run", "section", "short"]

# Without --holdout: the last of the answers, by time, show how reliable a line of the first ones is.
KEPT: Final = 0.3
SCALES: Final = {"ces": (1.0, 7.0), "csat": (1.0, 5.0), "nps": (0.0, 10.0)}


def run(request: Request, progress: Callable[[int, int], None] | None = None) -> dict[str, Any]:
    """Fit, write the policy, and give the report. Raises SettingError, OperationError, PolicyError."""
    checked(request, "survey")
    policy = base_policy(request.base)
    events, first, until = read(request)
    found, left = gather(events, policy, Pseudonyms.of(request.settings), progress)
    found = [one for one in found if one.time >= first]
    metrics = [name for name in METRICS if any(one.metric == name for one in found)]
    if not metrics:
        why = ", ".join(f"{count} {reason}" for reason, count in left.items()) or "there is none"
        raise OperationError(f"no answer of a survey can be used: {why}")
    lines: dict[str, tuple[Line, int]] = {}
    told: dict[str, Any] = {}
    for metric in metrics:
        answers = [one for one in found if one.metric == metric]
        before, kept = _split(answers, request.holdout)
        # What is kept apart by request stays apart; else it only shows what the way of fitting is worth.
        fitted = answers if request.holdout is None else before
        line = _fitted(fitted)
        lines[metric] = (line, len(fitted))
        told[metric] = {
            "answers": len(fitted),
            "customers": len({one.customer for one in fitted}),
            "prior_weighs": WEIGHT / (WEIGHT + len(fitted)),
            "line": [list(pair) for pair in zip(line.effort, line.value, strict=True)],
            "held_back": worth(_fitted(before), before, kept),
            "divergence": divergence(line, fitted),
        }
    report: dict[str, Any] = {
        "target": "survey",
        "policy_version": policy.version,
        "from": rfc3339(first),
        "until": rfc3339(until),
        "prior": {"answers": WEIGHT, "smoothing": SMOOTH},
        "left_out": left,
        "metrics": told,
    }
    report["words"] = [line for metric in metrics for line in words(metric, told[metric])]
    save(request, joined(policy, "survey_fit", section(lines)), report)
    if request.pictures is not None:
        pictures.lines(request.pictures / "surveys.svg", told)
    return report


def short(report: dict[str, Any]) -> list[str]:
    """What is printed."""
    left = [f"left out: {count} answers, {reason}" for reason, count in report["left_out"].items()]
    return [*left, *report["words"]]


def section(lines: dict[str, tuple[Line, int]]) -> str:
    """The sections' text."""
    found = ["# The expected answer, 0 (worst) to 1 (best), by effort; the prior weighs as so many answers."]
    for metric, (line, answers) in lines.items():
        values = ", ".join(f"{value:.4f}" for value in line.value)
        found += [
            f"[survey_fit.{metric}]",
            f"answers = {answers}",
            f"prior = {WEIGHT}",
            f"effort = [{', '.join(map(str, line.effort))}]",
            f"value = [{values}]",
        ]
    return "\n".join(found) + "\n"


def words(metric: str, told: dict[str, Any]) -> list[str]:
    """What was learned of one metric, and what it is worth."""
    low, high = SCALES[metric]
    corners = {effort: low + value * (high - low) for effort, value in told["line"]}
    ends = ", ".join(f"{corners[effort]:.1f} at effort {effort:g}" for effort in (0.0, 20.0, 60.0, 100.0))
    lines = [
        f"{metric}: {told['answers']} answers of {told['customers']} customers; the straight line weighs "
        f"{told['prior_weighs']:.0%}; expected {ends}"
    ]
    held = told["held_back"]
    if held["n"]:
        error = held["root_mean_square_error"]
        inside = sum(one["inside"] for one in held["reliability"])
        lines.append(
            f"{metric}: on {held['n']} later answers the error is {error['line'] * (high - low):.2f} points "
            f"(straight line {error['prior'] * (high - low):.2f}, always the mean "
            f"{error['mean'] * (high - low):.2f}); in {inside} of {len(held['reliability'])} parts what was "
            "expected lies in the interval of what was declared"
        )
    for one in told["divergence"]:
        if one["finding"]:
            side = "worse" if one["difference"] < 0 else "better"
            lines.append(
                f"{metric}: {one['journey']}/{one['step'] or '-'}: declared {side} than expected by "
                f"{abs(one['difference']) * (high - low):.1f} points ({one['n']} answers)"
            )
    return lines


def _split(answers: Sequence[Answer], holdout: int | None) -> tuple[list[Answer], list[Answer]]:
    """By time: those before, those kept apart."""
    ranked = sorted(answers, key=lambda one: (one.time, one.customer))
    if holdout is None:
        place = len(ranked) - int(KEPT * len(ranked))
        return ranked[:place], ranked[place:]
    return [one for one in ranked if one.time < holdout], [one for one in ranked if one.time >= holdout]


def _fitted(answers: Sequence[Answer]) -> Line:
    return fit([one.effort for one in answers], [one.value for one in answers])
