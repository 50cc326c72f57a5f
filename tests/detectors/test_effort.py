"""Effort: the laws of its sums, its explanation, and what relief may and may not do."""

from __future__ import annotations

import random
from math import log
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import effort
from detectors.bounds import MOST_PARTS
from detectors.examples import MONDAY, Story, fold, hours, minutes
from detectors.packed import pack, unpack
from detectors.partition import PartitionFold
from detectors.policy import DEFAULT_TEXT, default, parse
from detectors.ring import MOST_EVENTS
from detectors.signals import DIRECT, NUMBER, SIGNALS
from detectors.state import Customer

POLICY = default()
# Any order within two hours is within the lateness.
PATIENT = parse(DEFAULT_TEXT.replace('lateness = "60s"', 'lateness = "3h"'))
DAY = hours(24)
CLOSE = 1e-9

# Types that are a signal by themselves and open no contact, whose order would be judged.
PLAIN = sorted(set(DIRECT) - {"complaint.opened", "complaint.closed", "social.mention"})
MOMENTS = st.integers(0, hours(2))
SIGNALS_TOLD = st.lists(
    st.tuples(st.sampled_from(PLAIN), MOMENTS, st.sampled_from(["order", "loan", "claim"])),
    min_size=1,
    max_size=25,
)


def told(story: Story, number: int, one: tuple[str, int, str]) -> None:
    kind, at, journey = one
    story.tell(kind, at, {"channel": "web", "session_id": "s", "journey": journey}, id=f"e{number}")


def sums(state: Customer, time: int = MONDAY + hours(3)) -> dict[str, tuple[float, ...]]:
    found: dict[str, tuple[float, ...]] = {"": effort.decayed(state.sums, time, PATIENT)}
    for journey in state.journeys:
        found[journey.name] = (
            *effort.decayed(journey.sums, time, PATIENT),
            effort.score(journey.sums, time, PATIENT),
            sum(effort.load(part, time, PATIENT) for part in journey.parts),
        )
    return found


def close(a: dict[str, tuple[float, ...]], b: dict[str, tuple[float, ...]]) -> bool:
    return a.keys() == b.keys() and all(a[name] == pytest.approx(b[name], abs=CLOSE) for name in a)


@settings(max_examples=150)
@given(SIGNALS_TOLD, st.randoms(use_true_random=False), st.sets(st.integers(0, 24)))
def test_any_order_and_any_split_give_the_same(
    signals: list[tuple[str, int, str]], rng: random.Random, restarts: set[int]
) -> None:
    """Direct signals commute, also when the partition is packed and restored in between."""
    one = Story(PATIENT)
    for number, signal in sorted(enumerate(signals), key=lambda pair: pair[1][1]):
        told(one, number, signal)
    two = Story(PATIENT)
    mixed = list(enumerate(signals))
    rng.shuffle(mixed)
    for place, (number, signal) in enumerate(mixed):
        if place in restarts:
            kept = two.log.fold.changed()
            two.log.fold = PartitionFold(0, PATIENT, lambda *_: "sealed")
            for key, raw in kept:
                two.log.fold.load(key, raw)
        told(two, number, signal)
    assert close(sums(one.jane), sums(two.jane))
    assert close(sums(one.jane), sums(unpack(pack(two.jane))))


@settings(max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(PLAIN), MOMENTS), min_size=1, max_size=MOST_EVENTS))
def test_contributions_add_up(signals: list[tuple[str, int]]) -> None:
    """To the score, whatever came, in whatever order, more signals than are kept apart included."""
    story = Story(PATIENT)
    for number, (kind, at) in enumerate(signals):
        told(story, number, (kind, at, "order"))
        (journey,) = story.jane.journeys
        for now in (MONDAY + at, MONDAY + hours(2), MONDAY + 30 * DAY):
            score = effort.score(journey.sums, now, PATIENT)
            parts = effort.contributions(journey.parts, score, now, PATIENT)
            assert sum(points for _, points, _, _ in parts) == pytest.approx(score, abs=CLOSE)
    assert len(journey.parts) <= MOST_PARTS
    assert sum(part.count for part in journey.parts) == len(signals)


def test_more_of_one_moment_than_a_ring_holds_are_all_in_order() -> None:
    story = Story(PATIENT)
    for number in range(3 * MOST_EVENTS):
        told(story, 1_000 + number, ("rage_click", 0, "order"))
    (journey,) = story.jane.journeys
    assert sum(part.count for part in journey.parts) == 3 * MOST_EVENTS
    counts = story.log.fold.counts
    assert (counts.scored, counts.late) == (3 * MOST_EVENTS, 0)
    assert counts.overflows > 0


def test_parts_are_weighed_at_one_moment() -> None:
    """Also where the last to come was the first to happen."""
    story = Story(PATIENT)
    told(story, 0, ("rage_click", hours(2), "order"))
    told(story, 1, ("error_click", 0, "order"))
    (journey,) = story.jane.journeys
    score = effort.score(journey.sums, MONDAY, PATIENT)
    first, second = effort.contributions(journey.parts, score, MONDAY, PATIENT)
    kept = effort.load(journey.parts[0], MONDAY + hours(2), PATIENT) / 4.0
    assert (SIGNALS[first[0]].name, SIGNALS[second[0]].name) == ("rage_click", "error_click")
    assert second[1] / first[1] == pytest.approx(kept)
    assert kept < 0.4


def test_relief_beyond_friction_is_clamped_and_says_so() -> None:
    story = fold(("rage_click", 0, {}), ("purchase", 1, {}), ("callback.completed", 2, {"channel": "web"}))
    (journey,) = story.jane.journeys
    assert effort.load(journey.sums, MONDAY + 2, POLICY) < -4
    assert effort.score(journey.sums, MONDAY + 2, POLICY) == 0.0
    parts = effort.contributions(journey.parts, 0.0, MONDAY + 2, POLICY)
    by = {SIGNALS[number].name if number >= 0 else "clamp": points for number, points, _, _ in parts}
    assert by["rage_click"] == pytest.approx(20, abs=0.01)
    assert by["callback_completed"] == pytest.approx(-30, abs=0.01)
    assert by["clamp"] == pytest.approx(25, abs=0.01)
    assert sum(by.values()) == pytest.approx(0, abs=CLOSE)


def test_many_signals_share_a_bucket_and_what_need_is_told_by_stays() -> None:
    story = Story()
    kinds = ["human.requested", *[kind for kind in PLAIN if kind != "human.requested"]]
    for number, kind in enumerate(kinds):
        told(story, number, (kind, number * 1000, "order"))
    (journey,) = story.jane.journeys
    names = {SIGNALS[part.signal].name for part in journey.parts}
    assert "other" in names
    assert {"human_requested", "callback_missed", "ticket_reopened"} <= names
    assert len(journey.parts) == MOST_PARTS


def test_many_journeys_lose_none_of_the_customers() -> None:
    story = Story()
    for number in range(9):
        told(story, number, ("rage_click", number, f"journey-{number}"))
    assert len(story.jane.journeys) == 4
    acute, chronic = effort.decayed(story.jane.sums, MONDAY + 8, POLICY)
    assert acute == pytest.approx(36, abs=1e-3)
    assert chronic == pytest.approx(36, abs=1e-3)


def test_halves_after_a_half_life_and_scores_as_written() -> None:
    story = fold(("error_click", 0, {}), ("error_click", 0, {}), ("error_click", 0, {}))
    acute, chronic = effort.decayed(story.jane.sums, MONDAY + minutes(20), POLICY)
    assert acute == pytest.approx(6.0)
    assert effort.decayed(story.jane.sums, MONDAY + 3 * DAY, POLICY)[1] == pytest.approx(6.0)
    score = effort.score(story.jane.sums, MONDAY, POLICY)
    assert score == pytest.approx(45.11883639)
    assert chronic < 12


@given(st.floats(0, 100))
def test_ces(score: float) -> None:
    """1-7 with 7 easy, falling in a straight line."""
    assert 1 <= effort.ces(score) <= 7
    assert effort.ces(score) == pytest.approx(7 - 6 * score / 100)
    assert (effort.ces(0), effort.ces(50), effort.ces(100)) == (7, 4, 1)


def test_parts_of_the_score_and_factors_of_need_add_up() -> None:
    """On every row: acute + chronic = effort; and in every brief the factors give the logit."""
    story = Story()
    rng = random.Random(7)
    for number in range(300):
        kind = rng.choice(PLAIN)
        data: dict[str, Any] = {"channel": "web", "journey": rng.choice(["order", "loan"]), "step": "s"}
        if rng.random() < 0.2:
            data |= {
                "emotion": rng.uniform(-1, 1),
                "first_time": rng.random() < 0.5,
                "risk": rng.random(),
                "prefers": rng.choice(["human", "web"]),
                "engagement": {"financial": rng.random()},
                "problem": True,
                "last_contact": rng.random() < 0.5,
            }
        story.tell(kind, number * minutes(17), data)
    rows = story.rows("events")
    assert len(rows) == 300
    for row in rows:
        if row["effort"] is None:
            assert row["coverage"] < 0.5
            assert row["ces"] is None
            continue
        assert row["effort_acute"] + row["effort_chronic"] == pytest.approx(row["effort"], abs=CLOSE)
        assert row["ces"] == pytest.approx(effort.ces(row["effort"]), abs=CLOSE)
    briefs = [message["data"] for message in story.desk if "data" in message]
    assert len(briefs) > 3
    for brief in briefs:
        logit = brief["base"] + sum(factor["log_odds"] for factor in brief["factors"])
        assert logit == pytest.approx(log(brief["human_need"] / (1 - brief["human_need"])), abs=CLOSE)
        points = sum(part["points"] for part in brief["contributions"])
        assert points == pytest.approx(brief["effort"], abs=CLOSE)


def test_too_little_observed_gives_no_score_but_a_need() -> None:
    story = fold(("human.requested", 0, {}), ("page_view", 1, {}), ("page_view", 2, {}))
    first, _, third = story.rows("events")
    assert (first["effort"], first["effort_customer"], first["ces"]) == (None, None, None)
    assert first["coverage"] == pytest.approx(1 / 3)
    assert first["human_need"] > 0.3
    assert third["effort"] > 0
    assert third["coverage"] >= 0.5


def test_relief_lowers_the_score_and_leaves_the_step_its_friction() -> None:
    before = fold(("step.failed", 0, {"step": "pay"}), ("page_view", 1, {}), ("page_view", 2, {}))
    after = fold(
        ("step.failed", 0, {"step": "pay"}), ("page_view", 1, {}), ("step.completed", 2, {"step": "pay"})
    )
    assert after.rows("events")[-1]["effort"] < before.rows("events")[-1]["effort"]
    assert after.rows("events")[-1]["human_need"] < before.rows("events")[-1]["human_need"]
    charged = after.rows("signals", from_step="pay")
    assert [(row["signal"], row["points"]) for row in charged] == [("step_failed", 6.0)]
    (relief,) = after.rows("signals", signal="step_completed")
    assert (relief["points"], relief["from_step"], relief["step"]) == (-1.0, "", "pay")


CASE = {"journey": "support", "case_id": "T-1"}


def solved_points(story: Story) -> list[tuple[float, float]]:
    rows = story.rows("signals", signal="ticket_solved")
    return [(row["time"] / DAY, round(row["points"], 9)) for row in rows]


def test_a_companys_solved_counts_in_part_and_in_full_after_the_reopen_window() -> None:
    story = fold(("ticket.created", 0, CASE), ("ticket.solved", DAY, CASE), until=20 * DAY)
    assert solved_points(story) == [(1.0, -2.4), (6.0, -5.6)]


def test_said_twice_it_counts_once() -> None:
    story = fold(("ticket.solved", 0, CASE), ("ticket.solved", DAY, CASE), until=20 * DAY)
    assert solved_points(story) == [(0.0, -2.4), (5.0, -5.6)]


def test_reopened_it_counts_no_more() -> None:
    story = fold(("ticket.solved", 0, CASE), ("ticket.reopened", 2 * DAY, CASE), until=20 * DAY)
    assert solved_points(story) == [(0.0, -2.4)]


def test_the_customers_solved_counts_at_once_and_not_more_than_in_full() -> None:
    said = CASE | {"actor": "customer"}
    assert solved_points(fold(("ticket.solved", 0, said), until=20 * DAY)) == [(0.0, -8.0)]
    both = fold(("ticket.solved", 0, CASE), ("ticket.solved", DAY, said), until=20 * DAY)
    assert solved_points(both) == [(0.0, -2.4), (1.0, -5.6)]


def test_every_direct_signal_charges_what_the_policy_says() -> None:
    for kind, name in DIRECT.items():
        (row,) = fold((kind, 0, {"journey": "j"})).rows("signals", signal=name)
        assert row["points"] == POLICY.points[NUMBER[name]], kind
        assert (row["points"] < 0) == SIGNALS[NUMBER[name]].relief
