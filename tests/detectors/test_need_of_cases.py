"""Human need at tickets: the story of the case is part of it, by reason and not by fit."""

from __future__ import annotations

import bisect
import math
from typing import Any

import pytest

from detectors import BUILD
from detectors.examples import Story, Told, fold, minutes
from detectors.features import NUMBERS
from detectors.need import logistic
from detectors.policy import DEFAULT_TEXT, Policy, default, parse
from tests.detectors.watching import watch
from tests.sources.datasets import replayed

POLICY = default()
# As plain Python all of them would take as long as the other tests of the detectors together.
EVENTS = 86_819 if BUILD == "compiled" else 12_000
KEYS = ("case_updates", "case_moves", "case_returns")


def ticket(kind: str, at: float, name: str = "K1", **data: Any) -> Told:
    return f"ticket.{kind}", minutes(at), {"case_id": name, "channel": "ticket", "journey": "claim", **data}


def without() -> Policy:
    """A policy of before a case's story was known."""
    lines = [line for line in DEFAULT_TEXT.split("\n") if not line.startswith(KEYS)]
    return parse("\n".join(lines))


def logit(story: Story, at: int = -1) -> float:
    need = story.rows("events")[at]["human_need"]
    return math.log(need / (1 - need))


MOVED = [
    ticket("created", 0),
    ticket("assignment_changed", 10, from_team="a", to_team="b"),
    ticket("assignment_changed", 20, from_team="b", to_team="c"),
    ticket("updated", 30),
    ticket("solved", 40),
]


def test_what_it_adds_is_what_the_policy_says() -> None:
    more = logit(fold(*MOVED)) - logit(fold(*MOVED, policy=without()))
    assert more == pytest.approx(0.3 * math.log2(5) + 0.3 * 2, abs=1e-9)
    first = fold(*MOVED), fold(*MOVED, policy=without())
    assert logit(first[0], 0) == logit(first[1], 0), "a case just opened has no story"


def test_moves_count_up_to_four_and_cases_that_came_back_up_to_two() -> None:
    moves = [ticket("assignment_changed", at, from_team=f"t{at}", to_team=f"t{at + 1}") for at in range(1, 9)]
    told = [ticket("created", 0), *moves]
    more = logit(fold(*told)) - logit(fold(*told, policy=without()))
    assert more == pytest.approx(0.3 * math.log2(9) + 0.3 * 4, abs=1e-9)
    back = [ticket(kind, at, f"B{at % 3}") for at in range(3) for kind in ("created", "solved", "reopened")]
    told = [*back, ticket("created", 60, "new")]
    more = logit(fold(*told)) - logit(fold(*told, policy=without()))
    assert more == pytest.approx(0.8 * 2, abs=1e-9)


def test_an_event_that_names_no_case_knows_nothing_of_it() -> None:
    view: Told = ("page_view", minutes(50), {"journey": "claim", "session_id": "s"})
    assert logit(fold(*MOVED, view)) == logit(fold(*MOVED, view, policy=without()))
    called: Told = ("call.queued", minutes(50), {"journey": "claim", "conversation_id": "c", "case_id": "K1"})
    assert logit(fold(*MOVED, called)) > logit(fold(*MOVED, called, policy=without())) + 1.0


def test_an_alert_names_the_factors_and_they_add_up() -> None:
    told = [*MOVED, ticket("reopened", 60, first_time=True)]
    (message,) = fold(*told).desk
    brief = message["data"]
    found = {entry["factor"]: entry["log_odds"] for entry in brief["factors"]}
    assert found["case_updates"] == pytest.approx(0.3 * math.log2(6))
    assert (found["case_moves"], found["case_returns"]) == (0.6, 0.8)
    assert brief["target"] == ""
    assert brief["human_need"] == pytest.approx(logistic(brief["base"] + sum(found.values())), abs=1e-12)


def auc(scores: list[float], positive: list[bool]) -> float:
    """The chance that a positive one scores higher than a negative one; half of it where they are equal."""
    negative = sorted(score for score, yes in zip(scores, positive, strict=True) if not yes)
    found = [score for score, yes in zip(scores, positive, strict=True) if yes]
    below = sum(bisect.bisect_left(negative, score) + bisect.bisect_right(negative, score) for score in found)
    return below / (2 * len(negative) * len(found))


def test_at_the_first_solution_it_ranks_who_reopens_better_than_the_count_of_updates() -> None:
    """On 13,300 incidents, uncalibrated; on the first of them as plain Python."""
    kinds = frozenset(["ticket.solved", "ticket.reopened"])
    seen = watch(replayed("servicenow-incidents").events[:EVENTS], POLICY, kinds).watched
    first: dict[str, tuple[float, float]] = {}
    reopened = {one.e.case_id for one in seen if one.e.type == "ticket.reopened"}
    for one in seen:
        if one.e.type == "ticket.solved":
            first.setdefault(one.e.case_id, (one.human_need, one.numbers[NUMBERS["updates"]]))
    labels = [case in reopened for case in first]
    need, updates = (auc([scores[at] for scores in first.values()], labels) for at in (0, 1))
    print(f"reopening at the first solution: human need {need:.4f}, updates {updates:.4f}")
    if BUILD == "compiled":
        assert (len(labels), sum(labels)) == (13_300, 175)
        assert need > 0.63 > updates > 0.6
    else:
        assert need > 0.5
