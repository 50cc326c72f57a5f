"""The section that is measured is what its description says, and is in force where it says."""

from __future__ import annotations

from benchmarks import need
from benchmarks.workload import records
from detectors.policy import DEFAULT_TEXT, parse
from detectors.targets import factors

EVENTS = 3_000


def test_it_has_twenty_terms_of_its_own() -> None:
    policy = parse(DEFAULT_TEXT + need.section())
    target = policy.targets["recontact"]
    assert len(target.terms) == len({term.name for term in target.terms}) == 20
    assert set(policy.live) == set(need.EVENTS)
    numbers, labels = [1e9] * 200, ["served"] * 50
    assert len(factors(target, numbers, labels)) >= 12


def test_both_policies_fold_the_same_events() -> None:
    log = list(records(EVENTS))
    for policy in (parse(DEFAULT_TEXT), parse(DEFAULT_TEXT + need.section())):
        cost = need.measure(log, EVENTS, policy)
        assert cost.fold > 0
