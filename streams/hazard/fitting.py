"""The fit: one row for each interval that somebody was still waiting in, and a ridge on the steps of shapes.

A row says whether the customer left in that interval. Where something else ended the wait in it, the row counts
for the part of it that they waited: so nobody who was answered counts as having stayed, and nobody as having
left (cause-specific, with censoring). Numbers are coded as thermometers ("from this edge on"), so that the
ridge is on steps, and a shape without evidence is flat.

>>> from streams.hazard.spells import Spell
>>> answered = Spell("queue", "sales", "", 9, -1.0, 0, 25.0, False, "p1")
>>> [(row.step, row.weight, row.left) for row in periods([answered], 10.0)]
[(0, 1.0, 0), (1, 1.0, 0), (2, 0.5, 0)]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.policy_model import HazardLabels, HazardRules, HazardShape, Ms
from streams.hazard.spells import Spell

__all__ = ["PENALTIES", "Period", "Table", "constant", "fit", "log_loss", "periods", "strength", "table"]

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
# Seconds since the announced moment; below 0 it is still to come.
_ANNOUNCED: Final = (-120, -60, -30, 0, 30, 60, 120, 300)
_VALIDATED: Final = 3
_MOST_STEPS: Final = 1_000


class Period(NamedTuple):
    """One interval of one wait."""

    spell: Spell
    step: int
    weight: float
    left: int


class Table(msgspec.Struct):
    """Equal rows counted together: what each says, how often, and how many of them left."""

    kind: str
    interval: float
    waited: Floats
    hour: Floats
    since: Floats  # of the announced moment; NaN where nothing was announced
    label: list[str]
    priority: list[str]
    weight: Floats
    left: Floats


def periods(spells: Sequence[Spell], interval: float) -> Iterator[Period]:
    """The rows of waits. A pause of a form or cart has one for each interval that it reached."""
    for spell in spells:
        if spell.kind == "queue":
            yield from _waiting(spell, interval)
            continue
        step = 0
        while step * interval < spell.seconds and step < _MOST_STEPS:
            yield Period(spell, step, 1.0, int(spell.left))
            step += 1


def _waiting(spell: Spell, interval: float) -> Iterator[Period]:
    step = 0
    while (step + 1) * interval < spell.seconds and step < _MOST_STEPS:
        yield Period(spell, step, 1.0, 0)
        step += 1
    part = (spell.seconds - step * interval) / interval
    if 0.0 < part <= 1.0:
        yield Period(spell, step, 1.0 if spell.left else part, int(spell.left))


def table(kind: str, spells: Sequence[Spell], interval: float) -> Table:
    """The rows of ``spells``, equal ones together."""
    weight: Counter[tuple[int, int, float, str, str]] = Counter()
    left: Counter[tuple[int, int, float, str, str]] = Counter()
    for row in periods(spells, interval):
        spell = row.spell
        key = (row.step, spell.hour, spell.announced, spell.label, spell.priority)
        weight[key] += row.weight  # type: ignore[assignment]  # a Counter of fractions
        left[key] += row.left
    keys = sorted(weight)
    waited = np.array([key[0] * interval for key in keys])
    announced = np.array([key[2] if key[2] >= 0.0 else np.nan for key in keys])
    return Table(
        kind,
        interval,
        waited,
        np.array([float(key[1]) for key in keys]),
        waited - announced,
        [key[3] for key in keys],
        [key[4] for key in keys],
        np.array([float(weight[key]) for key in keys]),
        np.array([float(left[key]) for key in keys]),
    )


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
        shape = (len(rows.weight), len(columns))
        return np.column_stack(columns).astype(float) if columns else np.zeros(shape)


def _columns(rows: Table, protected: bool) -> _Columns:
    """Edges and labels that these rows can say something of."""
    rare = rows.weight.sum() * 1e-3

    def within(values: Floats, edges: Sequence[float]) -> list[float]:
        with np.errstate(invalid="ignore"):
            from_edge = [float(rows.weight[values >= edge].sum()) for edge in edges]
        known = float(rows.weight[~np.isnan(values)].sum())
        return [float(e) for e, there in zip(edges, from_edge, strict=True) if rare < there < known - rare]

    def named(labels: list[str]) -> list[str]:
        # Where a wait begins there is one row for it.
        begun: Counter[str] = Counter()
        for name, weight, waited in zip(labels, rows.weight, rows.waited, strict=True):
            begun[name] += weight if waited == 0.0 else 0.0
        return sorted(name for name, count in begun.items() if count >= LEAST)

    labels = named(rows.label)
    return _Columns(
        within(rows.waited, _WAIT[rows.kind]),
        within(rows.hour, _HOURS),
        within(rows.since, _ANNOUNCED),
        labels if len(set(rows.label)) > 1 else [],
        named(rows.priority) if protected else [],
    )


def fit(
    rows: Table,
    penalty: float,
    *,
    ahead: int,
    line: float,
    may_leave: float,
    protected: bool = False,
    target: str = "",
) -> HazardRules:
    """The section that these rows are likeliest under, with ``penalty`` on the squared steps."""
    from sklearn.linear_model import LogisticRegression

    columns = _columns(rows, protected)
    design = columns.matrix(rows)
    stayed = rows.weight - rows.left
    x = np.vstack([design, design])
    y = np.repeat([1, 0], len(design))
    weight = np.concatenate([rows.left, stayed])
    model = LogisticRegression(C=1.0 / penalty, solver="newton-cholesky", tol=1e-8, max_iter=200)
    model.fit(x[weight > 0], y[weight > 0], sample_weight=weight[weight > 0])
    found = [round(float(value), 4) for value in model.coef_[0]]
    at = 0

    def take(count: int) -> list[float]:
        nonlocal at
        at += count
        return found[at - count : at]

    wait = _shape(columns.wait, take(len(columns.wait)))
    hour = _shape(columns.hour, take(len(columns.hour)))
    announced = None
    if columns.announced:
        missing = take(1)[0]
        announced = _shape(columns.announced, take(len(columns.announced)), missing)
    name = "queue" if rows.kind == "queue" else "place"
    labels = {name: HazardLabels(dict(zip(columns.labels, take(len(columns.labels)), strict=True)))}
    if protected:
        odds = take(len(columns.priorities))
        labels["priority"] = HazardLabels(dict(zip(columns.priorities, odds, strict=True)))
    return HazardRules(
        target=target,
        interval=Ms(round(rows.interval * 1000)),
        ahead=Ms(ahead),
        line=line,
        may_leave=may_leave,
        base=round(float(model.intercept_[0]), 4),
        protected=protected,
        wait=wait,
        hour=hour if hour.edges else None,
        announced=announced,
        labels=labels,
    )


def _shape(edges: list[float], steps: list[float], missing: float = 0.0) -> HazardShape:
    heights = [0.0, *np.cumsum(steps)]
    return HazardShape(edges, [round(float(height), 4) for height in heights], missing)


def constant(rows: Table) -> float:
    """The chance of an interval where all are alike."""
    return float(rows.left.sum() / rows.weight.sum())


def log_loss(rows: Table, chances: Floats | float) -> float:
    """Mean log-loss of a row: an interval that somebody was still waiting in."""
    chance = np.clip(np.broadcast_to(chances, rows.weight.shape), 1e-9, 1.0 - 1e-9)
    loss = rows.left * np.log(chance) + (rows.weight - rows.left) * np.log1p(-chance)
    return float(-loss.sum() / rows.weight.sum())


def chances(rows: Table, rules: HazardRules) -> Floats:
    """The chance of each row by the section itself, as the fold has it."""
    from detectors.hazard import Hazard

    hazard = Hazard(rows.kind, rules)
    step = np.rint(rows.waited / rows.interval).astype(int)
    announced = np.where(np.isnan(rows.since), -1.0, rows.waited - rows.since)
    return np.array(
        [
            hazard.step(hazard.fixed(label, int(hour), priority), int(at), float(said))
            for label, hour, priority, at, said in zip(
                rows.label, rows.hour, rows.priority, step, announced, strict=True
            )
        ]
    )


def strength(
    kind: str, spells: Sequence[Spell], interval: float, protected: bool = False
) -> tuple[float, list[dict[str, float]]]:
    """The ridge whose fit on the past says most of what came next, and how each did.

    Three times: on what came before a moment, of what came between it and the next; later waits are never
    looked at for earlier ones. What was still going on at a moment is censored there.
    """
    from streams.hazard.spells import cut

    began = sorted(spell.began for spell in spells)
    moments = [began[len(began) * (3 + at) // 6] for at in range(_VALIDATED)] + [began[-1] + 1]
    pairs = []
    for at in range(_VALIDATED):
        past, next_ = cut(spells, None, moments[at]), cut(spells, moments[at], moments[at + 1])
        pairs.append((table(kind, past, interval), table(kind, next_, interval)))
    pairs = [
        (past, then) for past, then in pairs if 0 < past.left.sum() < past.weight.sum() and len(then.left)
    ]
    found = []
    for penalty in PENALTIES:
        losses = []
        for past, then in pairs:
            rules = fit(past, penalty, ahead=60_000, line=1.0, may_leave=0.0, protected=protected)
            losses.append(log_loss(then, chances(then, rules)))
        found.append({"penalty": penalty, "log_loss": float(np.mean(losses)) if losses else 0.0})
    return min(found, key=lambda entry: (entry["log_loss"], -entry["penalty"]))["penalty"], found
