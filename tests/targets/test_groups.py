"""Groups: figures that are plain counts, gaps that are found where there are some, and none where not."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from streams.targets.chance import holm, p_value
from streams.targets.groups import LEAST_CASES, of_groups
from streams.targets.labels import told
from streams.targets.measures import Rows
from streams.targets.references import references
from streams.targets.spec import parse
from tests.targets.test_labels import story


def grouped(
    seed: int, *, bias: float = 0.0, n: int = 3_000
) -> tuple[dict[str, Any], list[tuple[str, bool, bool, float]]]:
    """Events of three segments, a fifth alerted; one segment's bad outcomes are alerted less by ``bias``."""
    random = np.random.default_rng(seed)
    segment = random.choice(["blue", "green", "red"], n)
    bad = random.random(n) < 0.2
    alerted = random.random(n) < np.where(bad, 0.6 - bias * (segment == "red"), 0.1)
    wait = random.exponential(60, n)
    lead = np.where(bad, 100.0, np.nan)
    customers = [str(number) for number in range(n)]
    records = [
        msgspec.json.encode({"data": {"segment": str(one), "wait_s": float(seconds), "odd": place % 2 == 0}})
        for place, (one, seconds) in enumerate(zip(segment, wait, strict=True))
    ]
    found = of_groups(
        Rows(bad, customers, times=200), alerted, lead, records, ("segment", "segment", "odd", "none")
    )
    return found, [*zip(map(str, segment), map(bool, bad), map(bool, alerted), map(float, wait), strict=True)]


def test_figures_are_plain_counts() -> None:
    found, rows = grouped(1)
    assert [(one["field"], one["value"]) for one in found["groups"]].count(("segment", "red")) == 1
    red = next(one for one in found["groups"] if one["value"] == "red")
    own = [row for row in rows if row[0] == "red"]
    right = sum(bad and alerted for _, bad, alerted, _ in own)
    held = sum(bad and not alerted for _, bad, alerted, _ in own)
    assert red["n"] == len(own)
    assert red["alerts"] == sum(alerted for _, _, alerted, _ in own)
    assert red["held_back_cases"] == held
    assert red["precision"].value == pytest.approx(right / red["alerts"])
    assert red["recall"].value == pytest.approx(right / red["bad_outcomes"])
    assert red["held_back"].value == pytest.approx(held / red["bad_outcomes"])
    alarms = red["alerts"] - right
    assert red["false_alarm_rate"].value == pytest.approx(alarms / (len(own) - red["bad_outcomes"]))
    assert red["mean_wait_s"].value == pytest.approx(np.mean([wait for *_, wait in own]))
    assert red["mean_lead_s"].value == pytest.approx(100)
    assert red["mean_wait_s"].low < red["mean_wait_s"].value < red["mean_wait_s"].high


def test_a_group_that_is_held_back_is_found() -> None:
    found, _ = grouped(2, bias=0.3)
    recall = [one for one in found["findings"] if one["measure"] == "recall" and one["value"] == "red"]
    assert len(recall) == 1
    assert recall[0]["gap"].high < 0
    assert recall[0]["group"] < recall[0]["rest"]
    # Of two values the gap of one is the gap of the other, and is looked at once.
    assert not [one for one in found["findings"] if one["field"] == "odd"]


def test_where_there_is_no_gap_none_is_found() -> None:
    """One in twenty reports may have one by chance, after the correction for all in it."""
    reports = [grouped(seed, n=1_000)[0] for seed in range(100, 130)]
    assert sum(bool(one["findings"]) for one in reports) <= 5
    assert all(one["comparisons"] >= 15 for one in reports)


@pytest.mark.parametrize(("n", "found"), [(60, False), (600, True)])
def test_nothing_yet_is_no_gap_until_something_was_to_be_expected(n: int, found: bool) -> None:
    """One in fifty goes wrong, and none of a group: of sixty that is chance, of six hundred it is not."""
    bad = [place % 50 == 0 for place in range(4_000)] + [False] * n
    names = ["most"] * 4_000 + ["few"] * n
    records = [msgspec.json.encode({"data": {"segment": name}}) for name in names]
    held = Rows(bad, [str(place) for place in range(len(bad))], times=200)
    alerted, lead = np.zeros(len(bad), bool), np.full(len(bad), np.nan)
    told = of_groups(held, alerted, lead, records, ("segment",))["findings"]
    assert [one["measure"] for one in told] == (["base_rate"] if found else [])


def test_groups_with_few_cases_are_not_looked_at() -> None:
    records = [b'{"data":{"segment":"rare"}}'] * (LEAST_CASES - 1) + [b'{"data":{"segment":7}}'] * 100
    n = len(records)
    held = Rows([place % 3 == 0 for place in range(n)], [str(place) for place in range(n)])
    found = of_groups(held, np.ones(n, bool), np.full(n, np.nan), records, ("segment",))
    assert [one["value"] for one in found["groups"]] == ["7"]
    assert found["findings"] == []
    assert found["comparisons"] == 0


def test_p_values() -> None:
    random = np.random.default_rng(4)
    spread = random.normal(2.0, 1.0, 10_000)
    assert p_value(np.array([1.96, *spread])) == pytest.approx(0.05, abs=0.003)
    assert p_value(np.array([np.nan, 1.0, 2.0])) is None
    assert p_value(np.array([1.0, 1.0, 1.0])) is None
    assert holm([]) == []
    assert holm([0.5, 0.9]) == [1.0, 1.0]


def test_counts_know_nothing_of_what_follows() -> None:
    call = {"conversation_id": "c1"}
    events = story(
        ("ivr.enter", 0, call),
        ("call.ended", 2, call),
        ("email.received", 5, {}),
        ("ivr.enter", 9, {"conversation_id": "c3"}),
        ("call.abandoned", 10, {"conversation_id": "c3"}),
    )
    found = references(parse("recontact=3600"), list(told(events)))
    assert {name: list(counts.values()) for name, counts in found.items()} == {
        "contacts": [1.0, 3.0],
        "gave_up": [0.0, 1.0],
    }
    early = references(parse("recontact=3600"), list(told(events[:2])))
    assert early["contacts"].items() <= found["contacts"].items()
