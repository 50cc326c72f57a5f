"""Chances belong to customers and purposes: no order, no number of others, no intervention moves them."""

from __future__ import annotations

import pytest

from streams.simulate.company import Company
from streams.simulate.crowd import arrivals
from streams.simulate.lives import live
from streams.simulate.parameters import load
from tests.simulate.runs import SEEDS, START, Run, ms, run


@pytest.mark.parametrize("pack", ["outage", "onboarding"])
def test_the_same_seed_gives_the_same_bytes_and_another_does_not(pack: str) -> None:
    again = Run(pack, 1, 120, 24)
    assert again.raw == run(pack, 1).raw
    assert again.truth == run(pack, 1).truth
    assert again.raw != run(pack, 2).raw


def test_a_customer_does_not_depend_on_the_others() -> None:
    of = load("billing-run")
    company = Company(of, START)
    simulated = run("billing-run", 3)
    coming = list(arrivals(company, 3, 120, 24))
    assert [number for number, _ in coming] == list(range(1, 121))
    assert [at for _, at in coming] == sorted(at for _, at in coming)
    for number, at in reversed(coming):
        alone = live(of, Company(of, START), 3, number, at)
        together = [raw for raw in simulated.raw if f'"subject":"sim-3-{number:07d}"'.encode() in raw]
        assert [raw for _, raw in alone.events] == together
        assert alone.truth == [t for t in simulated.truth if t["customer"] == f"sim-3-{number:07d}"]


@pytest.mark.parametrize("seed", SEEDS)
def test_an_intervention_played_through_is_what_the_truth_had_said(seed: int) -> None:
    """Truth's world with a human is the one that comes about when one really comes."""
    of = load("outage")
    company = Company(of, START)
    played = changed = 0
    for number, at in list(arrivals(company, seed, 400, 48))[::4]:
        plain = live(of, company, seed, number, at)
        for moment in [t for t in plain.truth if t["record"] == "moment"]:
            helped = live(of, company, seed, number, at, helps={moment["id"]})
            (same,) = [t for t in helped.truth if t.get("id") == moment["id"]]
            assert same["helped"]
            assert same == moment | {"helped": True}
            before = ms(moment["time"])
            assert [e for e in helped.events if e[0] < before] == [e for e in plain.events if e[0] < before]
            assert any(b'"help.offered"' in raw for _, raw in helped.events)
            played += 1
            changed += same["with_human"] != same["without_human"]
    assert played > 100
    assert changed > 50


def test_a_late_event_is_the_only_thing_said_ahead() -> None:
    """Answers that come by themselves after a customer has gone are in their place."""
    for events in run("seasonal-peak", 1, 300).of.values():
        times = [event["time"] for event in events]
        assert times == sorted(times)
