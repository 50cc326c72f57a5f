"""The risk from numbers in the policy alone, and what a policy may not say."""

from __future__ import annotations

import math

import pytest

from detectors.hazard import NOT_ANNOUNCED, Hazard, reaches, risk
from detectors.policy import PolicyError, default
from tests.hazard.policies import FORM, QUEUE, policy, text

SECOND = 1_000
MINUTE = 60_000


def queue() -> Hazard:
    found = policy(QUEUE).hazard_queue
    assert found is not None
    return found


def chance(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))


def test_the_risk_is_that_of_the_intervals_ahead() -> None:
    low, high = chance(-2.9444), chance(-2.9444 + 0.6931)
    stays = (1 - low) ** 3 * (1 - high) ** 3
    assert risk(queue(), 30 * SECOND, "", 9) == pytest.approx(1 - stays)
    # An interval that is begun or cut counts for its part.
    stays = (1 - low) ** 0.5 * (1 - high) ** 0.2
    assert risk(queue(), 55 * SECOND, "", 9, ahead_ms=7 * SECOND) == pytest.approx(1 - stays)


@pytest.mark.parametrize(
    ("label", "hour", "announced", "log_odds"),
    [
        ("", 9, NOT_ANNOUNCED, 0.0),
        ("sales", 9, NOT_ANNOUNCED, 2.0),
        ("other", 17, NOT_ANNOUNCED, 3.0),
        ("", 8, 30.0, -0.5),  # still to come
        ("", 8, 0.0, 1.5),  # beyond it
        ("sales", 20, 5.0, 2.0 + 3.0 - 0.5),
    ],
)
def test_terms_are_added(label: str, hour: int, announced: float, log_odds: float) -> None:
    found = risk(queue(), 0, label, hour, announced, ahead_ms=10 * SECOND)
    assert found == pytest.approx(chance(-2.9444 + log_odds))


@pytest.mark.parametrize("label", ["", "sales"])
@pytest.mark.parametrize("announced", [NOT_ANNOUNCED, 15.0, 95.0, 600.0])
def test_the_moment_is_the_first_whose_risk_is_at_the_line(label: str, announced: float) -> None:
    hazard = queue()
    told = [at for at in range(0, 60 * MINUTE, 10 * SECOND) if risk(hazard, at, label, 9, announced) >= 0.4]
    expected = told[0] if told else -1
    assert reaches(hazard, label, 9, announced) == expected
    assert reaches(hazard, label, 9, announced) == expected, "and again from what is remembered"


def test_beyond_the_time_out_there_is_no_moment() -> None:
    assert reaches(queue(), "", 9) == 50 * SECOND
    assert reaches(queue(), "", 9, timeout=50 * SECOND) == -1


def test_of_a_form_it_is_the_chance_that_nothing_more_comes() -> None:
    form = policy(FORM).hazard_form
    assert form is not None
    assert risk(form, 0, "loan/address", 9) == pytest.approx(0.5)
    assert risk(form, 200 * SECOND, "loan/address", 9) == pytest.approx(chance(1.0))
    assert reaches(form, "loan/address", 9) == 2 * MINUTE
    assert reaches(form, "order/pay", 9, timeout=MINUTE) == -1


def test_what_is_remembered_is_bounded() -> None:
    hazard = queue()
    for announced in range(5_000):
        reaches(hazard, "", 17, announced / 100)
    assert len(hazard._known) <= 4_096


def test_without_a_section_there_is_no_hazard() -> None:
    found = default()
    assert (found.hazard_queue, found.hazard_form, found.hazard_cart, found.leaving) == (
        None,
        None,
        None,
        False,
    )


PRIORITY = '[hazard.queue.labels.priority.log_odds]\n"2" = -1.0\n'


def test_priority_counts_only_where_the_section_says_so() -> None:
    with pytest.raises(PolicyError, match="protected = true"):
        policy(QUEUE, PRIORITY)
    found = policy(QUEUE.replace("line = 0.4", "line = 0.4\nprotected = true"), PRIORITY).hazard_queue
    assert found is not None
    assert risk(found, 0, "", 9, priority="2") < risk(found, 0, "", 9, priority="0")


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('interval = "10s"', 'interval = "0s"', "hazard.queue.interval"),
        ('interval = "10s"', 'interval = "500ms"', "hazard.queue.interval"),
        ('interval = "10s"', 'interval = "10s"\nahead = "23h"', "hazard.queue.ahead"),
        ('interval = "10s"', 'interval = "10s"\nahed = "1min"', "hazard.queue.ahed"),
        ("line = 0.4", "line = 0.0", "hazard.queue.line"),
        ("line = 0.4", "line = 1.5", "hazard.queue.line"),
        ("base = -2.9444", "base = nan", "hazard.queue.base"),
        ("edges = [60.0]", "edges = [60.0, 30.0]", "hazard.queue.wait.edges"),
        ("log_odds = [0.0, 0.6931]", "log_odds = [0.0]", "hazard.queue.wait.log_odds"),
        ("labels.queue.log_odds", "labels.qeue.log_odds", "hazard.queue.labels.qeue"),
        ("[hazard.queue]", "[hazard.queu]", "hazard.queu"),
    ],
)
def test_what_is_wrong_is_named(old: str, new: str, key: str) -> None:
    assert old in QUEUE
    with pytest.raises(PolicyError) as caught:
        policy(QUEUE.replace(old, new))
    assert caught.value.key == key
    assert "\n" not in str(caught.value)


def test_a_form_is_announced_nothing() -> None:
    with pytest.raises(PolicyError, match=r"hazard\.form\.announced"):
        policy(FORM + "[hazard.form.announced]\nedges = []\nlog_odds = [0.0]\n")
    assert len(text()) < 32 * 1024
