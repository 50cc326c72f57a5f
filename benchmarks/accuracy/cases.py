"""Reopening: fitted on incidents opened before April, looked at in those opened later.

What is fitted was solved before the cut, so it was opened before it, and its outcome is what was known by
then. What is looked at was opened after the cut; what was opened before and solved after is in neither.
"""

from __future__ import annotations

from typing import Any

from benchmarks.accuracy.common import APRIL, DAY, INCIDENTS, Figures, Where, settings
from benchmarks.accuracy.scored import FLAGS, History, Known, fitted_to, proven
from detectors import policy as policies
from streams import calibrate
from streams.calibrate import Request, extra
from streams.calibrate.calibration import evaluated
from streams.calibrate.model import fitted
from streams.calibrate.parts import chosen, protected_names
from streams.calibrate.proof import proof
from streams.calibrate.reference import reference

__all__ = ["TARGET", "cases", "opened_later"]

TARGET = "reopen"
_SOURCE = "servicenow-incidents"


def cases(where: Where) -> Figures:
    """Additive without and with what is protected, boosting, counts and the built-in policy."""
    file, path = where.datasets / INCIDENTS, where.work / "cases.toml"
    report = calibrate.run(
        Request(
            settings=settings(),
            source=_SOURCE,
            files=(file,),
            target_text=TARGET,
            policy_out=path,
            until=APRIL,
        )
    )
    history = History(_SOURCE, file, TARGET, APRIL)
    later = opened_later(history)
    rows = history.kept(lambda ref: ref in later)
    fit = history.early()
    # As the fit: the last day's outcomes have not had the time to happen.
    fit = fit.at(fit.times < APRIL - DAY)
    names, others = chosen((), (), ()), chosen((), (), protected_names())
    with extra.one_thread():
        box = reference(fit, names, rows, DAY)
        open_ = fitted(TARGET, fit, others, (), DAY)
    policy = policies.parse(path.read_text("utf-8"))
    scores: dict[str, Any] = {
        "additive": evaluated(policy, TARGET, rows),
        "boosting": box.asked,
        "with_protected": open_.shapes.logits(open_.parts.codes(rows)),
    }
    return {
        "target": TARGET,
        "flag": FLAGS[TARGET],
        **fitted_to(report),
        "protected_out": [name for name in others if name not in names],
        "black_box": box.words,
        "boosted_rows": len(fit),
        **proven(proof(fit, rows, scores, names)),
        **history.tested(rows, path, ("priority",)),
    }


def opened_later(history: Known) -> set[tuple[str, str]]:
    """Decisions about cases of which the first that is told of lies after the cut."""
    first: dict[str | None, int] = {}
    for one in history.known:
        first.setdefault(one.data.case_id, one.time)
    return {one.ref for one in history.known if one.ref in history.later and first[one.data.case_id] >= APRIL}
