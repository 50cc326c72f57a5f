"""By default or by preference: what is evidence of either, for how long, and how often it counts."""

from __future__ import annotations

from typing import Any

import pytest

from detectors.cause import cause, circumstances, stated
from detectors.examples import MONDAY, Told, fold, hours, minutes
from detectors.moment import Findings, Moment
from detectors.policy import DEFAULT_TEXT, Policy, PolicyError, default, parse

POLICY = default()
WEB = {"channel": "web", "session_id": "s", "journey": "loan", "step": "income"}
CALL = {"channel": "phone", "conversation_id": "c", "journey": "loan"}
FAILS: Told = ("step.failed", minutes(1), WEB)
ASKS: Told = ("human.requested", 0, WEB)


def moment(told: tuple[Told, ...], at: int = -1, policy: Policy = POLICY) -> Moment:
    """The end of a story, or a later moment."""
    story = fold(*told, policy=policy)
    when = max(when for _, when, _ in told) if at < 0 else at
    return Moment(story.jane, policy, Findings(), MONDAY + when, 0, 0)


def why(*told: Told, at: int = -1, policy: Policy = POLICY) -> str:
    m = moment(told, at, policy)
    return cause(m, m.journey("loan"))


def visit(about: dict[str, Any], times: int) -> list[Told]:
    return [("page_view", minutes(place), WEB | about) for place in range(times)]


ABOUT: list[dict[str, Any]] = [
    {"engagement": {"financial": 0.8}},
    {"first_time": True},
    {"risk": 0.8},
    {"last_contact": True},
    {"emotion": -0.9},
    {"prefers": "human"},
]


@pytest.mark.parametrize("about", ABOUT, ids=[next(iter(about)) for about in ABOUT])
def test_said_with_each_event_of_a_visit_it_is_still_one_circumstance(about: dict[str, Any]) -> None:
    once, often = (moment(tuple(visit(about, times))) for times in (1, 20))
    assert stated(once, once.journey("loan")) == stated(often, often.journey("loan"))
    assert circumstances(once) == circumstances(often)
    assert stated(once, once.journey("loan")) + circumstances(once) > 0.3


def test_a_circumstance_counts_while_it_holds() -> None:
    new = visit({"first_time": True}, 1)
    assert [why(*new, at=hours(at)) for at in (0, 23, 25)] == ["preference", "preference", "unknown"]
    taken_back = ("page_view", minutes(1), WEB | {"first_time": False})
    assert why(*new, taken_back) == "unknown"


def test_distress_counts_until_it_fades() -> None:
    upset = visit({"emotion": -0.9}, 1)
    assert [why(*upset, at=minutes(at)) for at in (5, 120)] == ["preference", "unknown"]


def test_what_failed_is_the_likelier_cause_beside_circumstances() -> None:
    everything = {"first_time": True, "risk": 1, "engagement": {"financial": 1}, "emotion": -0.9}
    assert why(*visit(everything, 5)) == "preference"
    assert why(*visit(everything, 5), ("step.failed", minutes(6), WEB)) == "default"


def test_beside_a_stated_preference_it_is_both() -> None:
    assert why(ASKS, FAILS) == "both"
    assert why(*visit({"prefers": "human"}, 3), ("step.failed", minutes(4), WEB)) == "both"
    assert why(FAILS, ("human.requested", minutes(2), WEB)) == "default", "they asked because it had failed"


def test_going_to_people_first_is_weaker_than_asking_for_one() -> None:
    looked, called = ("page_view", 0, WEB), ("ivr.enter", minutes(5), CALL)
    assert why(looked, called) == "preference"
    failed = ("callback.missed", minutes(9), CALL)
    assert why(looked, called, failed) == "default"
    assert why(ASKS, looked, failed) == "both"


def test_a_single_soft_failure_is_not_yet_known() -> None:
    assert why(("error_click", 0, WEB)) == "unknown"
    assert why(("error_click", 0, WEB), ("form_error", 1, WEB)) == "default"


def test_each_threshold_is_the_policys() -> None:
    def policy(name: str, value: str) -> Policy:
        line = next(line for line in DEFAULT_TEXT.splitlines() if line.startswith(name + " "))
        return parse(DEFAULT_TEXT.replace(line, f"{name} = {value}"))

    new = visit({"first_time": True}, 1)
    assert why(*new, policy=policy("threshold_preference", "0.5")) == "unknown"
    assert why(ASKS, FAILS, policy=policy("threshold_both", "1.5")) == "default"
    assert why(FAILS, policy=policy("threshold", "1.5")) == "unknown"


def test_a_policy_with_one_threshold_has_it_for_all() -> None:
    lines = [line for line in DEFAULT_TEXT.splitlines() if not line.startswith("threshold_")]
    plain = parse("\n".join(lines))
    assert why(*visit({"first_time": True}, 1), policy=plain) == "unknown"
    assert why(ASKS, FAILS, policy=plain) == "both"
    with pytest.raises(PolicyError, match=r"cause\.threshold_both"):
        parse(DEFAULT_TEXT.replace("threshold_both = 0.9", "threshold_both = -0.9"))
