"""How right a fitted hazard is on waits that it has not seen, as plain data.

What is measured is the section itself, by the code that the fold runs, not the fit's own arrays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from detectors.hazard import Hazard, risk
from detectors.policy_model import HazardRules
from streams.hazard.curves import by_wait, kaplan_meier, nelson_aalen
from streams.hazard.fitting import LEAST
from streams.hazard.periods import chances, constant, log_loss, periods, table
from streams.hazard.reliability import RESAMPLES, Looks, looks, tenths
from streams.hazard.spells import Spell

__all__ = ["curves", "held_back", "looks_of", "short", "words"]

_EDGES = (0, 10, 20, 30, 60, 90, 120, 180, 240, 300, 420, 600)
_PAUSES = (0, 60, 120, 180, 300, 600, 1200, 1800, 3600)


def looks_of(rules: HazardRules, spells: Sequence[Spell], kind: str) -> Looks:
    """The risk at each interval's beginning of each wait."""
    hazard = Hazard(kind, rules)
    fixed: dict[tuple[str, int, float, str, float], float] = {}

    def told(spell: Spell, waited: float) -> float:
        key = (spell.label, spell.hour, spell.announced, spell.priority, waited)
        found = fixed.get(key)
        if found is None:
            found = fixed[key] = risk(
                hazard, round(waited * 1000), spell.label, spell.hour, spell.announced, spell.priority
            )
        return found

    return looks(spells, rules.interval / 1000, told)


def held_back(
    kind: str, rules: HazardRules, train: Sequence[Spell], held: Sequence[Spell], seed: int
) -> dict[str, Any]:
    """Reliability by tenths, by queue, and the log-loss beside that of a constant rate of ``train``."""
    interval = rules.interval / 1000
    ahead = rules.ahead / 1000
    rate = constant(table(kind, train, interval))
    moments = looks_of(rules, held, kind)
    groups = tenths(moments, ahead, seed=seed)
    return {
        "waits": len(held),
        "left": sum(spell.left for spell in held),
        "looks": len(moments.predicted),
        "log_loss": _losses(kind, rules, rate, held, seed),
        "reliability": groups,
        "tenths_right": sum(group["within_3_points"] or group["within_interval"] for group in groups),
        "furthest": max((abs(group["predicted"] - group["observed"]) for group in groups), default=0.0),
        "by_label": _by_label(kind, rules, rate, held, seed),
    }


def _losses(kind: str, rules: HazardRules, rate: float, held: Sequence[Spell], seed: int) -> dict[str, float]:
    """Mean log-loss of an interval; the difference's 95 % interval is a bootstrap over calls."""
    interval = rules.interval / 1000
    hazard = Hazard(kind, rules)
    place = {id(spell): at for at, spell in enumerate(held)}
    sums = np.zeros((len(held), 3))
    for spell, step, weight, left in periods(held, interval):
        chance = hazard.step(hazard.fixed(spell.label, spell.hour, spell.priority), step, spell.announced)
        own = -np.log(chance if left else 1.0 - chance) * weight
        flat = -np.log(rate if left else 1.0 - rate) * weight
        sums[place[id(spell)]] += (own, flat, weight)
    total = sums.sum(axis=0)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(held), np.full(len(held), 1 / len(held)), RESAMPLES) @ sums
    low, high = np.percentile((drawn[:, 0] - drawn[:, 1]) / drawn[:, 2], [2.5, 97.5])
    return {
        "intervals": float(total[2]),
        "fitted": float(total[0] / total[2]),
        "constant": float(total[1] / total[2]),
        "difference": float((total[0] - total[1]) / total[2]),
        "low": float(low),
        "high": float(high),
    }


def _by_label(
    kind: str, rules: HazardRules, rate: float, held: Sequence[Spell], seed: int
) -> dict[str, dict[str, Any]]:
    """The same by queue or step, of those with enough waits."""
    interval = rules.interval / 1000
    found: dict[str, dict[str, Any]] = {}
    for label, count in sorted(Counter(spell.label for spell in held).items()):
        if count < LEAST:
            continue
        own = [spell for spell in held if spell.label == label]
        rows = table(kind, own, interval)
        (group,) = tenths(looks_of(rules, own, kind), rules.ahead / 1000, count=1, seed=seed)
        found[label] = {
            "waits": count,
            "left": sum(spell.left for spell in own),
            **{name: group[name] for name in ("looks", "predicted", "observed", "low", "high")},
            "log_loss": log_loss(rows, chances(rows, rules)),
            "log_loss_constant": log_loss(rows, rate),
        }
    return found


def curves(kind: str, spells: Sequence[Spell]) -> dict[str, Any]:
    """Without a model: by wait so far, the cumulative hazard, and who would still wait."""
    edges = _EDGES if kind == "queue" else _PAUSES
    if kind != "queue":
        return {"by_wait": _pauses(spells, edges)}
    return {
        "by_wait": by_wait(spells, edges),
        "nelson_aalen": [[edge, nelson_aalen(spells, edge)] for edge in edges],
        "kaplan_meier": kaplan_meier(spells, range(0, edges[-1] + 1, 10)),
    }


def _pauses(spells: Sequence[Spell], edges: Sequence[float]) -> list[dict[str, Any]]:
    """Of pauses that lasted so long: the share in which nothing more came."""
    found = []
    for edge in edges:
        there = [spell.left for spell in spells if spell.seconds > edge]
        if there:
            row = {"from_s": float(edge), "pauses": len(there), "left": sum(there)}
            found.append(row | {"share": sum(there) / len(there)})
    return found


def words(kind: str, rules: HazardRules) -> list[str]:
    """What was learned, a line each, strongest first within its kind."""
    of = "leaving in an interval" if kind == "queue" else "not going on"
    found = [f"chance of {of}: {_chance(rules.base):.1%} at the beginning, before anything else is known"]
    heights = dict(zip([0.0, *rules.wait.edges], rules.wait.log_odds, strict=True))
    most, least = max(heights, key=heights.__getitem__), min(heights, key=heights.__getitem__)
    found.append(
        f"by the wait so far: highest from {most:.0f} s (odds x{np.exp(heights[most]):.2f}), "
        f"lowest from {least:.0f} s (x{np.exp(heights[least]):.2f})"
    )
    for part, labels in sorted(rules.labels.items()):
        named = sorted(labels.log_odds.items(), key=lambda entry: -abs(entry[1]))
        told = ", ".join(f"{name or 'none'} x{np.exp(value):.2f}" for name, value in named[:8])
        found.append(f"by {part}: {told}")
    if rules.announced is not None:
        found.append(f"nothing announced: odds x{np.exp(rules.announced.missing):.2f}")
    return found


def short(report: dict[str, Any]) -> list[str]:
    """The report in a few lines; what is protected comes first."""
    found = [f"protected attributes in this risk: {', '.join(report['protected']) or 'none'}"]
    about = report["fitted_on"]
    found.append(f"{report['wait']}: {about['waits']} waits, {about['left']} ended in leaving")
    found += report["learned"]
    if held := report.get("held_back"):
        losses = held["log_loss"]
        found += [
            f"held back ({held['of']}): {held['waits']} waits, {held['left']} ended in leaving",
            f"log-loss of an interval: {losses['fitted']:.4f}, of a constant rate {losses['constant']:.4f} "
            f"(difference {losses['low']:+.4f} to {losses['high']:+.4f})",
            f"tenths of risk within 3 points or their 95 % interval: {held['tenths_right']} of "
            f"{len(held['reliability'])}, the furthest {held['furthest']:.3f} off",
        ]
    if seen := report.get("foresight"):
        lead = f", {seen['lead_s']['median']:.0f} s before in the median" if seen["lead_s"] else ""
        found.append(
            f"at the line of {report['line']}: {seen['hang_ups_named_before']} of {seen['hang_ups']} "
            f"hang-ups named before{lead}; {seen['named_in_vain']} named in vain"
        )
    return found


def _chance(log_odds: float) -> float:
    return float(1.0 / (1.0 + np.exp(-log_odds)))
