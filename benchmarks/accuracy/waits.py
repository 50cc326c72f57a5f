"""Giving up while waiting: the hazard fitted on the bank's first three weeks, looked at in its last."""

from __future__ import annotations

from benchmarks.accuracy.common import BANK, Figures, Where, ms, settings
from streams import calibrate
from streams.calibrate import Request

__all__ = ["SPLIT", "TARGET", "waits"]

TARGET = "abandon=60"
SPLIT = "1999-02-22"
_PARTS = ("fitted_on", "line", "held_back", "with_and_without_protected", "foresight")


def waits(where: Where) -> Figures:
    """The report of the fit, without what it says of itself."""
    request = Request(
        settings=settings(),
        source="anonymous-bank",
        files=(where.datasets / BANK,),
        target_text=TARGET,
        policy_out=where.work / "waits.toml",
        holdout=ms(SPLIT),
    )
    report = calibrate.run(request)
    return {"target": TARGET, "split": SPLIT, **{name: report[name] for name in _PARTS}}
