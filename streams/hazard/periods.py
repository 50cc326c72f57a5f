"""Waits as rows: one for each interval that somebody was still waiting in.

A row says whether the customer left in that interval. Where something else ended the wait in it, the row
counts for the part of it that they waited: so whoever was answered counts neither as having stayed nor as
having left (cause-specific, with censoring).

>>> from streams.hazard.spells import Spell
>>> answered = Spell("queue", "sales", "", 9, -1.0, 0, 25.0, False, "p1")
>>> [(row.step, row.weight, row.left) for row in periods([answered], 10.0)]
[(0, 1.0, 0), (1, 1.0, 0), (2, 0.5, 0)]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.hazard import Hazard
from detectors.policy_model import HazardRules
from streams.hazard.spells import Spell

__all__ = ["Period", "Table", "chances", "constant", "log_loss", "periods", "table"]

Floats = NDArray[np.float64]

_MOST_STEPS = 1_000


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
    since: Floats  # of the announced moment, below 0 before it; NaN where nothing was announced
    label: list[str]
    priority: list[str]
    weight: Floats
    left: Floats


def periods(spells: Sequence[Spell], interval: float) -> Iterator[Period]:
    """The rows of waits. A pause of a form or cart has one for each interval whose beginning it reached."""
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
    weight: dict[tuple[int, int, float, str, str], float] = {}
    left: dict[tuple[int, int, float, str, str], int] = {}
    for spell, step, part, leaves in periods(spells, interval):
        key = (step, spell.hour, spell.announced, spell.label, spell.priority)
        weight[key] = weight.get(key, 0.0) + part
        left[key] = left.get(key, 0) + leaves
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
        np.array([weight[key] for key in keys]),
        np.array([float(left[key]) for key in keys]),
    )


def chances(rows: Table, rules: HazardRules) -> Floats:
    """The chance of each row by the section itself, as the fold has it."""
    hazard = Hazard(rows.kind, rules)
    step = np.rint(rows.waited / rows.interval).astype(int)
    announced = np.where(np.isnan(rows.since), -1.0, rows.waited - rows.since)
    each = zip(rows.label, rows.hour, rows.priority, step, announced, strict=True)
    return np.array(
        [
            hazard.step(hazard.fixed(label, int(hour), priority), int(at), float(said))
            for label, hour, priority, at, said in each
        ]
    )


def constant(rows: Table) -> float:
    """The chance of an interval where all are alike."""
    return float(rows.left.sum() / rows.weight.sum())


def log_loss(rows: Table, found: Floats | float) -> float:
    """Mean log-loss of a row: an interval that somebody was still waiting in."""
    chance = np.clip(np.broadcast_to(found, rows.weight.shape), 1e-9, 1.0 - 1e-9)
    loss = rows.left * np.log(chance) + (rows.weight - rows.left) * np.log1p(-chance)
    return float(-loss.sum() / rows.weight.sum())
