"""The expected answer: the prior without answers, the data's with thousands, and between them with a few."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.declared import Line
from detectors.effort import ces
from detectors.examples import fold
from detectors.policy import DEFAULT_TEXT, PolicyError, parse
from streams.surveys.line import CORNERS, WEIGHT, fit, prior

EFFORTS = [0.0, 3.0, 12.5, 33.0, 50.0, 70.0, 99.0, 100.0]


def truth(effort: float) -> float:
    """A bend that no straight line has: most is lost by the first trouble."""
    return 0.8 - 0.6 * (effort / 100.0) ** 0.6


def asked(count: int, seed: int = 3) -> tuple[list[float], list[float]]:
    """Answers on the seven points of a scale, scattered by a fifth of it around the truth."""
    rng = random.Random(seed)
    efforts = [rng.choice([0.0, 100.0 * rng.random() ** 2]) for _ in range(count)]
    told = [min(1.0, max(0.0, truth(one) + rng.gauss(0, 0.15))) for one in efforts]
    return efforts, [round(6 * one) / 6 for one in told]


def error(line: Line) -> float:
    return max(abs(line.at(one) - truth(one)) for one in EFFORTS)


def test_without_answers_it_is_the_prior() -> None:
    line = fit([], [])
    assert [line.at(one) for one in EFFORTS] == pytest.approx([1 - one / 100 for one in EFFORTS], abs=1e-9)
    assert [ces(one, prior()) for one in EFFORTS] == pytest.approx([ces(one) for one in EFFORTS], abs=1e-12)


def test_with_five_it_lies_between_and_nearer_the_prior() -> None:
    efforts, told = [40.0] * 5, [0.1] * 5
    line = fit(efforts, told)
    moved = [1 - one / 100 - line.at(one) for one in (20.0, 40.0, 60.0)]
    # As by weights: five answers beside the prior's twenty, wherever they hold each other.
    assert 0.3 * 5 / (5 + WEIGHT) < moved[1] / 0.5 < 2 * 5 / (5 + WEIGHT)
    # They were given at one effort, and say something of those beside it.
    assert all(0 < one <= moved[1] + 1e-9 for one in moved)


def test_with_thousands_it_is_the_data() -> None:
    line = fit(*asked(5_000))
    assert error(line) < 0.04 < 0.2 < error(prior())


def test_more_answers_err_less() -> None:
    def typical(count: int) -> float:
        return sum(error(fit(*asked(count, seed))) for seed in range(20)) / 20

    none, few, some, many = (typical(count) for count in (0, 5, 50, 1_000))
    assert none > few > some > many


@given(
    st.lists(st.tuples(st.floats(0, 100), st.sampled_from([one / 6 for one in range(7)])), max_size=60),
)
def test_it_never_rises_with_effort_and_stays_on_the_scale(answers: list[tuple[float, float]]) -> None:
    line = fit([one for one, _ in answers], [one for _, one in answers])
    assert tuple(line.effort) == CORNERS
    assert all(0.0 <= one <= 1.0 for one in line.value)
    assert all(left >= right - 1e-9 for left, right in zip(line.value, line.value[1:], strict=False))


def test_the_fold_gives_the_mapped_score_in_rows_and_briefs() -> None:
    section = "\n[survey_fit.ces]\neffort = [0.0, 40.0, 100.0]\nvalue = [0.9, 0.3, 0.1]\n"
    web = {"channel": "web", "journey": "order", "step": "pay"}
    told = [("page_view", 0, web), ("step.failed", 1, web), ("human.requested", 2, web | {"problem": True})]
    found = {}
    for name, policy in (("plain", parse(DEFAULT_TEXT)), ("mapped", parse(DEFAULT_TEXT + section))):
        story = fold(*told, policy=policy)
        row, brief = story.rows("events")[-1], story.desk[-1]["data"]
        assert row["ces"] == pytest.approx(brief["ces"])
        found[name] = (row["effort"], row["ces"])
    effort, plain = found["plain"]
    assert found["mapped"][0] == effort
    assert plain == 7.0 - 6.0 * effort / 100.0
    share = effort / 40.0
    assert found["mapped"][1] == pytest.approx(1 + 6 * (0.9 - 0.6 * share))
    assert found["mapped"][1] < plain


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[survey_fit.cse]\neffort=[0,100]\nvalue=[1,0]", "survey_fit.cse"),
        ("[survey_fit.ces]\neffort=[0,90]\nvalue=[1,0]", "survey_fit.ces.effort"),
        ("[survey_fit.ces]\neffort=[0,50,50,100]\nvalue=[1,0.5,0.5,0]", "survey_fit.ces.effort"),
        ("[survey_fit.ces]\neffort=[0,100]\nvalue=[1,0.5,0]", "survey_fit.ces.value"),
        ("[survey_fit.ces]\neffort=[0,100]\nvalue=[0.5,0.6]", "survey_fit.ces.value"),
    ],
)
def test_a_wrong_section_is_named(text: str, key: str) -> None:
    with pytest.raises(PolicyError) as found:
        parse(f"{DEFAULT_TEXT}\n{text}\n")
    assert found.value.key == key
