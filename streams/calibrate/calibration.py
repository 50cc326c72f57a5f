"""One calibration from files to policy and report.

1. Fold the files once under the base policy, and take the features of the events that have a label.
   With ``--half-lives``, fold them under a few others of effort, too, and go on with those that foretell
   best.
2. Fit the rows before ``--holdout`` (or ``--until``), with labels that were known by then.
3. Write the section into the base policy's text, read the whole back, and only then save it.
4. Report with what was written: the policy's own log-odds of every row, and how well they foretold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from detectors.policy import Policy
from detectors.targets import logit
from streams.calibrate import extra, half_lives, report
from streams.calibrate.choose import DAY, folds_of
from streams.calibrate.common import base_policy, joined, save
from streams.calibrate.data import Rows, gather
from streams.calibrate.model import Model, fitted, validated
from streams.calibrate.parts import chosen, protected_names
from streams.calibrate.reference import reference
from streams.calibrate.request import Request
from streams.calibrate.section import Section, written
from streams.calibrate.shapes import Floats
from streams.errors import OperationError, SettingError
from streams.identity import Pseudonyms
from streams.sources.api import SourceCounts, SourceEvent, get_source, rfc3339
from streams.sources.files import read_merged
from streams.targets.labels import Label, labels
from streams.targets.spec import TargetSpec
from streams.targets.spec import parse as parse_target

__all__ = ["Fit", "History", "run", "short"]

short = report.short

# Below this a fit would learn names by heart.
LEAST_POSITIVES = 20
# The latest are fitted where there are more: a year ago things were different, and memory has an end.
MOST_ROWS = 200_000
_ALL = 2**62


class History(NamedTuple):
    """Rows to fit, and rows kept apart (none: no holdout). ``cut`` is the moment between them."""

    spec: TargetSpec
    fit: Rows
    apart: Rows | None
    gap: int


class Told(NamedTuple):
    """Events, and what came of them: ``known`` by the cut, and ``later`` by the end (none: no holdout)."""

    spec: TargetSpec
    events: list[SourceEvent]
    known: dict[tuple[str, str], Label]
    later: dict[tuple[str, str], Label]
    cut: int
    gap: int


class Questioned(NamedTuple):
    """The policy to fit under, the history under it, and the account of its half-lives."""

    policy: Policy
    history: History
    account: dict[str, Any]


class _Pace:
    """Progress over several folds of the same records."""

    def __init__(self, tell: Callable[[int, int], None] | None, folds: int) -> None:
        self._tell = tell
        self._folds = folds
        self._begun = 0

    def next(self) -> Callable[[int, int], None] | None:
        """What to tell the next fold's progress to."""
        tell, before = self._tell, self._begun
        self._begun += 1
        if tell is None:
            return None
        return lambda done, total: tell(before * total + done, self._folds * total)


class Fit(NamedTuple):
    """What was fitted and what was written of it."""

    model: Model
    section: Section
    policy: Policy


def run(request: Request, progress: Callable[[int, int], None] | None = None) -> dict[str, Any]:
    """Fit, write, report. Raises SettingError and OperationError as :func:`streams.calibrate.run`."""
    extra.need(pictures=request.pictures is not None)
    names = chosen(request.features, request.without, request.with_protected)
    for name in {name for pair in request.pairs for name in pair}:
        if name not in names:
            raise SettingError("--pair", repr(name), "two features that are fitted: " + ", ".join(names))
    base = base_policy(request.base)
    if request.half_lives:
        half_lives.check(base)
    told = _told(request)
    pace = _Pace(progress, half_lives.FOLDS if request.half_lives else 1)

    def fold(policy: Policy) -> History:
        asked = {**told.later, **told.known}
        pseudonyms = Pseudonyms.of(request.settings)
        rows = gather(told.spec.name, told.events, asked, policy, pseudonyms, pace.next())
        return _history(request, told, rows)

    history = fold(base)
    account = None
    with extra.one_thread():
        if request.half_lives:
            base, history, account = _questioned(base, told, history, fold)
        fit = _fit(request, base, history, names)
        found = report.made(request, history, names, fit, _logits(request, history, names, fit), account)
    save(request, fit.policy, found)
    if request.pictures is not None:
        report.drawn(request.pictures, history, fit, found)
    return found


def _told(request: Request) -> Told:
    spec = parse_target(request.target_text)
    source = get_source(request.source)
    events = list(read_merged(source, request.files, SourceCounts()))
    zone = getattr(source, "zone", "UTC")
    gap = max(DAY, 1000 * (spec.seconds or 0))
    # What was known by the cut is fitted; what is known by the end says how well.
    cut = request.until if request.holdout is None else request.holdout
    known = labels(spec, events, cut, zone=zone)
    later = {} if request.holdout is None else labels(spec, events, request.until, zone=zone)
    return Told(spec, events, known, later, _ALL if cut is None else cut, gap)


def _history(request: Request, told: Told, rows: Rows) -> History:
    spec, gap = told.spec, told.gap
    fit = rows.cut(told.known)
    end = told.cut
    if spec.seconds is None and len(fit):
        # Without a window the last day's outcomes have not had the time to happen.
        end = min(end, int(rows.times.max()) + 1) - gap
    fit = fit.at((fit.times >= (request.start or -_ALL)) & (fit.times < end))
    fit = fit.at(np.arange(max(0, len(fit) - MOST_ROWS), len(fit)))
    positives = int(fit.positive.sum())
    if positives < LEAST_POSITIVES or positives == len(fit):
        raise OperationError(
            f"--target {spec.text}: {positives} bad outcomes among {len(fit)} rows to fit; "
            f"at least {LEAST_POSITIVES}, and as many good ones, are needed"
        )
    if request.holdout is None:
        return History(spec, fit, None, gap)
    apart = rows.cut(told.later)
    apart = apart.at(apart.times >= request.holdout)
    if not apart.positive.any() or apart.positive.all():
        raise SettingError("--holdout", rfc3339(request.holdout), "a time after which both outcomes are seen")
    return History(spec, fit, apart, gap)


def _questioned(base: Policy, told: Told, history: History, fold: Callable[[Policy], History]) -> Questioned:
    """Under the half-lives of effort that foretell best, and the account of how they were found."""
    own = history.fit
    found = half_lives.search(
        base, told.spec.name, told.spec.text, told.gap, own, lambda policy: fold(policy).fit
    )
    if found.policy is base:
        return Questioned(base, history, found.account)
    anew = fold(found.policy)
    # What the report compares with is the policy as it was, half-lives and all.
    anew.fit.need = own.need
    if anew.apart is not None and history.apart is not None:
        anew.apart.need = history.apart.need
    return Questioned(found.policy, anew, found.account)


def _fit(request: Request, base: Policy, history: History, names: Sequence[str]) -> Fit:
    spec, rows = history.spec, history.fit
    model = fitted(spec.name, rows, names, request.pairs, history.gap, request.seed)
    section = written(
        spec.name,
        spec.text,
        sorted({str(kind) for kind in rows.types}),
        model.parts,
        model.shapes,
        model.codes,
        rows.positive.astype(float),
        live=request.live,
        protected=bool(request.with_protected),
        comment=_comment(rows),
    )
    return Fit(model, section, joined(base, f"targets.{spec.name}", section.text))


def _comment(rows: Rows) -> str:
    """What the numbers come from, beside them."""
    first, last = rfc3339(int(rows.times.min()))[:10], rfc3339(int(rows.times.max()))[:10]
    told = f"{len(rows):,} rows from {first} to {last}, {int(rows.positive.sum()):,} of them positive"
    return f"# Written by `rehuman calibrate`: {told}.\n"


def evaluated(policy: Policy, name: str, rows: Rows) -> Floats:
    """The log-odds that the policy itself gives to rows."""
    target = policy.targets[name]
    numbers, texts = rows.numbers.tolist(), rows.labels.tolist()
    return np.array([logit(target, *one) for one in zip(numbers, texts, strict=True)], float)


def _logits(request: Request, history: History, names: Sequence[str], fit: Fit) -> report.Logits:
    """All that the report compares, on the same rows."""
    spec, rows, apart = history.spec, history.fit, history.apart
    box = reference(rows, names, apart, history.gap, request.seed)
    # The other way round: with what is protected where it was left out, without where it was used.
    hidden = protected_names()
    if request.with_protected:
        others = [name for name in names if name not in hidden]
    else:
        others = chosen(request.features, request.without, hidden)
    folds = folds_of(spec.name, rows, others, request.pairs, history.gap)
    choice = fit.model.chosen.choice
    own = evaluated(fit.policy, spec.name, rows)
    if apart is None:
        places = fit.model.chosen.places
        looked = {
            "additive": fit.model.chosen.logits,
            "boosting": box.looked,
            "other": validated(folds, choice, request.seed) if folds else np.zeros(0),
        }
        return report.Logits(own, rows.at(places), looked, box.words, others)
    other = fitted(spec.name, rows, others, request.pairs, history.gap, request.seed, choice)
    looked = {
        "additive": evaluated(fit.policy, spec.name, apart),
        "boosting": box.asked if box.asked is not None else np.zeros(0),
        "other": other.shapes.logits(other.parts.codes(apart)),
    }
    return report.Logits(own, apart, looked, box.words, others)
