"""The fit: logistic regression over intervals, with a ridge on the steps of shapes.

Numbers are coded as thermometers ("from this edge on"), so that the ridge is on steps, and a shape without
evidence is flat. How strong it is, time-ordered validation says: each fit is judged by what came after it.

>>> from streams.hazard.periods import table
>>> from streams.hazard.spells import Spell
>>> waits = [Spell("queue", "q", "", 9, -1.0, at, 5.0 + at % 90, at % 3 == 0, "p") for at in range(300)]
>>> rules = fit(table("queue", waits, 10.0), 10.0)
>>> rules.wait.edges[:3], rules.base < -1.5, len(rules.wait.log_odds) - len(rules.wait.edges)
([10.0, 20.0, 30.0], True, 1)
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.policy_model import HazardLabels, HazardRules, HazardShape, Ms
from streams.calibrate.extra import one_thread
from streams.hazard.periods import Table, chances, log_loss, table
from streams.hazard.spells import Spell, cut

__all__ = ["LEAST", "PENALTIES", "fit", "strength"]

Floats = NDArray[np.float64]

# The strengths of the ridge among which time-ordered validation chooses.
PENALTIES: Final = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
# Below so many waits a label has no log-odds of its own.
LEAST: Final = 30
_WAIT: Final = {
    "queue": (10, 20, 30, 40, 50, 60, 80, 100, 120, 150, 180, 240, 300, 420, 600),
    "form": (60, 120, 180, 300, 420, 600, 900, 1200),
    "cart": (60, 120, 180, 300, 420, 600, 900, 1200, 1800, 2700),
}
_HOURS: Final = tuple(range(1, 24))
_ANNOUNCED: Final = (-120, -60, -30, 0, 30, 60, 120, 300)
_VALIDATED: Final = 3
# What every section has before somebody says otherwise.
_AHEAD: Final = 60_000


class _Columns(msgspec.Struct):
    """The design: one column for each step of a shape and each label that is named."""

    wait: list[float]
    hour: list[float]
    announced: list[float]
    labels: list[str]
    priorities: list[str]

    def matrix(self, rows: Table) -> Floats:
        columns = [rows.waited >= edge for edge in self.wait]
        columns += [rows.hour >= edge for edge in self.hour]
        if self.announced:
            columns += [np.isnan(rows.since)]
        with np.errstate(invalid="ignore"):
            columns += [rows.since >= edge for edge in self.announced]
        label, priority = np.array(rows.label), np.array(rows.priority)
        columns += [label == name for name in self.labels]
        columns += [priority == name for name in self.priorities]
        return np.column_stack(columns).astype(float) if columns else np.zeros((len(rows.weight), 1))


def _columns(rows: Table, protected: bool) -> _Columns:
    """Edges and labels that these rows can say something of."""
    rare = rows.weight.sum() * 1e-3

    def within(values: Floats, edges: Sequence[float]) -> list[float]:
        known = rows.weight[~np.isnan(values)].sum()
        with np.errstate(invalid="ignore"):
            there = [rows.weight[values >= edge].sum() for edge in edges]
        return [float(edge) for edge, at in zip(edges, there, strict=True) if rare < at < known - rare]

    def named(labels: list[str]) -> list[str]:
        # Where a wait begins there is one row for it.
        begun: dict[str, float] = {}
        for name, weight, waited in zip(labels, rows.weight, rows.waited, strict=True):
            begun[name] = begun.get(name, 0.0) + (weight if waited == 0.0 else 0.0)
        return sorted(name for name, count in begun.items() if count >= LEAST)

    return _Columns(
        within(rows.waited, _WAIT[rows.kind]),
        within(rows.hour, _HOURS),
        within(rows.since, _ANNOUNCED),
        named(rows.label) if len(set(rows.label)) > 1 else [],
        named(rows.priority) if protected else [],
    )


def fit(rows: Table, penalty: float, *, protected: bool = False) -> HazardRules:
    """The section that these rows are likeliest under, with ``penalty`` on half the squared steps.

    Its line is one that nothing reaches, and its log-odds of human need are none: see ``calibrate.py``.
    """
    from sklearn.linear_model import LogisticRegression

    columns = _columns(rows, protected)
    design, same = np.unique(columns.matrix(rows), axis=0, return_inverse=True)
    left = np.bincount(same, rows.left, len(design))
    stayed = np.bincount(same, rows.weight, len(design)) - left
    weight = np.concatenate([left, stayed])
    there = weight > 0.0
    model = LogisticRegression(C=1.0 / penalty, solver="newton-cholesky", tol=1e-8, max_iter=200)
    with one_thread():
        model.fit(
            np.vstack([design, design])[there],
            np.repeat([1, 0], len(design))[there],
            sample_weight=weight[there],
        )
    return _rules(rows, columns, [float(value) for value in model.coef_[0]], float(model.intercept_[0]))


def _rules(rows: Table, columns: _Columns, found: list[float], base: float) -> HazardRules:
    parts: list[list[float]] = []
    said = 1 if columns.announced else 0
    sizes = [len(columns.wait), len(columns.hour), said, len(columns.announced), len(columns.labels)]
    at = 0
    for size in [*sizes, len(columns.priorities)]:
        parts.append(found[at : at + size])
        at += size
    wait, hour, missing, announced, labels, priorities = parts
    name = "queue" if rows.kind == "queue" else "place"
    tables = {name: _labels(columns.labels, labels)} if labels else {}
    if priorities:
        tables["priority"] = _labels(columns.priorities, priorities)
    return HazardRules(
        interval=Ms(round(rows.interval * 1000)),
        ahead=Ms(_AHEAD),
        line=1.0,
        may_leave=0.0,
        base=round(base, 4),
        protected=bool(priorities),
        wait=_shape(columns.wait, wait),
        hour=_shape(columns.hour, hour) if hour else None,
        announced=_shape(columns.announced, announced, missing[0]) if announced else None,
        labels=tables,
    )


def _labels(names: list[str], odds: list[float]) -> HazardLabels:
    return HazardLabels({name: round(value, 4) for name, value in zip(names, odds, strict=True)})


def _shape(edges: list[float], steps: list[float], missing: float = 0.0) -> HazardShape:
    heights = [0.0, *np.cumsum(steps)]
    return HazardShape(edges, [round(float(height), 4) for height in heights], round(missing, 4))


def strength(
    kind: str, spells: Sequence[Spell], interval: float, *, protected: bool = False
) -> tuple[float, list[dict[str, float]]]:
    """The ridge whose fit on the past says most of what came next, and how each did.

    Three times: on what came before a moment, of what came between it and the next; later waits are never
    looked at for earlier ones. What was still going on at a moment is censored there.
    """
    began = sorted(spell.began for spell in spells)
    moments = [began[len(began) * (3 + at) // 6] for at in range(_VALIDATED)] + [began[-1] + 1]
    pairs = []
    for since, until in pairwise(moments):
        past, then = cut(spells, None, since), cut(spells, since, until)
        pairs.append((table(kind, past, interval), table(kind, then, interval)))
    pairs = [
        (past, then) for past, then in pairs if 0 < past.left.sum() < past.weight.sum() and len(then.left)
    ]
    if not pairs:
        return PENALTIES[len(PENALTIES) // 2], []
    found = []
    for penalty in PENALTIES:
        losses = [
            log_loss(then, chances(then, fit(past, penalty, protected=protected))) for past, then in pairs
        ]
        found.append({"penalty": penalty, "log_loss": float(np.mean(losses))})
    return min(found, key=lambda entry: (entry["log_loss"], -entry["penalty"]))["penalty"], found
