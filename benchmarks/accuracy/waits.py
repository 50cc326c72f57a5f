"""Giving up while waiting: the hazard fitted on the bank's first three weeks, looked at in its last."""

from __future__ import annotations

from benchmarks.accuracy.common import BANK, LAST_WEEK, Figures, Where, settings, share
from streams import calibrate
from streams.calibrate import Request

__all__ = ["TARGET", "waits"]

TARGET = "abandon=60"
_PARTS = ("fitted_on", "line", "held_back", "with_and_without_protected", "foresight")


def waits(where: Where) -> Figures:
    """The report of the fit, without what it says of itself."""
    request = Request(
        settings=settings(),
        source="anonymous-bank",
        files=(where.datasets / BANK,),
        target_text=TARGET,
        policy_out=where.work / "waits.toml",
        holdout=LAST_WEEK,
    )
    report = calibrate.run(request)
    found: Figures = {"target": TARGET, **{name: report[name] for name in _PARTS}}
    seen = dict(found["foresight"])
    right = seen["hang_ups_named_before"]
    seen["named_share"] = share(right, seen["hang_ups"])
    seen["right_share"] = share(right, right + seen["named_in_vain"])
    return found | {"foresight": seen}
