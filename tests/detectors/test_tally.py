"""What is counted of a customer's contacts and cases, and by what it is not changed."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from detectors.examples import MONDAY, Story, Told, fold, hours, minutes
from detectors.packed import general, pack, plain, unpack
from detectors.state import Customer
from detectors.tally import HALF_LIVES, MOST_CASES, ONE, OUTCOMES, Case, Tally
from tests.detectors.stories import arrivals, canonical, folded, sent, tick


def call(at: float, name: str, *, wait: int = 60, talk: int = 0, where: str = "queue") -> list[Told]:
    """A call that begins ``at`` minutes: answered where there is talk, given up where there is none."""
    about: dict[str, Any] = {"conversation_id": name, "channel": "phone"}
    over = minutes(at) + 1_000 * (wait + talk)
    if talk:
        end: Told = ("call.ended", over, about | {"wait_s": wait, "talk_s": talk})
    else:
        end = ("call.abandoned", over, about | {"wait_s": wait, "where": where})
    return [("ivr.enter", minutes(at), about), end]


def ticket(kind: str, at: float, name: str = "K1", **data: Any) -> Told:
    return f"ticket.{kind}", minutes(at), {"case_id": name, "channel": "ticket", **data}


def tally_of(*told: Told) -> Tally:
    found = fold(*told).jane.tally
    assert found is not None
    return found


def case(tally: Tally, at: int = 0) -> Case:
    return tally.cases[at]


def test_the_last_end_and_the_one_before() -> None:
    tally = tally_of(*call(0, "a", talk=120), *call(100, "b", wait=30, where="ivr"))
    assert (OUTCOMES[tally.outcome], OUTCOMES[tally.outcome_before]) == ("ivr", "served")
    assert (tally.ended - MONDAY, tally.apart) == (minutes(100) + 30_000, minutes(97) + 30_000)
    assert (tally.wait, tally.talk) == (30_000, -1)
    assert (tally.contacts, tally.ends, tally.first) == (2, 2, MONDAY // 60_000)


def test_counts_fade_with_four_half_lives() -> None:
    begins = [0.0, 7.0, 300.0, 2_000.0, 9_000.0]
    told = [event for number, at in enumerate(begins) for event in call(at, f"c{number}", talk=number % 2)]
    tally = tally_of(*told)
    last, ended = minutes(begins[-1]), tally.ended - MONDAY
    gave_up = [minutes(at) + 60_000 for number, at in enumerate(begins) if number % 2 == 0]
    found = [tally.c0, tally.c1, tally.c2, tally.c3], [tally.g0, tally.g1, tally.g2, tally.g3]
    for half_life, contacts, given_up in zip(HALF_LIVES, *found, strict=True):
        expected = sum(0.5 ** ((last - minutes(at)) / half_life) for at in begins)
        assert contacts / ONE == pytest.approx(expected, abs=2e-3)
        expected = sum(0.5 ** ((ended - at) / half_life) for at in gave_up)
        assert given_up / ONE == pytest.approx(expected, abs=2e-3)


def test_an_end_is_followed_within_the_hour_once() -> None:
    again = [*call(0, "a"), *call(30, "b"), *call(31, "c"), *call(91.5, "d"), *call(154.5, "e")]
    # b begins in a's hour; c begins while b waits; d comes within an hour of c's end, e too late.
    assert tally_of(*sorted(again, key=lambda told: told[1])).followed == 2


def test_a_contact_that_nobody_told_of_began_when_it_must_have() -> None:
    ended = {"channel": "phone", "conversation_id": "x", "wait_s": 60, "talk_s": 240}
    tally = tally_of(("call.ended", minutes(10), ended))
    assert (tally.begun, tally.contacts, tally.ends) == (MONDAY + minutes(5), 1, 1)


def test_of_many_replies_to_one_message_the_first_ends_it() -> None:
    mail = {"channel": "email", "conversation_id": "m"}
    told: list[Told] = [("email.received", 0, mail), ("email.replied", 60, mail), ("email.replied", 90, mail)]
    story = fold()
    story.out.watch = frozenset(["email.replied"])
    for kind, at, data in told:
        story.tell(kind, minutes(at), data)
    tally = story.jane.tally
    assert tally is not None
    assert (tally.ends, tally.ended - MONDAY) == (1, minutes(60))
    assert [one.labels[0] for one in story.out.watched] == ["served", ""]


def test_who_has_neither_contact_nor_case_has_no_tally() -> None:
    views: list[Told] = [("page_view", at, {"session_id": "s"}) for at in range(5)]
    jane = fold(*views, ("bot.message", 9, {}), ("survey.response", 10, {"metric": "ces", "score": 3})).jane
    assert jane.tally is None
    with_none = msgspec.msgpack.encode(msgspec.msgpack.decode(general(jane, False))[:-1])
    assert len(general(jane, False)) == len(with_none) + 1


def test_nothing_else_changes_it() -> None:
    story = fold(*call(0, "a", talk=60), ticket("created", 5), ticket("updated", 6))
    before = general_tally(story.jane)
    for number, kind in enumerate(["page_view", "rage_click", "step.failed", "purchase", "bot.message"]):
        story.tell(kind, minutes(7 + number), {"session_id": "s", "journey": "order"})
    assert general_tally(story.jane) == before


def general_tally(state: Customer) -> Any:
    return msgspec.msgpack.decode(general(state, False))[25]


def test_the_story_of_a_case() -> None:
    tally = tally_of(
        ticket("created", 0),
        ticket("assignment_changed", 10, from_team="a", to_team="b"),
        # Of one moment: one update.
        ticket("priority_changed", 10),
        ticket("comment_added", 70),
        ticket("solved", 100),
        ticket("solved", 101),
        ticket("reopened", 160),
    )
    found = case(tally)
    assert (found.updates, found.moves, found.comments, found.returns) == (5, 1, 1, 1)
    assert (found.opened, found.touched) == (MONDAY, MONDAY + minutes(160))
    assert found.idle == minutes(59)
    assert not found.solved
    assert (tally.solved, tally.came_back) == (1, 1)


def test_a_case_not_seen_when_it_was_opened_is_of_no_age() -> None:
    assert case(tally_of(ticket("updated", 3))).opened == 0


def test_a_solved_case_makes_room_then_the_one_untouched_longest() -> None:
    opened = [ticket("created", number, f"K{number}") for number in range(MOST_CASES)]
    told = [*opened, ticket("updated", 50, "K0"), ticket("solved", 55, "K3"), ticket("created", 60, "new")]
    tally = tally_of(*told)
    assert len(tally.cases) == MOST_CASES
    kept = [(one.opened - MONDAY) // minutes(1) for one in tally.cases]
    assert kept == [number for number in range(MOST_CASES) if number != 3] + [60]
    tally = tally_of(*told, ticket("created", 70, "newer"))
    kept = [(one.opened - MONDAY) // minutes(1) for one in tally.cases]
    assert kept == [number for number in range(MOST_CASES) if number not in (1, 3)] + [60, 70]


def test_a_late_event_changes_nothing() -> None:
    told: list[Told] = [*call(0, "a", talk=60), ticket("created", 5)]
    story = fold(*told, ("page_view", hours(2), {}))
    before = general_tally(story.jane)
    for kind, at, data in [*call(20, "b"), ticket("solved", 30)]:
        story.tell(kind, at, data)
    assert story.log.fold.counts.late == 3
    assert general_tally(story.jane) == before


def test_whoever_objects_to_profiling_is_not_counted() -> None:
    story = fold(*call(0, "a"), ("page_view", minutes(9), {"consent": {"profiling": False}}))
    assert story.jane.tally is None
    for kind, at, data in call(20, "b"):
        story.tell(kind, at, data)
    assert story.jane.tally is None


@pytest.mark.parametrize("seed", range(8))
def test_in_any_order_it_is_the_same(seed: int) -> None:
    rng = random.Random(seed)
    told: list[Told] = []
    for number in range(12):
        told += call(number * 9 + rng.random(), f"c{number}", talk=rng.choice([0, 40]))
        told.append(ticket(rng.choice(["created", "updated", "solved", "reopened"]), number * 9.2, "K1"))
    story = [(at / 1_000, "crm", kind, data) for kind, at, data in told]
    records = sent([("ann", 0, story)])
    ticks = [tick(MONDAY + minutes(at)) for at in range(0, 140, 5)]
    states = []
    for items in (
        canonical([*records, *ticks]),
        arrivals(records, ticks, lambda: rng.randrange(50_000), lambda: rng.random() < 0.2),
    ):
        _, log = folded(items)
        assert log.fold.counts.late == 0
        (key,) = log.fold.known.keys()
        state = log.fold.known.get(key)
        assert state is not None
        states.append(general_tally(state))
    assert states[0] == states[1]
    assert states[0][6] == 12 + 1, "a ticket is a contact, too"


def test_it_is_kept() -> None:
    told = [*call(0, "a"), *call(9, "b", talk=5), ticket("created", 20), ticket("solved", 30)]
    jane = fold(*told).jane
    again = unpack(pack(jane))
    assert general_tally(again) == general_tally(jane)
    assert pack(again) == pack(jane)
    fields = msgspec.msgpack.decode(plain(pack(jane)))
    assert unpack(msgspec.msgpack.encode(fields[:25])).tally is None, "as it was before there were any"


def test_of_another_tenant_or_customer_nothing_is_counted() -> None:
    story = Story()
    for kind, at, data in call(0, "a"):
        story.tell(kind, at, data, subject="john")
    story.tell("page_view", 0)
    assert story.jane.tally is None


def test_agents_of_a_case_are_counted_once_each() -> None:
    told = [
        ticket("created", 0, agent_id="ann"),
        ticket("updated", 1, agent_id="bob"),
        ticket("updated", 2),
        ticket("solved", 3, agent_id="ann"),
    ]
    held = tally_of(*told)
    assert case(held).hands.bit_count() == 2
    again = unpack(pack(fold(*told).jane)).tally
    assert again is not None
    assert case(again).hands == case(held).hands
