"""Findings beside simulated truth: matched right, measured right, and ahead of the commonest answer."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import pytest

from benchmarks.accuracy import match
from benchmarks.accuracy.measure import Case, Scored, classified, scored
from benchmarks.accuracy.runs import START, Judged, Run, Simulation, folded, simulated
from benchmarks.accuracy.simulated import TESTING, TUNING, Measured, main, measure, words
from detectors.policy import default
from streams.simulate.parameters import load
from streams.simulate.stage import rfc3339

MINUTE = 60_000
Record = dict[str, Any]


def event(ident: str, kind: str, at: int, handle: str = "h1", subject: str = "s", **data: Any) -> Record:
    named = {"channel": "web", "session_id": handle} | data
    return {"id": ident, "type": kind, "time": rfc3339(START + at), "subject": subject, "data": named}


def truth(record: str, at: int = 0, customer: str = "s", **fields: Any) -> Record:
    return {"record": record, "customer": customer, "time": rfc3339(START + at)} | fields


def row(at: int = 0, customer: str = "s", **fields: Any) -> Record:
    return {"customer": customer, "time": START + at, "fact_id": f"{customer}-{at}"} | fields


def run(events: list[Record], said: list[Record], **rows: list[Record]) -> Run:
    found = {"abandonments": [], "channel_switches": []} | rows
    return Run(Simulation(events, [], said), found, [])


def answers(cases: list[Case]) -> list[tuple[str, str]]:
    return sorted((case.truth, case.found) for case in cases)


class TestMatching:
    def test_switches_by_the_contact_that_they_open(self) -> None:
        """The truth names the contact's first event, the finding the first that can open one."""
        events = [event("1", "session.start", 0), event("2", "page_view", 1, "h1")]
        events += [event("3", "call.queued", 2, "h2"), event("4", "page_view", 3, "h3")]
        said = [
            truth("switch", event_id="1", kind="chosen", ping_pong=False),
            truth("switch", event_id="4", kind="forced", ping_pong=True),
        ]
        rows = [row(event_id="2", kind="chosen"), row(2, event_id="3", kind="forced")]
        rows.append(row(2, event_id="3", kind="repeat"))
        cases = match.switches(run(events, said, channel_switches=rows))
        assert answers(cases) == [("", "forced"), ("chosen", "chosen"), ("ping_pong", "")]

    def test_abandonments_by_where_the_attempt_began(self) -> None:
        events = [event("1", "form_start", 0, step="a"), event("2", "form_start", 5, step="b")]
        events += [event("3", "form_start", 9, "h2", step="a"), event("4", "call.queued", 12, "h3")]
        said = [truth("abandonment", kind="form", first_event=first, silent=False) for first in ("1", "3")]
        rows = [row(at, kind="form", silent=0) for at in (0, 5)]
        found = match.abandonments(run(events, said, abandonments=rows))
        assert answers(found["form"]) == [
            ("given_up", "given_up"), ("given_up", "going_on"), ("going_on", "given_up"),
        ]  # fmt: skip
        assert answers(found["queue"]) == [("going_on", "going_on")]

    def test_silence_by_conversation_whenever_the_reply_was_owed_from(self) -> None:
        chat = {"channel": "chat", "session_id": "", "conversation_id": "c1"}
        events = [event("1", "message.sent", 0, **chat), event("2", "conversation.enqueued", 1, **chat)]
        events += [event("3", "conversation.assigned", 9, **chat)]
        other = chat | {"conversation_id": "c2"}
        events += [event("4", "message.sent", 20, **other)]
        ticket = {"channel": "ticket", "session_id": "", "conversation_id": "c1"}
        events += [event("5", "ticket.created", 30, **ticket)]
        said = [truth("abandonment", kind="conversation", first_event="2", silent=True)]
        rows = [row(9, kind="conversation", channel="chat", inferred=1, silent=1, probability=0.9)]
        rows += [row(20, kind="conversation", channel="chat", inferred=1, silent=0, probability=0.3)]
        rows += [row(30, kind="conversation", channel="ticket", inferred=0, silent=0, probability=None)]
        one = run(events, said, abandonments=rows)
        assert answers(match.silent(one)) == [("not_silent", "not_silent")] * 2 + [("silent", "silent")]
        assert sorted(match.silent_scores(one)) == [
            ("s", False, 0.0), ("s", False, 0.3), ("s", True, 0.9),
        ]  # fmt: skip

    def test_moments(self) -> None:
        def judged(seen: bool, reasons: list[str], need: str, level: str, cause: str) -> Judged:
            moment = {"customer": "s", "reasons": reasons, "need": need, "human_needed": bool(reasons)}
            return Judged(moment, seen, 0.4, level, cause)

        moments = [
            judged(True, ["preference", "distress", "default"], "human_now", "human_now", "both"),
            judged(True, ["distress"], "human_now", "watch", "unknown"),
            judged(True, ["default"], "offer_human", "", "preference"),
            judged(True, [], "none", "", "unknown"),
            judged(False, ["preference"], "offer_human", "", "unknown"),
        ]
        assert answers(match.causes(moments)) == [("both", "both"), ("default", "preference")]
        assert answers(match.levels(moments)) == [
            ("human_now", "human_now"), ("human_now", "watch"), ("none", "none"), ("offer_human", "none"),
        ]  # fmt: skip
        assert [one.positive for one in match.needed(moments)] == [True, True, True, False]


class TestMeasures:
    CASES = (
        *[Case(f"a{n}", "forced", "forced") for n in range(6)],
        *[Case(f"b{n}", "forced", "chosen") for n in range(2)],
        *[Case(f"c{n}", "chosen", "chosen") for n in range(3)],
        Case("d", "", "forced"),
    )

    def test_by_hand(self) -> None:
        found = classified(self.CASES)
        assert (found.cases, found.commonest_class) == (12, "forced")
        assert (found.accuracy.value, found.commonest.value) == (9 / 12, 8 / 12)
        assert math.isclose(found.ahead.value, 1 / 12)
        forced, chosen = found.classes["forced"], found.classes["chosen"]
        assert (forced.truth, forced.found, forced.precision.value, forced.recall.value) == (
            8,
            7,
            6 / 7,
            6 / 8,
        )
        assert (chosen.precision.value, chosen.recall.value) == (3 / 5, 1)
        assert found.macro_recall.value == pytest.approx((0 + 6 / 8 + 1) / 3)
        assert found.confusion["forced"] == {"chosen": 2, "forced": 6}

    def test_intervals_hold_the_figure_and_are_the_same_again(self) -> None:
        found, again = classified(self.CASES), classified(self.CASES)
        assert str(found) == str(again), "also what is not a number"
        for figure in (found.accuracy, found.commonest, found.classes["forced"].recall):
            assert 0 <= figure.low < figure.value < figure.high <= 1

    def test_rows_of_one_customer_are_drawn_together(self) -> None:
        """The same answers of few customers are less sure than of many."""
        many = classified([Case(str(n), "x", "x" if n % 4 else "y") for n in range(400)]).accuracy
        few = classified([Case(str(n % 8), "x", "x" if n % 4 else "y") for n in range(400)]).accuracy
        assert many.value == few.value
        assert few.high - few.low > 3 * (many.high - many.low)

    def test_probabilities_by_hand(self) -> None:
        rows = [
            Scored("a", True, 0.9),
            Scored("b", False, 0.9),
            Scored("c", True, 0.5),
            Scored("d", False, 0.1),
        ]
        found = scored(rows)
        # Of four pairs three are in order, one of them by half.
        assert (found.rows, found.positives, found.auc.value) == (4, 2, (0.5 + 1 + 0 + 1) / 4)
        assert found.brier.value == pytest.approx((0.01 + 0.81 + 0.25 + 0.01) / 4)
        assert found.brier_constant == 0.25
        assert [(one.rows, one.score, one.share.value) for one in found.reliability] == [
            (1, 0.1, 0.0), (1, 0.5, 1.0), (2, 0.9, 0.5),
        ]  # fmt: skip

    def test_a_perfect_and_a_useless_score(self) -> None:
        perfect = scored([Scored(str(n), n >= 50, n / 100) for n in range(100)])
        useless = scored([Scored(str(n), n % 2 == 0, 0.5) for n in range(100)])
        assert (perfect.auc.low, perfect.auc.high) == (1, 1)
        assert (useless.auc.low, useless.auc.high) == (0.5, 0.5)
        assert sum(one.rows for one in perfect.reliability) == 100

    def test_of_nothing_there_are_no_figures(self) -> None:
        assert math.isnan(scored([]).auc.value)
        assert math.isnan(classified([]).accuracy.value)


@cache
def outage() -> Measured:
    return measure("outage", TUNING[:2], customers=250, hours=24, times=200)


def test_ahead_of_always_the_commonest_answer() -> None:
    """What ``docs/abandonment.md`` and ``docs/human-need.md`` say, on a small part and with room."""
    found = outage()
    for answer in (found.switches, found.silent, found.cause, found.level, *found.abandonments.values()):
        assert answer.accuracy.value > answer.commonest.value
        assert answer.macro_recall.value > 1 / len([one for one in answer.classes.values() if one.truth])
    assert found.silent.classes["silent"].precision.value > 0.85
    assert found.silent.classes["silent"].recall.value > 0.65
    assert found.silent_probability.auc.value > 0.85
    assert found.silent_probability.brier.value < 0.6 * found.silent_probability.brier_constant
    assert found.human_needed.auc.value > 0.8
    assert found.switches.classes["forced"].precision.value > 0.95


def test_happy_shoppers_are_left_alone() -> None:
    found = measure("happy-shoppers", TUNING[:1], customers=250, hours=24, times=50)
    forced = sum(
        found.switches.classes[kind].found
        for kind in ("forced", "ping_pong")
        if kind in found.switches.classes
    )
    assert forced <= found.switches.cases / 100
    assert found.level.classes["none"].recall.value > 0.95
    assert "human_now" not in found.level.classes


def test_the_looking_changes_no_finding() -> None:
    """A moment is looked at between two events: what is found is what is found without looking."""
    simulation = simulated(load("quiet-day"), seed=1, customers=40, hours=24)
    plain = Simulation(simulation.events, simulation.raw, [])
    assert folded(simulation, default()).rows == folded(plain, default()).rows


def test_seeds_are_kept_apart() -> None:
    assert not set(TUNING) & set(TESTING)


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--pack", "quiet-day", "--customers", "20", "--hours", "4", "--seed", "2"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("quiet-day, seeds 2, 20 customers in 4 h each: ")
    assert "AUC" in said
    assert "silent abandonment" in words(outage())
