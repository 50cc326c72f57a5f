"""Scores at the events of a target that were kept apart, and what the card keeps of them.

The events are folded once, under the built-in policy. The fold says what was known at each decision; a fitted
section's log-odds of that are what a worker with the fitted policy has there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from benchmarks.accuracy.common import Figures, settings
from detectors import policy as policies
from detectors.need import logistic
from detectors.policy import Policy
from streams.calibrate.calibration import evaluated
from streams.calibrate.data import Rows, gather
from streams.identity import Pseudonyms
from streams.sources.api import SourceCounts, get_source
from streams.sources.files import read_merged
from streams.targets.labels import Told, labelled, told
from streams.targets.references import references
from streams.targets.report import Decision, measured
from streams.targets.spec import parse

__all__ = ["FLAGS", "History", "Known", "fitted_to", "proven"]

# The count that every system of the kind has, and that a score has to beat.
FLAGS = {"recontact": "gave_up", "reopen": "updates"}
_SCORES = ("additive", "boosting", "with_protected", "policy_before")
_RANKED = ("auc", "average_precision", "brier", "log_loss")


class Known:
    """A file's events, what came of each decision, and simple counts there; nothing is folded.

    ``before`` are the decisions whose outcome was known before ``cut``, with what was known by then;
    ``later`` all of them, with all that came. Nothing from ``until`` on is looked at.
    """

    def __init__(self, source: str, path: Path, target: str, cut: int, until: int | None = None) -> None:
        self.spec = parse(target)
        self.source_counts = SourceCounts()
        adapter = get_source(source)
        events = read_merged(adapter, [path], self.source_counts)
        self.events = [event for event in events if until is None or event.time < until]
        zone = getattr(adapter, "zone", "UTC")
        self.known: list[Told] = list(told(self.events))
        self.later = labelled(self.spec, self.known, None, zone)
        self.before = labelled(self.spec, [one for one in self.known if one.time < cut], cut, zone)
        self.counts = references(self.spec, self.known)
        self.times = {one.ref: one.time for one in self.known if one.ref in self.later}


class History(Known):
    """The same folded: what the fold knew at each decision."""

    def __init__(self, source: str, path: Path, target: str, cut: int, until: int | None = None) -> None:
        super().__init__(source, path, target, cut, until)
        self._event = {(event.source, event.id): event for event in self.events}
        self.rows = gather(
            self.spec.name,
            self.events,
            {**self.later, **self.before},
            policies.default(),
            Pseudonyms.of(settings()),
        )

    def early(self) -> Rows:
        """The rows whose outcome was known before the cut, with what was known of it by then."""
        return self.rows.cut(self.before)

    def kept(self, wanted: Callable[[tuple[str, str]], bool]) -> Rows:
        """The rows with all that came of them, of those that are ``wanted``."""
        found = self.rows.cut(self.later)
        return found.at(np.array([wanted(ref) for ref in found.refs], bool))

    def alerts(self, rows: Rows, need: np.ndarray[Any, Any], policy: Policy, by: tuple[str, ...]) -> Figures:
        """What an advisor would have had of ``need`` as the score, single counts beside it, and groups."""
        decisions = [
            Decision(
                self._event[ref].time,
                self._event[ref].value,
                self.later[ref],
                float(score),
                {name: counts[ref] for name, counts in self.counts.items()},
            )
            for ref, score in zip(rows.refs, need, strict=True)
        ]
        found = msgspec.to_builtins(measured(decisions, policy, by))
        found["counts"] = {
            name: {"auc": one["auc"], "difference": one["difference"]["auc"]}
            for name, one in found["references"].items()
        }
        names = ("auc", "n", "customers", "customer_days", "counts", "budgets", "policy_line", "by")
        return {name: found[name] for name in names}

    def tested(self, rows: Rows, path: Path, by: tuple[str, ...]) -> Figures:
        """The fitted policy of a file, and the built-in one, on the same rows."""
        fitted = policies.parse(path.read_text("utf-8"))
        need = np.array([logistic(one) for one in evaluated(fitted, self.spec.name, rows)])
        default = self.alerts(rows, rows.need, policies.default(), by)
        kept = ("auc", "counts")
        return {
            "alerts": self.alerts(rows, need, fitted, by),
            "default": {name: default[name] for name in kept},
        }


def fitted_to(report: Mapping[str, Any]) -> Figures:
    """What was fitted, from a calibration's report."""
    found = msgspec.to_builtins(report)
    return {
        "fit": found["split"]["fit"],
        "protected_out": found["protected"]["compared_with"],
        "asked": len(found["features"]["asked"]),
        "features": len(found["features"]["written"]),
        "section_bytes": found["chosen"]["section_bytes"],
        "chosen": found["chosen"]["words"],
        "black_box": found["proof"]["black_box"],
        "learned": found["learned"],
    }


def proven(proof: Mapping[str, Any]) -> Figures:
    """How well scores of the same rows foretold, and by how much the additive one is ahead of each."""
    found = msgspec.to_builtins(proof)
    return {
        "base_rate": found["additive"]["base_rate"],
        "n": found["additive"]["n"]["value"],
        "scores": {name: {one: found[name][one] for one in _RANKED} for name in _SCORES if name in found},
        "ahead": {name.removeprefix("additive - "): one["auc"] for name, one in found["differences"].items()},
        "singles": found["singles"],
        "reliability": found["reliability"],
    }
