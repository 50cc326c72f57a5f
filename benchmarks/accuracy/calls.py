"""Calling back within the hour: fitted on the bank's first three weeks, looked at in its last."""

from __future__ import annotations

from benchmarks.accuracy.common import BANK, LAST_WEEK, Figures, Where, settings
from benchmarks.accuracy.scored import FLAGS, History, fitted_to, proven
from streams import calibrate
from streams.calibrate import Request

__all__ = ["TARGET", "calls"]

TARGET = "recontact=3600,max=30"
_SOURCE = "anonymous-bank"


def calls(where: Where) -> Figures:
    """The fit's own proof on the rows kept apart, and what alerts by the policy that it wrote would be."""
    policy, bank = where.work / "calls.toml", where.datasets / BANK
    report = calibrate.run(
        Request(
            settings=settings(),
            source=_SOURCE,
            files=(bank,),
            target_text=TARGET,
            policy_out=policy,
            holdout=LAST_WEEK,
        )
    )
    history = History(_SOURCE, bank, TARGET, LAST_WEEK)
    rows = history.kept(lambda ref: history.times[ref] >= LAST_WEEK)
    return {
        "target": TARGET,
        "flag": FLAGS[history.spec.name],
        **fitted_to(report),
        **proven(report["proof"]),
        **history.tested(rows, policy, ("priority",)),
    }
