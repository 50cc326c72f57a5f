"""``rehuman calibrate --target abandon=SECONDS``: the section ``[hazard.KIND]``, fitted to past waits.

Everything is chosen on what came before the holdout: the ridge by time-ordered validation, the line of a
queue as the risk that a tenth of all looks exceed. What came after it is looked at once, for the report.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, log
from typing import Any, Final

import msgspec
import numpy as np

from detectors.policy import Policy
from detectors.policy_fitted import HazardRules
from detectors.policy_parts import Ms
from streams.calibrate.common import base_policy, joined, save
from streams.calibrate.extra import need
from streams.calibrate.request import Request
from streams.clock import wall_ms
from streams.errors import OperationError, SettingError
from streams.hazard.fitting import LEAST, fit, strength
from streams.hazard.foresight import foresight
from streams.hazard.periods import table
from streams.hazard.report import curves, held_back, looks_of, short, words
from streams.hazard.section import text_of
from streams.hazard.spells import KINDS, Progress, Spell, cut, spells
from streams.identity import Pseudonyms
from streams.sources.api import SourceCounts, SourceEvent, get_source
from streams.sources.files import read_merged
from streams.targets.spec import parse
from streams.ticks import under

__all__ = ["INTERVALS", "run", "short"]

# Seconds: a wait in a queue is short, a pause is not.
INTERVALS: Final = {"queue": 10.0, "form": 60.0, "cart": 60.0}
# Of all moments looked at in a queue, this share has a risk above the line.
_ABOVE: Final = 0.1
# Of a form or cart: more likely gone than not.
_GONE: Final = 0.5
_PROTECTED: Final = "priority"
_LONGEST: Final = 1_000


def run(request: Request, progress: Progress | None = None) -> dict[str, Any]:
    """Fit what ``request`` asks for, write the policy, and give the report."""
    ahead = _ahead(request)
    need(pictures=request.pictures is not None)
    base = base_policy(request.base)
    events = list(read_merged(get_source(request.source), request.files, SourceCounts()))
    names = Pseudonyms.of(request.settings)
    kind = request.wait
    history = cut(_read(kind, events, base, names, progress), request.start, request.until)
    train, held, said = _split(history, request.holdout)
    if sum(spell.left for spell in train) < LEAST or all(spell.left for spell in train):
        left = sum(spell.left for spell in train)
        raise OperationError(f"{left} of {len(train)} waits ({kind}) ended in leaving; too few to fit")
    protected = _PROTECTED in request.with_protected
    judged, validation = _fitted(request, train, ahead, base, protected=protected)
    # Where nothing was to be kept apart, the policy has the fit on all there is; it is told as the other one.
    rules = judged
    if request.holdout is None:
        rules, validation = _fitted(request, history, ahead, base, protected=protected)
    report: dict[str, Any] = {
        "title": f"{request.target_text}, {kind}: {said}",
        "target": request.target_text,
        "wait": kind,
        "protected": [_PROTECTED] if rules.protected else [],
        "means": _means(kind, rules),
        "fitted_on": _about(train if request.holdout is not None else history),
        "validation": validation,
        "learned": words(kind, rules),
        "line": rules.line,
        "may_leave": rules.may_leave,
        "curves": curves(kind, train),
    }
    if held:
        report["held_back"] = held_back(kind, judged, train, held, request.seed) | {"of": said}
        report["with_and_without_protected"] = _both(request, judged, train, held, ahead, base)
    fitted = joined(base, f"hazard.{kind}", text_of(kind, rules))
    if kind == "queue" and request.holdout is not None and held:
        later = [event for event in events if event.time >= request.holdout]
        timed = under(fitted, later, now_ms=wall_ms())
        report["foresight"] = foresight(timed, fitted, names, request.holdout)
    if request.pictures is not None and held:
        from streams.hazard.pictures import draw

        report["pictures"] = draw(request.pictures, kind, rules, report)
    save(request, fitted, report)
    return report


def _ahead(request: Request) -> int:
    """The risk's horizon in ms. Raises SettingError for what cannot be asked."""
    spec = parse(request.target_text)
    if spec.name != "abandon" or spec.seconds is None:
        raise SettingError("--target", repr(request.target_text), "abandon=SECONDS")
    if request.wait not in KINDS:
        raise SettingError("--wait", repr(request.wait), f"one of {', '.join(KINDS)}")
    most = int(INTERVALS[request.wait] * _LONGEST)
    if spec.seconds > most:
        raise SettingError("--target", repr(request.target_text), f"at most abandon={most}")
    given: dict[str, object] = {
        "--features": request.features,
        "--without": request.without,
        "--pair": request.pairs,
    }
    given |= {"--live": request.live, "--half-lives": request.half_lives}
    for option, found in given.items():
        if found:
            raise SettingError(option, "it with abandon", "it left out: a hazard has terms of its own")
    other = sorted(set(request.with_protected) - {_PROTECTED})
    if other or (request.with_protected and request.wait != "queue"):
        named = other[0] if other else _PROTECTED
        raise SettingError("--with-protected", repr(named), "priority, of a queue; a hazard knows no other")
    return spec.seconds * 1000


def _read(
    kind: str, events: Sequence[SourceEvent], base: Policy, names: Pseudonyms, progress: Progress | None
) -> list[Spell]:
    total = len(events)
    tell = None if progress is None else lambda done: progress(min(done, total), total)
    found = spells(kind, under(base, events, now_ms=wall_ms()), base, names, tell)
    if progress is not None:
        progress(total, total)
    return [spell for spell in found if spell.seconds > 0.0]


def _split(history: Sequence[Spell], holdout: int | None) -> tuple[list[Spell], list[Spell], str]:
    if holdout is not None:
        return cut(history, None, holdout), cut(history, holdout, None), "kept apart from the fit"
    return *_sixth(history), "the last sixth, by a fit on what came before it"


def _sixth(history: Sequence[Spell]) -> tuple[list[Spell], list[Spell]]:
    if not history:
        return [], []
    moment = history[len(history) * 5 // 6].began
    return cut(history, None, moment), cut(history, moment, None)


def _fitted(
    request: Request, train: Sequence[Spell], ahead: int, base: Policy, *, protected: bool
) -> tuple[HazardRules, list[dict[str, float]]]:
    """The section, its line and its log-odds; and how the ridge was chosen."""
    kind = request.wait
    interval = INTERVALS[kind]
    penalty, validation = strength(kind, train, interval, protected=protected)
    rules = fit(table(kind, train, interval), penalty, protected=protected)
    rules = msgspec.structs.replace(rules, target=request.target_text, ahead=Ms(ahead))
    line = _GONE
    if kind == "queue":
        line = float(np.quantile(looks_of(rules, train, kind).predicted, 1.0 - _ABOVE))
    # Alone, the factor lifts somebody of whom nothing else is known to the line of human need.
    need_line = min(max(base.line, 0.01), 0.99)
    lift = ceil(10 * (log(need_line / (1.0 - need_line)) - base.need_base)) / 10
    return msgspec.structs.replace(rules, line=round(line, 3), may_leave=max(lift, 0.0)), validation


def _both(
    request: Request,
    rules: HazardRules,
    train: Sequence[Spell],
    held: Sequence[Spell],
    ahead: int,
    base: Policy,
) -> dict[str, Any]:
    """Accuracy with and without the protected attribute, where the waits have it."""
    if request.wait != "queue" or len({spell.priority for spell in train}) < 2:
        return {}
    other, _ = _fitted(request, train, ahead, base, protected=not rules.protected)
    told = {}
    for which in (rules, other):
        found = held_back("queue", which, train, held, request.seed)
        said = {name: found[name] for name in ("log_loss", "tenths_right", "furthest")}
        told["with_priority" if which.protected else "without_priority"] = said
    return told


def _about(train: Sequence[Spell]) -> dict[str, Any]:
    return {
        "waits": len(train),
        "left": sum(spell.left for spell in train),
        "from": train[0].began,
        "to": train[-1].began,
        "announced": sum(spell.announced >= 0.0 for spell in train),
    }


def _means(kind: str, rules: HazardRules) -> str:
    if kind == "queue":
        return f"the probability of leaving within {rules.ahead // 1000} s, given still waiting"
    return "the probability that nothing more comes before the time-out, given so much inactivity"
