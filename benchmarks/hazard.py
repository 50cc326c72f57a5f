"""The next-minute risk of leaving on waits that were kept apart: is it right, and what would it have done?

``python -m benchmarks.hazard`` fits ``[hazard.queue]`` on the first three weeks of the bank's February and
looks at the last one once: reliability by tenths, log-loss beside a constant rate's, by queue, with and
without the bank's priority, and who would have been named before they hung up. ``--simulated`` does the same
for forms and carts of ``rehuman simulate``: no public set has them, and what is measured there holds for
simulated people. It fails where a tenth is further off than 3 points and outside its 95 % interval, or the
log-loss is no lower.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from detectors import BUILD
from streams.calibrate.request import Request
from streams.cli.progress import progress
from streams.hazard.calibrate import run
from streams.settings import load
from streams.simulate.parameters import load as pack
from streams.simulate.write import write
from tests.sources.datasets import paths

__all__ = ["main", "table", "verdict"]

# Monday, 22 February 1999, in Jerusalem: three weeks before it, one from it on.
LAST_WEEK = 919_634_400_000
# Nothing was tuned on this one.
SEED = 20
START = 1_767_571_200_000


def verdict(report: dict[str, Any]) -> list[str]:
    """What is not as it must be; nothing if all is well."""
    held = report["held_back"]
    wrong = [
        f"tenth {group['group']}: foretold {group['predicted']:.3f}, observed {group['observed']:.3f}"
        for group in held["reliability"]
        if not group["within_3_points"] and not group["within_interval"]
    ]
    losses = held["log_loss"]
    if losses["fitted"] >= losses["constant"]:
        wrong.append(f"log-loss {losses['fitted']:.4f}, a constant rate's {losses['constant']:.4f}")
    return wrong


def table(report: dict[str, Any]) -> list[str]:
    """The figures for people."""
    held, losses = report["held_back"], report["held_back"]["log_loss"]
    lines = [
        f"{report['title']}: {held['waits']} waits, {held['left']} left, {held['looks']} looks",
        f"{'tenth':>5} {'foretold':>9} {'observed':>9}  95 % interval",
    ]
    for group in held["reliability"]:
        right = "" if group["within_3_points"] or group["within_interval"] else "  <-"
        lines.append(
            f"{group['group']:>5} {group['predicted']:>9.3f} {group['observed']:>9.3f}  "
            f"{group['low']:.3f} to {group['high']:.3f}{right}"
        )
    lines.append(
        f"log-loss of an interval {losses['fitted']:.4f}, of a constant rate {losses['constant']:.4f}; "
        f"difference {losses['low']:+.4f} to {losses['high']:+.4f}"
    )
    for label, found in held["by_label"].items():
        lines.append(
            f"  {label or '(none)':<20} {found['waits']:>5} waits: foretold {found['predicted']:.3f}, "
            f"observed {found['observed']:.3f} ({found['low']:.3f} to {found['high']:.3f}), log-loss "
            f"{found['log_loss']:.4f}, constant {found['log_loss_constant']:.4f}"
        )
    for name, found in report["with_and_without_protected"].items():
        lines.append(
            f"  {name}: log-loss {found['log_loss']['fitted']:.4f}, {found['tenths_right']} of 10 tenths "
            f"right, the furthest {found['furthest']:.3f} off"
        )
    if seen := report.get("foresight"):
        lines.append(
            f"  at a line of {report['line']}: {seen['hang_ups_named_before']} of {seen['hang_ups']} "
            f"hang-ups named before, {seen['lead_s'].get('median', 0):.0f} s in the median, "
            f"{seen['named_that_long_before']} of them by {seen['lateness_s']:.0f} s or more; "
            f"{seen['named_in_vain']} named in vain"
        )
    return lines


def _fit(
    directory: Path, source: str, files: list[Path], pictures: Path | None, **other: Any
) -> dict[str, Any]:
    request = Request(
        settings=load(None),
        source=source,
        files=tuple(files),
        target_text="abandon=60",
        policy_out=directory / "policy.toml",
        pictures=pictures,
        **other,
    )
    with progress("calibrate", "records") as tell:
        return run(request, tell)


def main(arguments: list[str] | None = None) -> int:
    """0 if the risk is right where it is asked to be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulated", action="store_true", help="forms and carts, too")
    parser.add_argument("--customers", type=int, default=6_000, help="how many are simulated")
    parser.add_argument("--pictures", type=Path, help="a directory for SVGs")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    for key in ("REHUMAN_PSEUDONYM_KEY", "REHUMAN_REFERENCE_KEY"):
        os.environ.setdefault(key, "of a benchmark, no secret")
    with tempfile.TemporaryDirectory() as name:
        here = Path(name)
        bank = _fit(here, "anonymous-bank", paths("anonymous-bank"), asked.pictures, holdout=LAST_WEEK)
        reports = {"bank": bank}
        if asked.simulated:
            events = here / "events.jsonl"
            write(
                pack("quiet-day"),
                seed=SEED,
                customers=asked.customers,
                hours=96,
                start=START,
                events_out=events,
                truth_out=here / "truth.jsonl",
            )
            for kind in ("form", "cart"):
                reports[kind] = _fit(here, "cloudevents", [events], asked.pictures, wait=kind)
    if asked.json:
        sys.stdout.write(json.dumps({"build": BUILD, **reports}) + "\n")
    else:
        for report in reports.values():
            print("\n".join(table(report)))
    wrong = verdict(bank)
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
