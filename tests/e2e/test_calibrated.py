"""A policy fitted to the bank's first days, in force: the worker and the back-test score alike, to the digit.

Who may call again is human need at a call's end, and who may hang up is named while they wait.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from detectors.policy import Policy, parse
from streams.backtest import fold_events
from streams.clock import wall_ms
from streams.identity import Pseudonyms
from streams.ticks import under
from tests.sources.datasets import once, paths, replayed
from tests.support.compare import differences, facts_of, stored
from tests.support.world import PSEUDONYM_KEY, REFERENCE_KEY, World

SOURCE = "anonymous-bank"
NAMES = Pseudonyms(PSEUDONYM_KEY.encode(), REFERENCE_KEY.encode())
ENDS = ("call.ended", "call.abandoned")
# A few, so that the fit takes seconds.
FEATURES = "talk_s,wait_s,outcome,gap_s,contacts_1h,recontact_rate"


@pytest.fixture(scope="module")
def world(made: Callable[..., World], few_days: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The days replayed to four partitions under the policy that the commands have fitted to them."""
    home = tmp_path_factory.mktemp("fitted")
    first, both = home / "first.toml", home / "both.toml"
    plain = made()
    asked = ("--target", "recontact=3600,max=30", "--features", FEATURES, "--live")
    plain.rehuman("calibrate", SOURCE, few_days, *asked, "--policy-out", first)
    plain.rehuman(
        "calibrate", SOURCE, few_days, "--target", "abandon=60", "--base", first, "--policy-out", both
    )
    found = made(partitions=4, policy=both).prepare()
    found.start_worker()
    found.rehuman("replay", SOURCE, few_days)
    found.settle()
    return found


@pytest.fixture(scope="module")
def policy(world: World) -> Policy:
    return parse(Path(world.values["policy"]).read_text("utf-8"))


@pytest.fixture(scope="module")
def expected(policy: Policy, few_days: Path) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Facts and alerts of the fold of the same files."""
    timed = list(under(policy, once(SOURCE, few_days).events, now_ms=wall_ms()))
    return facts_of(fold_events(timed, policy, NAMES))


def test_every_score_and_finding_is_the_back_tests(
    world: World, expected: tuple[dict[str, Any], dict[str, dict[str, Any]]]
) -> None:
    facts, raised = expected
    assert differences(facts, stored(world.settings), tolerance=1e-9) == []
    rows = world.sql("SELECT alert_id FROM alerts_exact WHERE type = 'alert.raised'")
    assert {row["alert_id"] for row in rows} == raised.keys()


def test_the_command_says_the_same(world: World, few_days: Path, tmp_path: Path) -> None:
    """``backtest --target --scores-out``: at a call's end the human need that the worker stored."""
    path = tmp_path / "scores.csv"
    asked = ("--target", "recontact=3600,max=30", "--scores-out", path)
    world.rehuman("backtest", SOURCE, few_days, *asked)
    with path.open(newline="") as stream:
        told = sorted(float(row["human_need"]) for row in csv.DictReader(stream) if row["type"] in ENDS)
    rows = world.sql(f"SELECT human_need FROM events_exact WHERE type IN {ENDS} ORDER BY human_need")
    assert len(rows) == len(told) > 2_000
    assert max(abs(row["human_need"] - one) for row, one in zip(rows, told, strict=True)) <= 1e-9


def test_alerts_of_the_sections_add_up(
    policy: Policy, expected: tuple[dict[str, Any], dict[str, dict[str, Any]]]
) -> None:
    """Base and factors are the section's where it is live, and its name is told."""
    briefs = [message["data"] for message in expected[1].values()]
    assert {brief["target"] for brief in briefs} == {"", "recontact"}
    for brief in briefs:
        section = policy.targets[brief["target"]].base if brief["target"] else policy.need_base
        assert brief["base"] == section
        logit = brief["base"] + sum(factor["log_odds"] for factor in brief["factors"])
        assert 1.0 / (1.0 + math.exp(-logit)) == pytest.approx(brief["human_need"], abs=1e-12)
    waiting = [brief for brief in briefs if "may_leave" in {one["factor"] for one in brief["factors"]}]
    assert len(waiting) > 10, "before they hang up"


def test_shoppers_who_hop_are_as_happy_as_before(policy: Policy) -> None:
    """Nobody of those who book is a candidate, and no switch of theirs is forced."""
    source = "airbnb-sessions"
    bookers = {value["subject"] for value in replayed(source).values if value["type"] == "purchase"}
    names = {NAMES.pseudonym("default", visitor) for visitor in bookers}
    timed = list(under(policy, once(source, *paths(source)).events, now_ms=wall_ms()))
    facts, raised = facts_of(fold_events(timed, policy, NAMES))
    assert not names & {message["customer"] for message in raised.values()}
    kinds = [row["kind"] for row in facts["channel_switches"].values() if row["customer"] in names]
    assert len(kinds) > 300
    assert set(kinds) == {"chosen"}
