"""A back-test's fold of sorted events against the general one: the same findings, whatever comes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from detectors.event_row import as_row
from detectors.hours import ServiceHours
from detectors.log import LogFold
from detectors.moment import Findings
from detectors.policy import DEFAULT_TEXT, Policy, default, parse
from streams import folding
from streams.folding import Items, fold_chunks
from streams.identity import Pseudonyms
from streams.simulate.parameters import load as parameters
from streams.simulate.write import write
from streams.sources.api import SourceEvent, cloud_event
from streams.ticks import TickAt, tick_record, under
from tests.sources.datasets import first_days, once

NAMES = Pseudonyms(b"k" * 32, b"r" * 32)
WATCH = frozenset(["call.ended", "call.abandoned", "conversation.ended"])
STAMP = 1_800_000_000_000


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of dead letters have the time of the run."""
    monkeypatch.setattr(folding, "wall_ms", lambda: STAMP)


class Folds:
    """The folds that a back-test has made: whether each was an ordered one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[bool] = []

        def made(*given: Any, ordered: bool = False) -> LogFold:
            self.made.append(ordered)
            return LogFold(*given, ordered=ordered)

        monkeypatch.setattr(folding, "LogFold", made)


@pytest.fixture
def folds(monkeypatch: pytest.MonkeyPatch) -> Folds:
    return Folds(monkeypatch)


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> list[SourceEvent]:
    file = first_days(tmp_path_factory.mktemp("bank"), "990201")
    return once("anonymous-bank", file).events


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> list[SourceEvent]:
    place = tmp_path_factory.mktemp("simulated")
    write(
        parameters("quiet-day"),
        seed=3,
        customers=150,
        hours=24,
        start=1_767_571_200_000,
        events_out=place / "events.jsonl",
        truth_out=place / "truth.jsonl",
    )
    return once("cloudevents", place / "events.jsonl").events


def told(found: Sequence[Findings]) -> dict[str, list[Any]]:
    """All that was found, in order, as plain values."""
    whole: dict[str, list[Any]] = {"desk": [], "watched": []}
    for one in found:
        for name, rows in one.found.items():
            whole.setdefault(name, []).extend(map(repr, map(as_row, rows)))
        whole["desk"] += one.desk
        whole["watched"] += [
            repr((seen.e.offset, seen.numbers, seen.labels, seen.human_need)) for seen in one.watched
        ]
    return whole


def general(
    items: Items, policy: Policy | None = None, watch: frozenset[str] = WATCH
) -> dict[str, list[Any]]:
    """By a fold that keeps rings, record by record."""
    log, found = LogFold(0, policy or default(), NAMES.pseudonym, NAMES.reference), []
    for offset, item in enumerate(items):
        findings = Findings(watch)
        raw = tick_record(item.time) if isinstance(item, TickAt) else item.value
        outcome = log.record(raw, STAMP, offset, findings)
        if not isinstance(outcome, str):
            log.reject("file", outcome, raw, STAMP, offset, findings)
        found.append(findings)
    return told(found)


def chunks(items: Items, policy: Policy | None = None, watch: frozenset[str] = WATCH) -> dict[str, list[Any]]:
    return told(list(fold_chunks(items, policy or default(), NAMES, watch=watch)))


def items_of(events: Sequence[SourceEvent]) -> list[SourceEvent | TickAt]:
    return list(under(default(), events, now_ms=STAMP))


def test_a_day_of_the_bank_is_the_same(bank: list[SourceEvent], folds: Folds) -> None:
    items = items_of(bank)
    found = chunks(items)
    assert folds.made == [True]
    assert found == general(items)
    assert min(map(len, found.values())) > 0


def test_simulated_events_are_the_same(simulated: list[SourceEvent], folds: Folds) -> None:
    items = items_of(simulated)
    found = chunks(items)
    assert folds.made == [True]
    assert found == general(items)
    assert {"surveys", "abandonments", "channel_switches"} <= set(found)


def test_events_that_are_not_in_order_are_folded_as_any(bank: list[SourceEvent], folds: Folds) -> None:
    """Ten minutes late, which the ring puts back, and a day, which nothing does."""
    events = list(bank[:2_500])
    for place in range(400, 2_400, 250):
        events.insert(place + 60, events.pop(place))
    events.append(events.pop(7))
    items: Items = [TickAt(events[0].time), *events, TickAt(events[-2].time + 7_200_000)]
    found = chunks(items)
    assert folds.made == [True, False]
    assert found == general(items)
    assert len(found["events"]) > len(events)  # those that were put back are told again


def test_events_of_one_moment_have_an_order_of_their_own(folds: Folds) -> None:
    """A customer's own; whose comes first among customers is nobody's concern."""

    def moment(order: str) -> list[SourceEvent | TickAt]:
        about = {"conversation_id": "c1"}
        names = {"c": "call.connected", "q": "call.queued", "o": "page_view"}
        return [
            cloud_event(
                names[one], STAMP - 10**9, "acd", f"id-{one}", "john" if one == "o" else "jane", about
            )
            for one in order
        ]

    assert chunks(moment("qco")) == general(moment("qco"))
    assert chunks(moment("oqc")) == general(moment("oqc"))
    assert folds.made == [True, True]
    assert chunks(moment("cqo")) == general(moment("cqo"))
    assert folds.made == [True, True, True, False]


def test_an_event_that_makes_the_fold_raise_leaves_its_customer_as_before(
    bank: list[SourceEvent], folds: Folds
) -> None:
    """What is found before it, of it and after it is what the general fold finds."""
    policy = parse(DEFAULT_TEXT)
    # Whatever asks for service hours raises when most of the event has been folded.
    policy.hours = ServiceHours(["mon"], "09:00", "17:00", "UTC")
    policy.hours._zone = "nowhere"  # type: ignore[assignment]
    events = list(bank[:2_000])
    for place in (900, 1_300, 1_301):
        one = events[place]
        owner = one.key.decode()
        subject = "jane" if owner.startswith("anon:") else owner
        events.append(cloud_event("email.received", one.time, "mail", f"m{place}", subject, {}))
    items = items_of(sorted(events))
    found = chunks(items, policy, frozenset())
    assert folds.made == [True, False]
    assert found == general(items, policy, frozenset())
    letters = found["dead_letters"]
    assert len(letters) >= 3
    assert all("fold_failed" in row for row in letters)


def test_silent_sources_in_a_tick_spoil_it() -> None:
    log = LogFold(0, default(), NAMES.pseudonym, NAMES.reference, ordered=True)
    log.record(tick_record(STAMP), STAMP, 0, Findings())
    assert not log.fold.spoiled
    log.record(tick_record(STAMP + 1, silent=["acd"]), STAMP, 1, Findings())
    assert log.fold.spoiled
