"""Measures: those of scikit-learn, ties and all, and intervals that are what they say."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from streams.targets.measures import Interval, Rows, _Order

Floats = npt.NDArray[np.float64]


def made(n: int, levels: int, seed: int) -> tuple[Floats, npt.NDArray[np.bool_], list[str]]:
    """Scores with ties, outcomes that lean on them, and customers with several rows each."""
    random = np.random.default_rng(seed)
    score = random.integers(0, levels, n) / levels
    positive = random.random(n) < 0.1 + 0.4 * score
    return score, positive, [f"c{number}" for number in random.integers(0, n // 3, n)]


@pytest.mark.parametrize("levels", [2, 7, 100_000])
def test_figures_are_scikit_learns(levels: int) -> None:
    score, positive, customers = made(2_000, levels, seed=levels)
    found = Rows(positive, customers, times=20).ranked({"s": score}, probabilities=["s"]).measures("s")
    assert found["auc"].value == pytest.approx(roc_auc_score(positive, score), abs=1e-12)
    assert found["average_precision"].value == pytest.approx(
        average_precision_score(positive, score), abs=1e-12
    )
    assert found["brier"].value == pytest.approx(brier_score_loss(positive, score), abs=1e-12)
    assert found["base_rate"].value == pytest.approx(positive.mean(), abs=1e-12)
    assert found["n"].value == 2_000


def test_weights_are_scikit_learns_sample_weights() -> None:
    score, positive, _ = made(500, 11, seed=5)
    weights = np.random.default_rng(6).integers(0, 4, (10, 500)).astype(np.float64)
    auc, precision = _Order(score, positive, np.arange(500)).measures(weights)
    for place, own in enumerate(weights):
        assert auc[place] == pytest.approx(roc_auc_score(positive, score, sample_weight=own), abs=1e-12)
        expected = average_precision_score(positive, score, sample_weight=own)
        assert precision[place] == pytest.approx(expected, abs=1e-12)


def test_customers_are_drawn_and_not_rows() -> None:
    score, positive, _ = made(600, 50, seed=3)
    alone = Rows(positive, [str(n) for n in range(600)]).ranked({"s": score}).interval("s", "auc")
    # Each row four times, as one customer's: nothing more is known than before.
    four = [str(n) for n in range(600)] * 4
    fourfold = Rows(np.tile(positive, 4), four).ranked({"s": np.tile(score, 4)}).interval("s", "auc")
    as_rows = Rows(np.tile(positive, 4), [str(n) for n in range(2_400)])
    narrow = as_rows.ranked({"s": np.tile(score, 4)}).interval("s", "auc")
    assert width(fourfold) == pytest.approx(width(alone), rel=1e-9)
    assert width(narrow) == pytest.approx(width(alone) / 2, rel=0.1)


def width(found: Interval) -> float:
    assert found.low is not None
    assert found.high is not None
    return found.high - found.low


def test_an_interval_holds_the_truth_as_often_as_it_says() -> None:
    random = np.random.default_rng(8)
    held = 0
    for _ in range(200):
        customers = [str(number) for number in random.integers(0, 120, 300)]
        found = Rows(random.random(300) < 0.3, customers, times=200).ratio(random.random(300) < 0.4)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0.4 <= found.high
    # Two standard errors around 190 of 200, and one in a hundred for the bootstrap's own narrowness.
    assert 181 <= held <= 199


def test_the_same_rows_give_the_same_intervals() -> None:
    score, positive, customers = made(400, 9, seed=2)
    first, second = (Rows(positive, customers).ranked({"s": score}).measures("s") for _ in range(2))
    assert first == second


def test_differences_are_paired() -> None:
    score, positive, customers = made(1_000, 1_000, seed=4)
    worse = score + np.random.default_rng(5).normal(0, 0.02, 1_000)
    found = Rows(positive, customers).ranked({"a": score, "b": worse, "c": score})
    assert found.difference("a", "c")["auc"] == Interval(0.0, 0.0, 0.0)
    paired = found.difference("a", "b")["auc"]
    assert width(paired) < width(found.interval("a", "auc")) / 3
    assert paired.value == pytest.approx(roc_auc_score(positive, score) - roc_auc_score(positive, worse))
    assert "brier" not in found.difference("a", "b"), "neither was called a probability"


def test_reliability_by_equal_parts() -> None:
    random = np.random.default_rng(1)
    probability = random.random(5_000)
    positive = random.random(5_000) < probability
    bins = Rows(positive, [str(n) for n in range(5_000)], times=200).reliability(probability)
    assert [one.n for one in bins] == [500] * 10
    order = np.argsort(probability)
    for part, one in zip(np.split(order, 10), bins, strict=True):
        assert one.predicted == pytest.approx(probability[part].mean())
        assert one.observed.value == pytest.approx(positive[part].mean())


@pytest.mark.parametrize("values", [[0.5] * 40, [0.1] * 30 + [0.9] * 10, [0.3]])
def test_equal_predictions_stay_together(values: list[float]) -> None:
    rows = Rows([n % 2 == 0 for n in range(len(values))], [str(n) for n in range(len(values))], times=10)
    bins = rows.reliability(values)
    assert sorted({round(one.predicted, 9) for one in bins}) == sorted(set(values))
    assert sum(one.n for one in bins) == len(values)


def test_where_there_is_nothing_to_say() -> None:
    nothing = Rows([], []).ranked({"s": []}, probabilities=["s"]).measures("s")
    assert nothing["auc"] == Interval(None, None, None)
    assert Rows([], []).reliability([]) == []
    one_side = Rows([False] * 5, list("abcde")).ranked({"s": [1, 2, 3, 4, 5]}).measures("s")
    assert one_side["auc"].value is None
    assert one_side["base_rate"] == Interval(0.0, 0.0, 0.0)
    alone = Rows([True, False], ["a", "a"]).ranked({"s": [2, 1]}).measures("s")
    assert alone["auc"] == Interval(1.0, None, None)
