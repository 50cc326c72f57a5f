"""Ticks between events: time never runs ahead of them, and none is missing where it counts."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.decode import Decoder
from detectors.events import Tick
from streams.sources.api import SourceEvent
from streams.ticks import WORKER, TickAt, tick_record, with_ticks
from tests.sources.datasets import replayed

EVERY, HORIZON, LATENESS = 900_000, 7 * 86_400_000, 60_000


def events(*times: int) -> list[SourceEvent]:
    return [SourceEvent(time, 10, "web", str(number), b"c", b"{}") for number, time in enumerate(times)]


@given(st.lists(st.integers(0, 10**12)), st.integers(1, 10**9), st.booleans())
def test_laws_of_ticks(times: list[int], every: int, fill: bool) -> None:
    given_events = events(*sorted(times))
    # A gap filled tick by tick would take for ever where ticks are tiny.
    fill = fill and (not times or (max(times) - min(times)) // every < 1_000)
    items = list(with_ticks(given_events, every, HORIZON, lateness_ms=LATENESS, fill_gaps=fill))
    assert [item for item in items if isinstance(item, SourceEvent)] == given_events
    ticks = [item.time for item in items if isinstance(item, TickAt)]
    assert ticks == sorted(ticks)
    if not times:
        assert not ticks
        return
    last_tick = -(10**15)
    for item in items[:-2]:
        if isinstance(item, TickAt):
            assert not item.final
            assert item.time >= min(times)
            if fill and last_tick >= 0:
                assert item.time - last_tick <= every
            last_tick = item.time
        else:
            # Neither behind the events by a step, nor ahead of the next one.
            assert last_tick <= item.time < last_tick + every
    end = max(times) + LATENESS
    assert items[-2:] == [TickAt(end, final=True), TickAt(end + HORIZON, final=True)]


def test_one_broken_clock_moves_no_time() -> None:
    wild = events(-62_000_000_000_000, 1_000, 2_000, 253_402_300_799_999)
    items = list(with_ticks(wild, EVERY, HORIZON, span=(0, 10_000)))
    assert [item.time for item in items if isinstance(item, TickAt)] == [
        1_000,
        2_000 + LATENESS,
        2_000 + LATENESS + HORIZON,
    ]
    assert [item for item in items if isinstance(item, SourceEvent)] == wild
    # Without a span the calendar's end is the limit, not an overflow.
    assert json.loads(tick_record(list(with_ticks(wild, EVERY, HORIZON))[-1].time))["time"].startswith("9999")


@pytest.mark.parametrize("silent", [(), ("acd/eu1", "web/shop")])
def test_the_decoder_reads_ticks(silent: tuple[str, ...]) -> None:
    decoder = Decoder(lambda tenant, subject: subject, floor=0, ahead=0)
    assert decoder.decode(tick_record(1_700_000_000_123, WORKER, silent), 0) == Tick(
        1_700_000_000_123, silent
    )
    assert json.loads(tick_record(5))["data"] == {"fresh": "all"}


def test_a_month_of_the_bank_has_a_tick_for_each_quarter_of_an_hour_at_most() -> None:
    items = list(with_ticks(replayed("anonymous-bank").events, EVERY, HORIZON))
    ticks = sum(isinstance(item, TickAt) for item in items)
    assert 1_500 < ticks <= 28 * 24 * 4 + 3
