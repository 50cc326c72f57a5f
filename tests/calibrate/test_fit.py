"""Shapes are found again in data that was made of them, and what is written is a sum, to the last digit."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.policy import DEFAULT_TEXT, parse
from detectors.targets import factors, logit
from streams.calibrate import boosted
from streams.calibrate.bins import NumberBins, PairBins, label_bins, number_bins
from streams.calibrate.boosted import Boosted
from streams.calibrate.calibration import evaluated
from streams.calibrate.choose import auc, choose, folds_of
from streams.calibrate.extra import one_thread
from streams.calibrate.fitting import Choice, bags, fit
from streams.calibrate.parts import Parts, learn
from streams.calibrate.section import MOST_BYTES, written
from streams.calibrate.shapes import Shapes
from streams.calibrate.text import with_section
from tests.calibrate.made import WAIT, rows

NAMES = ("wait_s", "talk_s", "queue")
CHOICES = [
    Choice("ridge", 3.0, Boosted()),
    Choice("boosting", 3.0, Boosted(200, rate=0.1, share=1.0)),
    Choice("both", 3.0, Boosted(200, rate=0.1, share=1.0)),
]


@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: choice.family)
def test_shapes_are_found_again(choice: Choice) -> None:
    made, truth = rows(6_000)
    parts = learn("survey", made, NAMES, ())
    codes = parts.codes(made)
    with one_thread():
        found = fit(choice, parts, codes, made.positive.astype(float), bags(made.customers, 2, 1))
    at = {one.name: place for place, one in enumerate(parts.bins)}
    wait = parts.bins[at["wait_s"]]
    assert isinstance(wait, NumberBins)
    middles = wait.codes(np.arange(50.0, 500.0, 100.0))
    steps = np.diff(found.parts[at["wait_s"]][middles])
    assert steps == pytest.approx(np.diff(WAIT), abs=0.3)
    cards, loans, _ = found.parts[at["queue"]]
    assert loans - cards == pytest.approx(1.5, abs=0.2)
    assert found.spreads(codes)[at["talk_s"]] < 0.15
    assert np.corrcoef(found.logits(codes), truth)[0, 1] > 0.97


def test_trees_are_a_sum_exactly() -> None:
    """What is read off a feature at a time is what the whole ensemble says of all of them together."""
    made, _ = rows(1_500)
    parts = learn("survey", made, NAMES, ())
    codes, positive = parts.codes(made), made.positive.astype(float)
    options = Boosted(60, rate=0.1, leaves=4)
    with one_thread():
        (found,) = boosted.additive(parts.bins, codes, positive, [np.ones(1_500)], options, [0, 0, 0])
        model = options.model(
            interaction_cst=[{0}, {1}, {2}],
            monotonic_cst=[0, 0, 0],
            categorical_features=[not one.ordered for one in parts.bins],
            random_state=1,
        ).fit(boosted.inputs(parts.bins, codes), positive)
        whole = model.decision_function(boosted.inputs(parts.bins, codes))
    assert found.logits(codes) == pytest.approx(whole, abs=1e-9)


@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: choice.family)
def test_no_step_against_common_sense(choice: Choice) -> None:
    made, _ = rows(1_500)
    made.positive = ~made.positive  # now who waits longer is less likely
    parts = learn("survey", made, NAMES, ())
    held = Parts(parts.bins, [1 if one.name == "wait_s" else 0 for one in parts.bins])
    codes = held.codes(made)
    with one_thread():
        found = fit(choice, held, codes, made.positive.astype(float), bags(made.customers, 1, 1))
    place = next(place for place, one in enumerate(held.bins) if one.name == "wait_s")
    assert np.diff(found.parts[place][:-1]).min() >= -1e-9


def test_a_pair_acts_together() -> None:
    made, _ = rows(4_000)
    wait, queue = made.column("wait_s"), made.column("queue")
    random = np.random.default_rng(0)
    odds = np.where((wait > 250.0) & (queue == "loans"), 2.0, -1.0)
    made.positive = random.random(4_000) < 1.0 / (1.0 + np.exp(-odds))
    parts = learn("survey", made, NAMES, [("queue", "wait_s")])
    codes, positive = parts.codes(made), made.positive.astype(float)
    with one_thread():
        alone = fit(CHOICES[0], Parts(parts.bins[:-1], [0, 0, 0]), codes[:, :-1], positive, [np.ones(4_000)])
        found = fit(CHOICES[0], parts, codes, positive, [np.ones(4_000)])
    assert isinstance(parts.bins[-1], PairBins)
    assert auc(positive, found.logits(codes)) > auc(positive, alone.logits(codes[:, :-1])) + 0.02
    section = written("recontact", "recontact=60", ["call.ended"], parts, found, codes, positive)
    policy = parse(with_section(DEFAULT_TEXT, "targets.recontact", section.text))
    own = section.shapes.logits(section.parts.codes(made))
    assert evaluated(policy, "recontact", made) == pytest.approx(own, abs=1e-9)


def test_what_is_written_is_what_is_validated() -> None:
    made, _ = rows(2_000)
    made.labels[::7, 4] = 'a "quoted" \\ queue\n'
    parts = learn("survey", made, NAMES, ())
    codes, positive = parts.codes(made), made.positive.astype(float)
    with one_thread():
        shapes = fit(CHOICES[2], parts, codes, positive, bags(made.customers, 1, 1))
    section = written("reopen", "reopen", ["ticket.solved"], parts, shapes, codes, positive, live=True)
    policy = parse(with_section(DEFAULT_TEXT, "targets.reopen", section.text))
    target = policy.targets["reopen"]
    assert target.live
    found = evaluated(policy, "reopen", made)
    assert found == pytest.approx(section.shapes.logits(section.parts.codes(made)), abs=1e-9)
    # Rounding and small steps that were left out change next to nothing.
    assert auc(positive, found) == pytest.approx(auc(positive, shapes.logits(codes)), abs=0.003)
    assert np.mean(1.0 / (1.0 + np.exp(-found))) == pytest.approx(positive.mean(), abs=1e-3)
    for numbers, labels in zip(made.numbers.tolist()[:200], made.labels.tolist()[:200], strict=True):
        told = factors(target, numbers, labels)
        assert target.base + sum(value for _, value in told) == pytest.approx(
            logit(target, numbers, labels), abs=1e-12
        )


def test_a_section_keeps_to_its_size() -> None:
    made, _ = rows(500)
    random = np.random.default_rng(1)
    names = [name for name in ("wait_s", "talk_s") for _ in range(40)]
    bins = [number_bins(name, random.normal(size=500), least=5) for name in names]
    parts = Parts([*bins], [0] * len(bins))
    codes = random.integers(0, 10, (500, len(bins)))
    shapes = Shapes(0.0, [random.normal(0.0, 0.1 + place, one.size) for place, one in enumerate(bins)])
    section = written(
        "reopen", "reopen", ["ticket.solved"], parts, shapes, codes, made.positive.astype(float)
    )
    assert len(section.text.encode()) <= MOST_BYTES
    assert 5 < len(section.parts.bins) < len(bins)


def test_choice_looks_ahead_in_time_alone() -> None:
    """A feature that told the outcome until yesterday and says nothing since is not believed."""
    made, _ = rows(1_500)
    folds = folds_of("survey", made, NAMES, (), 24 * 3_600_000)
    assert len(folds) == 4
    for fold in folds:
        assert fold.after.min() * 3_600_000 >= made.times[len(fold.positive) - 1] + 24 * 3_600_000
    with one_thread():
        chosen = choose(folds[:1])
    assert len(chosen.logits) == len(folds[0].after)
    assert chosen.tried
    assert auc(folds[0].truth, chosen.logits) > 0.6


def test_bins_of_odd_columns() -> None:
    assert number_bins("a", np.full(50, np.nan)).edges == []
    assert number_bins("a", np.full(50, 3.0)).edges == []
    assert number_bins("a", np.array([0.0] * 95 + [1.0] * 5), least=20).edges == []
    assert number_bins("a", np.array([-0.5] * 50 + [2e9] * 50)).edges == [0.0]
    faded = np.array([0.0] * 50 + [5e-322] * 50 + [0.5] * 50 + [1.0] * 50)
    assert number_bins("a", faded).edges == [0.5, 1.0]
    ties = number_bins("a", np.repeat(np.arange(5.0), 40))
    assert ties.edges == [1.0, 2.0, 3.0, 4.0]
    assert label_bins("b", np.array(["x"] * 30 + ["y"] * 3, object)).levels == ["x"]
