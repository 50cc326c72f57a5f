"""The fit finds the hazard that made the waits, whatever answers there were; and is told when it is wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest

from detectors.hazard import Hazard
from detectors.policy_model import HazardRules
from streams.hazard.curves import nelson_aalen
from streams.hazard.fitting import fit, strength
from streams.hazard.periods import chances, constant, log_loss, periods, table
from streams.hazard.reliability import looks, tenths
from streams.hazard.report import held_back, looks_of, words
from streams.hazard.spells import Spell

# What makes the waits: log-odds of leaving within ten seconds.
BASE, LATER, SALES, NIGHT = -3.2, -0.7, 0.9, 0.5


def made(count: int, seed: int, answered_a_minute: float = 0.6, announced: float = -1.0) -> list[Spell]:
    """Waits of a known hazard, from two minutes on lower, and of answers that have nothing to do with it.

    Where something is announced it is so to every second, and beyond that the log-odds are 1 higher.
    """
    rng = np.random.default_rng(seed)
    found = []
    for place in range(count):
        label, hour = ("sales", "service")[int(rng.integers(2))], int(rng.choice([9, 20]))
        answer = float(rng.exponential(60 / answered_a_minute))
        seconds, left = answer, False
        said = announced if place % 2 else -1.0
        for step in range(200):
            odds = BASE + LATER * (step >= 12) + SALES * (label == "sales") + NIGHT * (hour == 20)
            odds += 1.0 if 0.0 <= said <= 10.0 * step else 0.0
            if rng.random() < 1 / (1 + math.exp(-odds)):
                leaves = 10.0 * (step + rng.random())
                seconds, left = (leaves, True) if leaves < answer else (answer, False)
                break
            if answer < 10.0 * (step + 1):
                break
        found.append(Spell("queue", label, "", hour, said, place * 60_000, seconds, left, f"p{place}"))
    return found


WAITS = made(6_000, 1)
RULES = fit(table("queue", WAITS, 10.0), 3.0)


def terms(rules: HazardRules) -> tuple[float, float, float]:
    """What a queue, an hour and a long wait make a difference of."""
    hazard = Hazard("queue", rules)
    here = hazard.fixed("service", 9, "")
    hour = hazard.fixed("service", 20, "") - here
    label = hazard.fixed("sales", 9, "") - here
    early = [hazard.wait.at(seconds) for seconds in (0.0, 40.0, 80.0)]
    late = [hazard.wait.at(seconds) for seconds in (130.0, 200.0, 250.0)]
    return label, hour, float(np.mean(late) - np.mean(early))


@pytest.mark.parametrize("answered", [0.2, 0.6, 3.0])
def test_answers_do_not_change_what_is_found(answered: float) -> None:
    """The raw share of leavers is many times another one; the hazard is the same."""
    waits = WAITS if answered == 0.6 else made(6_000, 2, answered)
    rules = RULES if answered == 0.6 else fit(table("queue", waits, 10.0), 3.0)
    chance = Hazard("queue", rules).step(Hazard("queue", rules).fixed("service", 9, ""), 3, -1.0)
    assert chance == pytest.approx(1 / (1 + math.exp(-BASE)), rel=0.25)
    label, hour, later = terms(rules)
    assert label == pytest.approx(SALES, abs=0.2)
    assert hour == pytest.approx(NIGHT, abs=0.2)
    if answered < 1:
        assert later == pytest.approx(LATER, abs=0.3)


def test_what_was_announced_makes_the_difference_that_it_made() -> None:
    waits = made(6_000, 6, 0.6, announced=60.0)
    rules = fit(table("queue", waits, 10.0), 3.0)
    shape = Hazard("queue", rules).announced
    assert shape.at(30.0) - shape.at(-40.0) == pytest.approx(1.0, abs=0.3)
    assert shape.missing == pytest.approx(shape.at(-40.0), abs=0.3)
    assert all(Hazard("queue", RULES).announced.at(at) == 0.0 for at in (-60.0, 60.0)), "nobody was told"


def test_in_sum_it_is_the_nelson_aalen_estimate() -> None:
    hazard = Hazard("queue", RULES)
    expected = sum(
        row.weight * hazard.step(hazard.fixed(row.spell.label, row.spell.hour, ""), row.step, -1.0)
        for row in periods(WAITS, 10.0)
    )
    assert expected == pytest.approx(sum(spell.left for spell in WAITS), rel=0.02)
    for until in (30.0, 120.0, 300.0):
        rows = table("queue", WAITS, 10.0)
        by_step = [rows.waited == at for at in np.arange(0.0, until, 10.0)]
        told = sum(np.average(chances(rows, RULES)[here], weights=rows.weight[here]) for here in by_step)
        assert told == pytest.approx(nelson_aalen(WAITS, until), rel=0.06)


def test_it_says_more_than_a_constant_rate_of_waits_that_it_has_not_seen() -> None:
    other = made(3_000, 3)
    report = held_back("queue", RULES, WAITS, other, 1)
    losses = report["log_loss"]
    rows = table("queue", other, 10.0)
    assert losses["fitted"] == pytest.approx(log_loss(rows, chances(rows, RULES)))
    assert losses["constant"] == pytest.approx(log_loss(rows, constant(table("queue", WAITS, 10.0))))
    assert losses["fitted"] < losses["constant"]
    assert losses["high"] < 0
    assert report["tenths_right"] >= 9
    assert set(report["by_label"]) == {"sales", "service"}


@pytest.mark.parametrize("slip", [0.5, 1.6])
def test_a_risk_that_is_wrong_is_found_out(slip: float) -> None:
    other = made(1_500, 4)
    right = looks_of(RULES, other, "queue")
    assert all(group["within_3_points"] or group["within_interval"] for group in tenths(right, 60.0))
    right.predicted *= slip
    wrong = tenths(right, 60.0)
    assert sum(group["within_3_points"] or group["within_interval"] for group in wrong) <= 5


def test_who_is_answered_in_the_minute_is_no_survivor() -> None:
    """All are answered after half a minute: the share that left is half of the risk."""
    rng = np.random.default_rng(5)
    waits = []
    for place in range(4_000):
        leaves = float(rng.exponential(60.0))
        waits.append(Spell("queue", "", "", 9, -1.0, place, min(leaves, 30.0), leaves < 30.0, "p"))
    moments = looks(waits, 1_000.0, lambda spell, waited: 0.5)
    assert len(moments.predicted) == len(waits)
    # Half a minute of a hazard of one a minute; the other half nobody saw.
    (group,) = tenths(moments, 60.0, count=1)
    assert group["observed"] == pytest.approx(1 - math.exp(-0.5), abs=0.02)
    (short,) = tenths(moments, 30.0, count=1)
    assert short["observed"] == pytest.approx(group["observed"], abs=0.005)


def test_the_ridge_is_chosen_by_what_came_later() -> None:
    penalty, tried = strength("queue", WAITS[:3_000], 10.0)
    assert penalty == min(tried, key=lambda entry: entry["log_loss"])["penalty"]
    assert strength("queue", WAITS[:3_000], 10.0) == (penalty, tried)


def test_it_is_told_in_words() -> None:
    told = " ".join(words("queue", RULES))
    assert "sales x" in told
    assert "by the wait so far" in told
