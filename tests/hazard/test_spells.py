"""Waits and pauses out of the fold: what ended each, and what of it may be looked at."""

from __future__ import annotations

import pytest

from detectors.examples import MONDAY
from detectors.policy import default
from streams.clock import wall_ms
from streams.hazard.curves import by_wait, kaplan_meier, nelson_aalen
from streams.hazard.periods import periods
from streams.hazard.spells import Spell, cut, spells
from streams.identity import Pseudonyms
from streams.settings import load
from streams.sources.api import SourceEvent, cloud_event
from streams.ticks import under

Told = tuple[str, float, str, dict[str, object]]
CALL: dict[str, object] = {"channel": "phone", "journey": "order"}
FORM: dict[str, object] = {"channel": "web", "session_id": "s", "journey": "loan", "step": "income"}


def told(*events: Told) -> list[SourceEvent]:
    """Events as (customer, seconds after Monday nine o'clock, type, data)."""
    made = [
        cloud_event(kind, MONDAY + round(at * 1000), "test", str(number), customer, data)
        for number, (customer, at, kind, data) in enumerate(events)
    ]
    return sorted(made)


def read(kind: str, events: list[SourceEvent]) -> list[Spell]:
    policy = default()
    return spells(kind, under(policy, events, now_ms=wall_ms()), policy, Pseudonyms.of(load(None)))


def waits() -> list[Spell]:
    ended = {"left": "call.abandoned", "taken": "call.connected", "mail": "call.voicemail"}
    ended |= {"back": "callback.requested", "short": "call.abandoned"}
    events: list[Told] = []
    for place, (who, how) in enumerate(ended.items()):
        about = CALL | {"conversation_id": who, "queue": "billing", "priority": "2"}
        began = 600.0 * place
        announced: dict[str, object] = {"announced_wait_s": 45} if who == "left" else {}
        events.append((who, began, "call.queued", about | announced))
        events.append((who, began + (3 if who == "short" else 90), how, about))
    events.append(("lost", 3_600, "call.queued", CALL | {"conversation_id": "lost"}))
    return read("queue", told(*events))


def test_only_leaving_is_leaving_and_all_else_is_censored() -> None:
    found = waits()
    assert [(spell.seconds, spell.left) for spell in found[:5]] == [
        (90.0, True),
        (90.0, False),
        (90.0, False),
        (90.0, False),
        (3.0, False),  # a short abandon, which the policy keeps apart
    ]
    assert not found[5].left, "nobody heard how it ended"
    assert found[0].announced == 45.0
    assert {spell.announced for spell in found[1:]} == {-1.0}
    assert (found[0].label, found[0].priority, found[0].hour) == ("billing", "2", 9)


def test_pauses_end_with_going_on_or_with_nothing() -> None:
    gone = ("gone", 10.0, "form_start", FORM)
    says = [("says", 20.0, "form_start", FORM), ("says", 95.0, "form_abandoned", FORM)]
    back = [("back", 30.0, "form_start", FORM), ("back", 630.0, "form_change", FORM)]
    late = [("late", 40.0, "form_start", FORM), ("late", 4_000.0, "form_change", FORM)]
    sent = ("back", 700.0, "form_submit", FORM)
    last = ("last", 9_000.0, "form_start", FORM)
    found = read("form", told(gone, *says, *back, *late, sent, last))
    assert [(spell.began - MONDAY, spell.seconds, spell.left) for spell in found] == [
        (10_000, 1_800.0, True),
        (20_000, 75.0, True),
        (30_000, 600.0, False),
        (40_000, 1_800.0, True),
        (630_000, 70.0, False),
    ]
    assert {spell.label for spell in found} == {"loan/income"}


def test_nothing_after_a_moment_is_looked_at() -> None:
    found = waits()
    until = MONDAY + 30_000
    (first,) = cut(found, None, until)
    assert (first.seconds, first.left) == (30.0, False)
    assert cut(found, until, None) == found[1:]
    paused = Spell("form", "loan/income", "", 9, -1.0, MONDAY, 1_800.0, True, "p")
    assert cut([paused], None, MONDAY + 1_799_999) == []
    assert cut([paused], None, MONDAY + 1_800_000) == [paused]


def test_who_was_answered_counts_for_the_part_of_the_interval() -> None:
    answered = Spell("queue", "q", "", 9, -1.0, 0, 25.0, False, "p")
    left = Spell("queue", "q", "", 9, -1.0, 0, 25.0, True, "p")
    assert [(row.weight, row.left) for row in periods([answered], 10.0)] == [(1.0, 0), (1.0, 0), (0.5, 0)]
    assert [(row.weight, row.left) for row in periods([left], 10.0)] == [(1.0, 0), (1.0, 0), (1.0, 1)]
    whole = Spell("queue", "q", "", 9, -1.0, 0, 20.0, True, "p")
    assert [(row.weight, row.left) for row in periods([whole], 10.0)] == [(1.0, 0), (1.0, 1)]


def test_curves_by_hand() -> None:
    """Ten waits: one leaves at 5 s, four are answered at 10, one leaves at 15, four are answered at 20."""
    ends = [(5.0, True), *[(10.0, False)] * 4, (15.0, True), *[(20.0, False)] * 4]
    found = [Spell("queue", "q", "", 9, -1.0, 0, seconds, left, "p") for seconds, left in ends]
    assert nelson_aalen(found, 20.0) == pytest.approx(1 / 10 + 1 / 5)
    assert kaplan_meier(found, [4.0, 5.0, 15.0]) == [
        (4.0, 1.0),
        (5.0, pytest.approx(0.9)),
        (15.0, pytest.approx(0.9 * 0.8)),
    ]
    first, second = by_wait(found, [0, 10, 20])
    assert (first["at_risk_s"], first["left"], first["ended"], first["raw_share"]) == (95.0, 1, 5, 0.2)
    assert second["hazard_per_minute"] == pytest.approx(60 / 45)
    assert second["low"] < second["hazard_per_minute"] < second["high"]
