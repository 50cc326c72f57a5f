"""A customer may be named before they hang up: a timer of the wait, and a factor while it holds."""

from __future__ import annotations

import random
from typing import Any

import pytest

from detectors import BUILD, quick
from detectors.examples import MONDAY, Story, Told, fold, minutes
from detectors.hazard import REACHED
from detectors.moment import Findings
from detectors.need import logistic
from detectors.packed import general, pack, unpack
from detectors.policy import default
from tests.detectors.stories import (
    LATENESS,
    Sent,
    alerts_of,
    arrivals,
    canonical,
    differences,
    final,
    final_candidates,
    folded,
    log_fold,
    sent,
    tick,
)
from tests.detectors.test_packed import states
from tests.detectors.traffic import log_of
from tests.hazard.policies import policy

POLICY = policy()
SECOND = 1_000
CALL = {"channel": "phone", "conversation_id": "c1", "journey": "order", "queue": "billing"}
FORM = {"channel": "web", "session_id": "s", "journey": "loan", "step": "address"}
QUEUED: Told = ("call.queued", 0, CALL)
# Where the risk of this wait reaches the line.
DUE = 50 * SECOND


def needs(story: Story) -> list[float]:
    return [row["human_need"] for row in story.rows("events")]


def types(story: Story) -> list[str]:
    return [message["type"].removeprefix("candidate.") for message in story.desk]


def test_a_candidate_is_raised_before_the_hang_up_and_names_the_factor() -> None:
    hung_up: Told = ("call.abandoned", minutes(3), CALL | {"where": "queue"})
    story = fold(QUEUED, hung_up, policy=POLICY)
    assert types(story)[0] == "raised"
    first = story.desk[0]
    assert first["time"] == MONDAY + DUE < MONDAY + minutes(3)
    brief = first["data"]
    factors = {factor["factor"]: factor["log_odds"] for factor in brief["factors"]}
    assert factors["may_leave"] == 3.0
    assert brief["human_need"] == pytest.approx(logistic(brief["base"] + sum(factors.values())))
    assert fold(QUEUED, hung_up).desk == []


def test_it_holds_while_the_wait_does() -> None:
    connected: Told = ("call.connected", minutes(2), CALL)
    story = fold(QUEUED, ("page_view", minutes(1), CALL | {"channel": "app"}), connected, policy=POLICY)
    before, waiting, after = needs(story)
    assert before < 0.1 < 0.5 <= waiting
    assert after < 0.1
    assert story.jane.waits == []


@pytest.mark.parametrize(
    "end",
    [
        ("call.connected", DUE - 1, CALL),
        ("call.abandoned", DUE - 1, CALL | {"where": "queue"}),
        ("callback.requested", DUE - 1, CALL),
        ("call.voicemail", DUE - 1, CALL),
        ("page_view", DUE - 1, CALL | {"consent": {"profiling": False}}),
    ],
)
def test_who_waits_no_more_has_no_timer(end: Told) -> None:
    story = fold(QUEUED, end, policy=POLICY, until=minutes(30))
    assert not any(named(message) for message in story.desk)
    assert not any(wait.leaves >= 0 for wait in story.jane.waits)


def named(message: dict[str, Any]) -> bool:
    return any(factor["factor"] == "may_leave" for factor in message.get("data", {}).get("factors", ()))


def test_a_wait_whose_end_nobody_tells_counts_no_longer_than_its_time_out() -> None:
    waits: Told = ("store.wait", 0, {"channel": "store", "journey": "order"})
    story = fold(waits, policy=POLICY).until(minutes(1))
    assert [wait.leaves for wait in story.jane.waits] == [REACHED]
    story.tell("page_view", minutes(59), FORM | {"journey": "order"})
    story.tell("page_view", minutes(61), FORM | {"journey": "order"})
    assert needs(story)[1] >= 0.5 > 0.2 > needs(story)[2]


def test_of_the_queue_and_of_what_was_announced() -> None:
    def due(**said: object) -> int:
        story = fold(("call.queued", 0, CALL | said), policy=POLICY)
        return story.jane.waits[0].leaves

    assert due() == DUE
    assert due(queue="sales") == 0
    assert due(announced_wait_s=20) < due(announced_wait_s=70)


def test_without_the_section_nothing_is_kept_and_nothing_changes() -> None:
    plain = fold(QUEUED, ("form_start", 1, FORM), policy=default())
    assert [(wait.leaves, wait.source) for wait in plain.jane.waits] == [(-1, "")]
    assert [attempt.leaves for attempt in plain.jane.attempts] == [-1, -1]
    assert plain.until(minutes(20)).desk == []


def test_a_silent_source_makes_its_timers_wait() -> None:
    story = fold(QUEUED, policy=POLICY)
    at = minutes(5)
    story.tell("io.rehuman.tick", at, {"stale": ["story"]})
    story.tell("io.rehuman.tick", at + 1, {"stale": ["story"]})
    assert story.desk == []
    story.tell("io.rehuman.tick", at + 2, {"fresh": "all"})
    assert types(story) == ["raised"]
    assert story.desk[0]["time"] == MONDAY + DUE


def test_one_who_was_answered_while_the_source_was_silent_is_not_named() -> None:
    story = fold(QUEUED, policy=POLICY)
    story.tell("io.rehuman.tick", minutes(5), {"stale": ["story"]})
    # What it had to say comes now: late, but before the timer has fired.
    story.tell("call.connected", minutes(5) - 1, CALL)
    story.tell("io.rehuman.tick", minutes(6), {"stale": ["story"]})
    assert not [wait for wait in story.jane.waits if wait.leaves >= 0]


def test_of_a_form_it_counts_from_the_last_activity() -> None:
    story = fold(("form_start", 0, FORM), ("form_change", minutes(1), FORM), policy=POLICY)
    (attempt,) = story.jane.attempts
    assert (attempt.last, attempt.leaves) == (MONDAY + minutes(1), minutes(2))
    story.until(minutes(4))
    assert story.jane.attempts[0].leaves == REACHED
    assert types(story) == ["raised"]
    assert story.desk[0]["time"] == MONDAY + minutes(3)
    # Back again, nobody is taken for gone; and so from anew.
    story.tell("form_change", minutes(10), FORM)
    assert story.jane.attempts[0].leaves == minutes(2)
    assert needs(story)[-1] < 0.1
    story.tell("form_submit", minutes(11), FORM).until(minutes(40))
    assert types(story) == ["raised"]


def test_a_cart_has_its_own() -> None:
    cart = {"channel": "web", "session_id": "s", "journey": "order", "step": "pay"}
    story = fold(("checkout_step", 0, cart), policy=policy())
    assert story.jane.attempts[0].leaves == minutes(2)


STORIES: list[list[tuple[float, str, str, dict[str, Any]]]] = [
    [(0, "phone", "call.queued", CALL), (70, "phone", "call.abandoned", CALL | {"where": "queue"})],
    [(0, "phone", "call.queued", CALL), (49, "phone", "call.connected", CALL)],
    [(0, "phone", "call.queued", CALL | {"queue": "sales"}), (30, "phone", "call.connected", CALL)],
    [(0, "web", "form_start", FORM), (90, "web", "form_change", FORM), (190, "web", "form_submit", FORM)],
]


def records(seed: int) -> list[Sent]:
    rng = random.Random(seed)
    told = [(f"c{place % 5}", rng.uniform(0, 500), story) for place, story in enumerate(STORIES * 4)]
    return sent(told)


@pytest.mark.parametrize("seed", range(6))
def test_in_any_order_the_same_is_left(seed: int) -> None:
    rng = random.Random(seed)
    events = records(seed)
    last = max(one.time for one in events) + minutes(2)
    time = [
        *(tick(at) for at in range(MONDAY, last, minutes(1))),
        tick(last + LATENESS),
        tick(last + minutes(2_000)),
    ]
    ordered, clean = folded(canonical([*events, *time]), POLICY)
    mixed, log = folded(
        arrivals(events, time, lambda: rng.randrange(LATENESS), lambda: rng.random() < 0.2),
        POLICY,
        restart=lambda: seed % 2 == 1 and rng.random() < 0.1,
    )
    assert any(named(message) for message in ordered.desk)
    # After a restart they are counted from anew.
    assert clean.fold.counts.reordered == 0 < log.fold.counts.reordered + seed % 2
    assert differences(final(ordered), final(mixed)) == []
    assert differences(final_candidates(ordered), final_candidates(mixed)) == []
    assert len(alerts_of(ordered)) == len(alerts_of(mixed))


@pytest.mark.parametrize("seed", [11, 12])
def test_records_of_the_compiled_build_are_those_of_plain_python(seed: int) -> None:
    log, timers = log_fold(POLICY), 0
    for offset, item in enumerate(log_of(seed, 2_500, 12)):
        log.record(item.raw, item.time, offset, Findings())
        if offset % 97:
            continue
        for state in states(log):
            timers += sum(wait.leaves != -1 for wait in state.waits)
            timers += sum(attempt.leaves != -1 for attempt in state.attempts)
            for with_ring in (True, False):
                found = quick.state(state, with_ring)
                assert found == general(state, with_ring) if BUILD == "compiled" else found is None
            assert pack(unpack(pack(state))) == pack(state)
    assert timers > 50
