"""The bank's published figures, computed from nothing but the emitted events."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from itertools import pairwise
from statistics import mean, median
from typing import Any

import pytest

from tests.sources.datasets import replayed

# A call back within this time, start to start.
AGAIN_S = 3600


@pytest.fixture(scope="module")
def ends() -> list[dict[str, Any]]:
    return [v for v in replayed("anonymous-bank").values if v["type"] in ("call.ended", "call.abandoned")]


def percent(part: int, whole: int) -> float:
    return 100 * part / whole


def hung_up(end: dict[str, Any]) -> bool:
    return bool(end["type"] == "call.abandoned")


def test_shares_of_hanging_up_and_queueing(ends: list[dict[str, Any]]) -> None:
    queued = [end for end in ends if end["data"]["wait_s"] > 0]
    assert len(ends) == 33_066
    assert round(percent(sum(map(hung_up, ends)), len(ends)), 1) == 17.9
    assert round(percent(len(queued), len(ends)), 1) == 54.5
    assert round(percent(sum(map(hung_up, queued)), len(queued)), 1) == 21.8


def test_waits_and_services(ends: list[dict[str, Any]]) -> None:
    waits = [end["data"]["wait_s"] for end in ends if end["data"]["wait_s"] > 0]
    assert (round(mean(waits), 1), median(waits)) == (75.8, 50)
    served = [e["data"]["talk_s"] for e in ends if e["type"] == "call.ended" and e["data"]["talk_s"] > 0]
    assert (round(mean(served), 1), median(served)) == (176.9, 107)


def test_hanging_up_in_the_queue_by_priority(ends: list[dict[str, Any]]) -> None:
    queued = [end for end in ends if end["data"]["wait_s"] > 0]
    whole = Counter(end["data"]["priority"] for end in queued)
    part = Counter(end["data"]["priority"] for end in queued if hung_up(end))
    exact = {tier: round(percent(part[tier], whole[tier]), 1) for tier in whole}
    assert exact == {"0": 42.2, "1": 21.5, "2": 10.3}
    # Published as whole numbers, the second one rounded from 21.5 (911 of 4,238 are 21.496 %).
    assert {tier: round(share) for tier, share in exact.items()} == {"0": 42, "1": 22, "2": 10}


def test_queue_and_voice_menu_are_told_apart(ends: list[dict[str, Any]]) -> None:
    where = Counter(end["data"]["where"] for end in ends if hung_up(end))
    assert where["queue"] == sum(hung_up(end) and end["data"]["wait_s"] > 0 for end in ends)
    assert where.total() == 5_904


@pytest.mark.parametrize(("most_calls", "after_hang", "after_agent"), [(10_000, 48.1, 13.6), (30, 44.3, 8.4)])
def test_call_again_within_an_hour(most_calls: int, after_hang: float, after_agent: float) -> None:
    starts: dict[str, float] = {}
    outcomes: dict[str, tuple[str, bool]] = {}
    for value in replayed("anonymous-bank").values:
        call = value["id"].rsplit("/", 1)[0]
        if value["type"] == "ivr.enter":
            starts[call] = datetime.fromisoformat(value["time"]).timestamp()
        elif value["type"] in ("call.ended", "call.abandoned") and "subject" in value:
            outcomes[call] = (value["subject"], hung_up(value))
    calls: defaultdict[str, list[tuple[float, bool]]] = defaultdict(list)
    for call, (subject, hung) in outcomes.items():
        calls[subject].append((starts[call], hung))
    again: Counter[bool] = Counter()
    whole: Counter[bool] = Counter()
    for own in calls.values():
        if len(own) > most_calls:
            continue
        own.sort()
        whole.update(hung for _, hung in own)
        again.update(hung for (start, hung), (then, _) in pairwise(own) if then - start <= AGAIN_S)
    assert round(percent(again[True], whole[True]), 1) == after_hang
    assert round(percent(again[False], whole[False]), 1) == after_agent
