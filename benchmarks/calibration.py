"""What calibration is worth on history it has not seen: call-back on the bank, reopening on the incidents.

    python -m benchmarks.calibration [--datasets DIR] [--only recontact|reopen] [--out DIR]

Call-back: fitted to February's first three weeks, reported on its last. Reopening: fitted to incidents opened
before 2016-04-01 with labels cut at that date, reported on those opened later, at each one's first Resolved.
Everything is chosen within the first part. Prints AUC with 95 % intervals (bootstrap over customers) of the
written policy, of gradient boosting on the same features and split, of the best single features, and paired
differences. The policies and reports go to ``--out``.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from detectors.policy import parse
from streams.calibrate import Request, calibration, extra
from streams.calibrate.data import gather
from streams.calibrate.parts import chosen
from streams.calibrate.proof import proof
from streams.calibrate.reference import reference
from streams.cli.options import parse_time
from streams.identity import Pseudonyms
from streams.settings import Settings, load
from streams.sources.api import SourceCounts, SourceEvent, get_source
from streams.sources.files import read_merged
from streams.targets.labels import labels
from streams.targets.spec import parse as parse_target

KEYS = {"pseudonym_key": "benchmark" * 4, "reference_key": "benchmark" * 4}
BANK = "anonymous_bank/february_1999.csv"
INCIDENTS = "servicenow_incidents/incidents_opened_before_2016-04-15.csv.gz"
LAST_WEEK = "1999-02-22T00:00:00+02:00"
APRIL = "2016-04-01"


def main() -> None:
    """Run what is asked for and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    beside = Path(__file__).resolve().parents[2] / "shared" / "datasets"
    parser.add_argument("--datasets", type=Path, default=beside)
    parser.add_argument("--only", choices=("recontact", "reopen"))
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        out = given.out or Path(temporary)
        out.mkdir(parents=True, exist_ok=True)
        settings = load(None, **KEYS)
        if given.only != "reopen":
            recontact(settings, given.datasets / BANK, out)
        if given.only != "recontact":
            reopen(settings, given.datasets / INCIDENTS, out)


def recontact(settings: Settings, path: Path, out: Path) -> None:
    """The whole of it is one command's report."""
    holdout = parse_time("--holdout", LAST_WEEK)
    found = calibration.run(
        Request(
            settings=settings,
            source="anonymous-bank",
            files=(path,),
            target_text="recontact=3600,max=30",
            policy_out=out / "recontact.toml",
            report_out=out / "recontact.json",
            holdout=holdout,
        )
    )
    show("recontact=3600,max=30, the last week of February", found["chosen"]["words"], found["proof"])


def reopen(settings: Settings, path: Path, out: Path) -> None:
    """Fitted by the command with ``--until``; those opened later are picked out here."""
    cut = parse_time("--until", APRIL)
    found = calibration.run(
        Request(
            settings=settings,
            source="servicenow-incidents",
            files=(path,),
            target_text="reopen",
            policy_out=out / "reopen.toml",
            report_out=out / "reopen.json",
            until=cut,
        )
    )
    policy = parse((out / "reopen.toml").read_text("utf-8"))
    events = list(read_merged(get_source("servicenow-incidents"), [path], SourceCounts()))
    spec = parse_target("reopen")
    early, whole = labels(spec, events, cut), labels(spec, events)
    rows = gather("reopen", events, {**whole, **early}, policy, Pseudonyms.of(settings))
    later = opened_from(events, cut)
    fit = rows.cut(early)
    fit = fit.at(fit.times < cut - calibration.DAY)
    apart = rows.cut(whole)
    apart = apart.at(np.array([ref in later for ref in apart.refs], bool))
    names = chosen((), (), ())
    with extra.one_thread():
        box = reference(fit, names, apart, calibration.DAY)
    assert box.asked is not None
    scores = {"additive": calibration.evaluated(policy, "reopen", apart), "boosting": box.asked}
    proven = {"black_box": box.words, **proof(fit, apart, scores, names)}
    show(f"reopen, incidents opened from {APRIL} on", found["chosen"]["words"], proven)


def opened_from(events: list[SourceEvent], cut: int) -> set[tuple[str, str]]:
    """Events of the cases that were opened at ``cut`` or later."""
    opened: dict[str, int] = {}
    cases: dict[tuple[str, str], str] = {}
    for event in events:
        case = json.loads(event.value)["data"].get("case_id")
        if case:
            opened[case] = min(event.time, opened.get(case, event.time))
            cases[event.source, event.id] = case
    return {ref for ref, case in cases.items() if opened[case] >= cut}


def show(title: str, chosen_words: str, proven: dict[str, Any]) -> None:
    """One task's figures."""
    own = proven["additive"]
    print(f"\n{title}: {own['n'].value:.0f} rows, base rate {line(own['base_rate'])}")
    print(f"  chosen: {chosen_words}; black box: {proven['black_box']}")
    for name in ("additive", "boosting", "with_protected", "policy_before"):
        if name in proven:
            print(f"  AUC {name:16} {line(proven[name]['auc'])}   Brier {line(proven[name]['brier'])}")
    for name, difference in proven["differences"].items():
        print(f"  AUC {name:32} {line(difference['auc'], sign=True)}")
    for name, single in proven["singles"].items():
        print(
            f"  AUC of {name} alone {line(single['auc'])}, "
            f"additive ahead by {line(single['difference'], sign=True)}"
        )


def line(found: Any, sign: bool = False) -> str:
    """A figure with its interval."""
    mark = "+" if sign else ""
    return f"{found.value:{mark}.4f} ({found.low:{mark}.4f} to {found.high:{mark}.4f})"


if __name__ == "__main__":
    main()
