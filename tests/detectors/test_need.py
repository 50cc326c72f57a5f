"""Human need and candidates: when one is raised, amended, resolved, and what may never count."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.cause import cause
from detectors.examples import MONDAY, Story, Told, fold, hours, minutes
from detectors.moment import Findings, Moment
from detectors.policy import DEFAULT_TEXT, Policy, default, parse
from detectors.tables import TABLES

POLICY = default()
DAY = hours(24)
WEB = {"channel": "web", "session_id": "s", "journey": "order", "step": "pay"}
CALL = {"channel": "phone", "conversation_id": "c1", "journey": "order"}
FAILS: Told = ("step.failed", 1000, WEB)
ASKS: Told = ("human.requested", 2000, WEB)
STRESS: list[Told] = [("page_view", 0, WEB), FAILS, ASKS, ("rage_click", 3000, WEB)]


def types(story: Story) -> list[str]:
    return [message["type"].removeprefix("candidate.") for message in story.desk]


def needs(story: Story) -> list[float]:
    return [row["human_need"] for row in story.rows("events")]


def test_raised_once_when_need_crosses_the_line() -> None:
    story = fold(*STRESS)
    crossing = next(index for index, need in enumerate(needs(story)) if need >= 0.5)
    assert types(story)[0] == "raised"
    assert types(story).count("raised") == 1
    first = story.desk[0]
    assert first["data"]["human_need"] == needs(story)[crossing]
    assert first["data"]["trigger_event"] == {"source": "story", "id": str(crossing)}
    assert first["data"]["opened_at"] == first["time"]


def test_a_higher_level_amends_it_under_its_id() -> None:
    calls = [("callback.missed", 4000, CALL), ("call.voicemail", 5000, CALL), ("complaint.opened", 6000, WEB)]
    story = fold(*STRESS, *calls)
    assert set(types(story)) == {"raised", "updated"}
    assert len({message["id"] for message in story.desk}) == 1
    assert [message["ver"] for message in story.desk] == list(range(1, len(story.desk) + 1))
    levels = [message["data"]["level"] for message in story.desk]
    order = ["watch", "offer_help", "offer_human", "human_now"]
    assert [order.index(level) for level in levels] == sorted({order.index(level) for level in levels})
    assert {message["data"]["opened_at"] for message in story.desk} == {story.desk[0]["time"]}


def again(at: int) -> list[Told]:
    return [(kind, at + when, data) for kind, when, data in STRESS]


def test_hysteresis_and_cool_down() -> None:
    """It has to fall below the re-arm line, and the cool-down to be over, before there is another."""
    assert types(fold(*STRESS, *again(hours(1)))).count("raised") == 1, "never fell"
    fell = fold(*STRESS, ("page_view", hours(2), WEB))
    assert needs(fell)[-1] < 0.35
    assert types(fold(*STRESS, ("page_view", hours(2), WEB), *again(hours(3)))).count("raised") == 1, (
        "too soon"
    )
    story = fold(*STRESS, *again(hours(6)))
    raised = [message for message in story.desk if message["type"] == "candidate.raised"]
    assert len(raised) == 2
    assert raised[0]["id"] != raised[1]["id"]


def test_each_journey_has_its_own() -> None:
    other = [(kind, at + minutes(10), data | {"journey": "loan"}) for kind, at, data in STRESS]
    story = fold(*STRESS, *other)
    assert [m["data"]["journey"] for m in story.desk if m["type"] == "candidate.raised"] == ["order", "loan"]


def test_need_that_faded_is_re_armed_before_a_timer_adds_to_it() -> None:
    text = DEFAULT_TEXT.replace("abandoned_form = 6.0", "abandoned_form = 60").replace(
        'form = "30min"', 'form = "5h"'
    )
    story = fold(*STRESS, ("form_start", minutes(1), WEB), until=DAY, policy=parse(text))
    assert types(story).count("raised") == 2
    assert story.desk[-1]["time"] == MONDAY + hours(5) + minutes(1)


# -- overrides


@pytest.mark.parametrize(
    ("said", "name"), [({"emotion": -0.7}, "distress"), ({"vulnerable": True}, "vulnerable")]
)
def test_overrides_put_a_human_in_the_lead(said: dict[str, Any], name: str) -> None:
    story = fold(("page_view", 0, WEB | said))
    (raised,) = story.desk
    assert (raised["data"]["override"], raised["data"]["level"]) == (name, "offer_human")
    assert raised["data"]["human_need"] < 0.3, "shown apart: the need is what it is"


def test_short_of_the_line_nothing_overrides() -> None:
    assert not fold(("page_view", 0, WEB | {"emotion": -0.69, "vulnerable": False})).desk


def test_an_override_is_answered_once_while_it_holds() -> None:
    told = [("page_view", day * DAY, WEB | {"vulnerable": True}) for day in range(20)]
    assert types(fold(*told)) == ["raised"]
    assert types(fold(*told[:1], ("page_view", 31 * DAY, WEB), ("page_view", 32 * DAY, told[0][2]))) == [
        "raised",
        "raised",
    ]


def test_under_an_override_that_holds_need_still_crosses_its_line() -> None:
    story = fold(("page_view", 0, WEB | {"vulnerable": True}), *again(hours(6)))
    raised = [m["data"] for m in story.desk if m["type"] == "candidate.raised"]
    assert len(raised) == 2
    assert raised[1]["human_need"] >= 0.5
    assert raised[1]["level"] in ("offer_human", "human_now")


def test_distress_of_somebody_vulnerable_is_answered_too() -> None:
    story = fold(
        ("page_view", 0, WEB | {"vulnerable": True}),
        ("page_view", DAY, WEB | {"emotion": -0.9}),
        ("page_view", DAY + hours(3), WEB),
        ("page_view", DAY + hours(9), WEB),
    )
    assert [m["data"]["override"] for m in story.desk] == ["vulnerable", "distress"]


# -- consent


def test_without_contact_scored_and_never_a_candidate() -> None:
    refused = ("page_view", 0, WEB | {"consent": {"contact": False}})
    story = fold(refused, *again(1000), ("page_view", 9000, WEB | {"emotion": -1, "vulnerable": True}))
    assert max(needs(story)) > 0.5
    assert not story.desk


def test_contact_refused_later_ends_amendments_and_allowed_again_they_come() -> None:
    worse = ("complaint.opened", minutes(3), WEB)
    refused = ("survey.response", minutes(2), WEB | {"consent": {"contact": False}})
    assert "updated" in types(fold(*STRESS, worse))
    assert "updated" not in types(fold(*STRESS[:3], refused, worse))[1:]
    allowed = ("page_view", minutes(4), WEB | {"consent": {"contact": True}})
    assert "updated" in types(fold(*STRESS[:3], refused, worse, allowed))


def test_without_profiling_stored_and_nothing_concluded() -> None:
    """Also from later events that say nothing of consent, and from timers of what was begun before."""
    refused = ("page_view", 1000, WEB | {"consent": {"profiling": False}})
    story = fold(
        ("form_start", 0, WEB),
        refused,
        *again(2000),
        ("email.received", 9000, {"case_id": "K"}),
        until=30 * DAY,
    )
    rows = story.rows("events")
    assert len(rows) == 7
    assert all((row["effort"], row["human_need"], row["coverage"]) == (None, 0.0, 0.0) for row in rows[1:])
    assert not story.rows("signals")
    assert not story.rows("abandonments")
    assert not story.desk
    assert story.log.fold.counts.unscored == 6


def test_profiling_allowed_again() -> None:
    refused = ("page_view", 0, WEB | {"consent": {"profiling": False}})
    allowed = ("page_view", 10, WEB | {"consent": {"profiling": True}})
    assert types(fold(refused, allowed, *again(1000)))[0] == "raised"


def test_the_latest_word_on_consent_holds_whatever_comes_last() -> None:
    refused = ("page_view", 10_000, WEB | {"consent": {"profiling": False, "contact": False}})
    before = ("page_view", 5_000, WEB | {"consent": {"profiling": True, "contact": True}})
    context = fold(refused, before).jane.context
    assert (context.may_profile, context.may_contact) == (False, False)
    late = fold(("page_view", DAY, WEB), ("page_view", 0, WEB | {"consent": {"profiling": False}}))
    assert not late.jane.context.may_profile, "a refusal counts however late"


# -- bias


@settings(max_examples=40)
@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "segment": st.sampled_from(["gold", "senior", "immigrant", "x"]),
                "priority": st.sampled_from(["0", "1", "2", "high"]) | st.integers(0, 9),
                "language": st.sampled_from(["he", "en"]),
                "age": st.integers(18, 99),
                "tier": st.sampled_from(["a", "b"]),
                "gender": st.sampled_from(["f", "m"]),
            },
        ),
        min_size=7,
        max_size=7,
    )
)
def test_segment_priority_and_the_like_change_no_score(attributes: list[dict[str, Any]]) -> None:
    told = [
        *STRESS,
        ("form_start", 4000, WEB),
        ("call.queued", minutes(5), CALL),
        ("call.abandoned", minutes(9), CALL),
    ]
    plain = fold(*told, until=DAY)
    marked = fold(
        *[(kind, at, data | more) for (kind, at, data), more in zip(told, attributes, strict=True)], until=DAY
    )
    free = {"segment", "priority", "language", "attributes"}
    for table in TABLES:
        ours, theirs = plain.rows(table), marked.rows(table)
        assert [{k: v for k, v in row.items() if k not in free} for row in ours] == [
            {k: v for k, v in row.items() if k not in free} for row in theirs
        ]
    for message in [*plain.desk, *marked.desk]:
        message.get("data", {}).pop("language", None)
    assert plain.desk == marked.desk


# -- cause


def cause_of(*told: Told) -> str:
    story = fold(*told, policy=POLICY)
    at = max(when for _, when, _ in told)
    return cause(Moment(story.jane, POLICY, Findings(), MONDAY + at, 0, 0), story.jane.journeys[0])


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([("page_view", 0, WEB)], "unknown"),
        ([FAILS], "default"),
        ([FAILS, ASKS], "default"),
        ([ASKS], "preference"),
        ([("page_view", 0, WEB | {"prefers": "human"})], "preference"),
        ([("page_view", 0, WEB | {"first_time": True, "risk": 1})], "preference"),
        ([ASKS, ("step.failed", 3000, WEB)], "both"),
        ([("rage_click", 0, WEB)], "unknown"),
        ([FAILS, ("page_view", 3 * DAY, WEB)], "unknown"),
    ],
)
def test_by_default_or_by_preference(told: list[Told], expected: str) -> None:
    assert cause_of(*told) == expected


# -- completion, surveys


@pytest.mark.parametrize("done", ["purchase", "ticket.solved", "callback.completed"])
def test_a_completion_resolves(done: str) -> None:
    story = fold(*STRESS, (done, minutes(5), WEB), (done, minutes(6), WEB))
    assert types(story)[-1] == "completed"
    assert types(story).count("completed") == 1
    assert story.desk[-1]["outcome"] == "completed"
    assert story.desk[-1]["ver"] == story.desk[-2]["ver"] + 1


def test_a_complaint_is_never_resolved_by_itself() -> None:
    """Not while it is open, however much else has happened in the journey."""
    complaint = ("complaint.opened", 4000, WEB)
    kinds = """dead_click quick_back js_error form_error search_no_results info.repeated bot.fallback
    callback.missed call.voicemail ticket.reopened social.mention""".split()  # noqa: SIM905 - as a reader reads it
    noise = [(kind, 5000 + number, WEB) for number, kind in enumerate(kinds)]
    story = fold(*STRESS, complaint, *noise, ("purchase", minutes(9), WEB))
    assert "completed" not in types(story)
    closed = ("complaint.closed", minutes(10), WEB)
    assert "completed" not in types(story.tell(*closed))
    assert types(story.tell("purchase", minutes(11), WEB))[-1] == "completed"


def test_a_survey_changes_no_score_and_stores_the_effort_before_it() -> None:
    story = fold(*STRESS)
    before, effort = story.jane.journeys[0].sums, story.rows("events")[-1]["effort"]
    kept = (before.acute, before.chronic, before.at)
    answer = {"metric": "ces", "version": "2.0", "score": 1, "emotion": -1, "vulnerable": True}
    story.tell("survey.response", 3000, answer | {"journey": "order"})
    story.tell("survey.response", 3000, answer | {"journey": "elsewhere"})
    assert len(story.jane.journeys) == 1
    assert (before.acute, before.chronic, before.at) == kept
    first, second = story.rows("surveys")
    assert (first["effort_before"], first["value"], first["score"]) == (effort, 0.0, 1.0)
    assert second["effort_before"] == 0.0
    assert needs(story)[-2] == needs(story)[-3]
    coverage = [row["coverage"] for row in story.rows("events")]
    assert coverage[-1] == coverage[-3]
    assert types(story) == types(fold(*STRESS))


def test_a_survey_of_somebody_hardly_seen_has_nothing_to_compare_with() -> None:
    (row,) = fold(("survey.response", 0, {"metric": "nps", "score": 9})).rows("surveys")
    assert (row["effort_before"], row["value"]) == (None, 0.9)


def test_habit_is_of_journeys() -> None:
    steps = fold(*[("step.completed", at, WEB) for at in range(5)])
    bought = fold(*[("purchase", at, WEB) for at in range(5)])
    assert steps.jane.journeys[0].completions == 0
    assert bought.jane.journeys[0].completions == 5
    assert needs(bought)[-1] < needs(steps)[-1]


def test_a_steps_own_zero_is_not_the_general_one() -> None:
    text = DEFAULT_TEXT.replace('"*/cancel" = 0.8', '"*/cancel" = 0.8\n"trial/cancel" = 0.0')

    def need(journey: str, policy: Policy) -> float:
        return needs(fold(("page_view", 0, {"journey": journey, "step": "cancel"}), policy=policy))[0]

    assert need("plan", parse(text)) > need("trial", parse(text))
