"""Features of calls, worked out once more from the calls themselves; nothing of the future is in them."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from itertools import pairwise
from typing import Any, NamedTuple

import pytest

from detectors.examples import Told, fold, hours, minutes
from detectors.features import FEATURES, LABELS, NUMBERS, some, take
from detectors.moment import Findings, Moment, Watched
from detectors.policy import default
from detectors.signals import SIGNALS
from detectors.state import Journey, Sums
from detectors.tally import HALF_LIVES
from tests.detectors.watching import ENDS, bank_day, watch

POLICY = default()
SPANS = ("1h", "8h", "2d", "14d")


class Call(NamedTuple):
    begun: int
    ended: int
    outcome: str
    data: dict[str, Any]


def calls() -> dict[str, list[Call]]:
    """Of each identified customer, in the order of their ends."""
    begun: dict[str, int] = {}
    found: defaultdict[str, list[Call]] = defaultdict(list)
    for event in bank_day():
        value = json.loads(event.value)
        data = value["data"]
        if value["type"] == "ivr.enter":
            begun[data["conversation_id"]] = event.time
        elif value["type"] in ENDS:
            outcome = "served" if value["type"] == "call.ended" else data["where"]
            owner = event.key.decode()
            found[owner].append(Call(begun[data["conversation_id"]], event.time, outcome, data))
    return {owner: told for owner, told in found.items() if not owner.startswith("anon:")}


def faded(times: list[int], now: int, half_life: int) -> float:
    return sum(0.5 ** ((now - time) / half_life) for time in times)


def expected(told: list[Call], at: int) -> dict[str, float]:
    """What was known at the end of call ``at``."""
    now = told[at]
    begins = sorted(call.begun for call in told if call.begun <= now.ended)
    before = told[:at]
    given_up = [call.ended for call in before if call.outcome != "served"]
    followed = sum(any(b - 3_600_000 <= call.ended <= b for b in begins) for call in before)
    found = {
        "wait_s": now.data["wait_s"],
        "talk_s": now.data["talk_s"],
        "contacts": len(begins) - 1,
        "known_h": (now.ended - begins[0] // 60_000 * 60_000) / 3_600_000,
        "recontact_rate": (followed + 0.45) / (at + 3),
        "hour": now.ended // 60_000 % 1_440 / 60,
        "weekday": 0,
    }
    for span, half_life in zip(SPANS, HALF_LIVES, strict=True):
        found[f"contacts_{span}"] = faded(begins[:-1], now.ended, half_life)
        found[f"gave_up_{span}"] = faded(given_up, now.ended, half_life)
    if before:
        found["since_contact"] = (now.ended - before[-1].ended) / 1_000
        found["gap_s"] = max(0, begins[-1] - before[-1].ended) / 1_000
    return found


def one_after_the_other(told: list[Call]) -> bool:
    return all(a.ended < b.begun for a, b in pairwise(told))


def test_of_every_call_of_a_day() -> None:
    watched: defaultdict[str, list[Watched]] = defaultdict(list)
    for one in watch(bank_day(), POLICY).watched:
        watched[one.e.customer].append(one)
    rows = 0
    for customer, told in calls().items():
        if not one_after_the_other(told):
            continue
        for at, one in enumerate(watched[customer]):
            found = {name: one.numbers[NUMBERS[name]] for name in expected(told, at)}
            assert found == pytest.approx(expected(told, at), rel=1e-9, abs=3e-3), (customer, at)
            if not at:
                assert math.isnan(one.numbers[NUMBERS["since_contact"]])
            outcomes = [one.labels[LABELS[name]] for name in ("outcome", "last_outcome")]
            assert outcomes == [told[at].outcome, told[at - 1].outcome if at else ""]
            assert one.labels[LABELS["queue"]] == told[at].data.get("queue", "")
            assert one.effort == one.numbers[NUMBERS["effort"]]
            rows += 1
    assert rows > 400


def bits(watched: list[Watched], until: int) -> list[Any]:
    """To the last bit: "not known" is unequal to itself."""
    return [
        (one.e.id, [number.hex() for number in one.numbers], one.labels, one.human_need.hex())
        for one in watched
        if one.e.time <= until
    ]


def test_nothing_of_the_future_is_in_them() -> None:
    """Every later event is moved and says something else; what was known before is what it was."""
    events = [event for event in bank_day() if not event.key.startswith(b"anon:")]
    until = events[len(events) // 2].time
    later = []
    for event in events:
        if event.time > until:
            told = json.loads(event.value)
            told["data"] |= {"wait_s": 777, "talk_s": 3, "where": "ivr", "intent": "another"}
            told["time"] = told["time"].replace("1999-02-01", "1999-02-02")
            moved = event.time + hours(24)
            later.append(event._replace(time=moved, value=json.dumps(told).encode()))
        else:
            later.append(event)
    first = bits(watch(events, POLICY).watched, until)
    assert len(first) > 200
    assert bits(watch(later, POLICY).watched, until) == first


def test_each_has_its_name_once_and_words() -> None:
    names = [one.name for one in FEATURES]
    assert len(set(names)) == len(names)
    assert all(one.words and one.kind in ("number", "label") for one in FEATURES)
    assert {one.name for one in FEATURES if one.protected} == {"segment", "priority", "language"}
    assert not any(name.startswith(("made_sla", "closed_", "resolved_")) for name in names)
    signals = {spec.name for spec in SIGNALS}
    assert [one.name for one in FEATURES if one.words.startswith("fading count")] == [
        one.name for one in FEATURES if one.name in signals
    ]


def test_some_of_them_are_what_all_of_them_say() -> None:
    told = fold(("call.abandoned", 0, {"where": "queue", "wait_s": 9}))
    told.out.watch = frozenset(["ticket.solved", "call.ended"])
    told.tell("ticket.created", 5, {"case_id": "K"})
    told.tell("ticket.solved", minutes(30), {"case_id": "K", "team": "t1"})
    (solved,) = told.out.watched
    m = Moment(told.jane, POLICY, Findings(), solved.e.time, 0, 0)
    journey = Journey("default", 0, Sums(), [])
    numbers, labels = take(m, solved.e, journey)
    for name, place in NUMBERS.items():
        found, _ = some(m, solved.e, journey, [place], [])
        assert found[place].hex() == numbers[place].hex(), name
        assert sum(not math.isnan(value) for value in found) <= 1
    for name, place in LABELS.items():
        _, named = some(m, solved.e, journey, [], [place])
        assert named[place] == labels[place], name


def test_of_a_solved_case() -> None:
    def ticket(kind: str, at: float, name: str, **data: Any) -> Told:
        return f"ticket.{kind}", hours(at), {"case_id": name, "channel": "ticket", **data}

    told = fold(
        ticket("created", 0, "A"),
        ticket("solved", 1, "A"),
        ticket("reopened", 2, "A"),
        ticket("created", 3, "B", team="first"),
        ticket("assignment_changed", 5, "B", from_team="first", to_team="second"),
        ticket("comment_added", 6, "B"),
    )
    told.out.watch = frozenset(["ticket.solved", "ticket.reopened"])
    told.tell(*ticket("solved", 10, "B", team="second", priority="1"))
    told.tell(*ticket("reopened", 11, "B"))
    solved, reopened = told.out.watched
    names = ("updates", "moves", "comments", "returns", "case_h", "untouched_h")
    assert [solved.numbers[NUMBERS[name]] for name in names] == [3, 1, 1, 0, 7, 4]
    names = ("cases_open", "cases_solved", "cases_returned", "return_rate")
    assert [solved.numbers[NUMBERS[name]] for name in names] == pytest.approx([1, 1, 1, 1.15 / 6])
    # Its own coming back is no part of what came back before it.
    assert [reopened.numbers[NUMBERS[name]] for name in names] == pytest.approx([1, 2, 1, 1.15 / 7])
    assert solved.labels[LABELS["team"]] == "second"
    assert (solved.labels[LABELS["priority"]], solved.labels[LABELS["outcome"]]) == ("1", "")


def test_what_is_not_said_is_not_known() -> None:
    told = fold(("page_view", 0, {}))
    told.out.watch = frozenset(["page_view"])
    told.tell("page_view", 1, {})
    (seen,) = told.out.watched
    unknown = {name for name, place in NUMBERS.items() if math.isnan(seen.numbers[place])}
    assert {"wait_s", "talk_s", "since_contact", "risk", "engagement", "updates", "contacts"} <= unknown
    assert not {"hour", "weekday", "effort", "rage_click", "repeat_contact"} & unknown
    told.tell("page_view", 2, {"risk": 0.5, "first_time": True})
    risk, first = (told.out.watched[-1].numbers[NUMBERS[name]] for name in ("risk", "first_time"))
    assert (risk, first) == (0.5, 1.0)
