"""Reopening: fitted on incidents opened before April, looked at in those opened later.

What is fitted was solved before the cut, so it was opened before it, and its outcome is what was known by
then. What is looked at was opened after the cut; what was opened before and solved after is in neither.
"""

from __future__ import annotations

from typing import Any

from benchmarks.accuracy.common import APRIL, DAY, INCIDENTS, Figures, Where, settings
from benchmarks.accuracy.scored import FLAGS, History, Known, fitted_to, logits, proven
from detectors import policy as policies
from streams import calibrate
from streams.calibrate import Request
from streams.calibrate.parts import chosen, protected_names
from streams.calibrate.proof import proof
from streams.calibrate.reference import reference

__all__ = ["TARGET", "cases", "opened_later"]

TARGET = "reopen"
_SOURCE = "servicenow-incidents"


def cases(where: Where) -> Figures:
    """Additive without and with what is protected, boosting, counts and the built-in policy."""
    from threadpoolctl import threadpool_limits

    file = where.datasets / INCIDENTS
    reports, paths = [], []
    for number, protected in enumerate(((), tuple(protected_names()))):
        paths.append(where.work / f"cases-{number}.toml")
        request = Request(
            settings=settings(),
            source=_SOURCE,
            files=(file,),
            target_text=TARGET,
            policy_out=paths[-1],
            until=APRIL,
            with_protected=protected,
        )
        reports.append(calibrate.run(request))
    history = History(_SOURCE, file, TARGET, APRIL)
    later = opened_later(history)
    rows = history.kept(lambda ref: ref in later)
    fit = history.early()
    # As the fit: the last day's outcomes have not had the time to happen.
    fit = fit.at(fit.times < APRIL - DAY)
    names = chosen((), (), ())
    with threadpool_limits(limits=1):
        box = reference(fit, names, rows, DAY)
    scores: dict[str, Any] = {
        name: logits(policies.parse(path.read_text("utf-8")), TARGET, rows)
        for name, path in zip(("additive", "with_protected"), paths, strict=True)
    }
    return {
        "target": TARGET,
        "flag": FLAGS[TARGET],
        **fitted_to(reports[0]),
        "black_box": box.words,
        "boosted_rows": len(fit),
        **proven(proof(fit, rows, scores | {"boosting": box.asked}, names)),
        **history.tested(rows, paths[0], ("priority",)),
    }


def opened_later(history: Known) -> set[tuple[str, str]]:
    """Decisions about cases of which the first that is told of lies after the cut."""
    first: dict[str | None, int] = {}
    for one in history.known:
        first.setdefault(one.data.case_id, one.time)
    return {one.ref for one in history.known if one.ref in history.later and first[one.data.case_id] >= APRIL}
