"""The bank adapter: clean-ups on the real file, and rows that are wrong."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from streams.sources.calls import Clocks, put_right
from tests.sources.datasets import Replayed, read, replayed

HEAD = (
    "vru+line,call_id,customer_id,priority,type,date,vru_entry,vru_exit,vru_time,q_start,q_exit,q_time,"
    "outcome,ser_start,ser_exit,ser_time,server"
)
GOOD = "AA0101,1,77,2,PS,990201,9:00:00,9:00:10,10,9:00:10,9:01:00,50,AGENT,9:00:59,9:03:00,121,TOVA"


def bank(tmp_path: Path, *rows: str | bytes) -> Replayed:
    path = tmp_path / "calls.csv"
    lines = [HEAD, *rows]
    path.write_bytes(b"".join((r if isinstance(r, bytes) else r.encode()) + b"\n" for r in lines))
    return read("anonymous-bank", path)


def told(replay: Replayed) -> list[tuple[str, str]]:
    return [(value["type"], value["time"][11:19]) for value in replay.values]


def test_a_call_through_all_stations(tmp_path: Path) -> None:
    replay = bank(tmp_path, GOOD)
    assert told(replay) == [
        ("ivr.enter", "07:00:00"),
        ("ivr.exit", "07:00:10"),
        ("call.queued", "07:00:10"),
        ("call.connected", "07:00:59"),
        ("call.ended", "07:03:00"),
    ]
    end = replay.values[-1]
    assert end["subject"] == "77"
    assert end["id"] == "AA0101:1@990201/end"
    agent = end["data"].pop("agent_id")
    assert "TOVA" not in agent
    assert end["data"] == {
        "channel": "phone",
        "journey": "banking",
        "intent": "regular-activity",
        "conversation_id": "AA0101:1",
        "language": "he",
        "priority": "2",
        "queue": "PS",
        "wait_s": 50,
        "talk_s": 121,
    }
    assert replay.values[1]["data"]["result"] == "queue"


@pytest.mark.parametrize(
    ("wait", "where", "result"),
    [("9:00:10,9:01:00,50", "queue", "queue"), ("9:00:10,9:00:10,0", "ivr", "left")],
)
def test_hanging_up_in_the_queue_or_in_the_menu(tmp_path: Path, wait: str, where: str, result: str) -> None:
    row = f"AA0101,1,0,0,NW,990201,9:00:00,9:00:10,10,{wait},HANG,0:00:00,0:00:00,0,NO_SERVER"
    values = bank(tmp_path, row).values
    assert values[-1]["data"]["where"] == where
    assert next(v for v in values if v["type"] == "ivr.exit")["data"]["result"] == result
    assert not any("subject" in value for value in values)
    assert values[0]["data"]["conversation_id"] == "AA0101:1"


def test_customers_without_a_name_are_one_each(tmp_path: Path) -> None:
    rows = [GOOD.replace(",77,", ",0,").replace(",1,0", f",{call},0") for call in (1, 2)]
    assert {event.key for event in bank(tmp_path, *rows).events} == {b"anon:AA0101:1", b"anon:AA0101:2"}


BAD: dict[str, str | bytes] = {
    "phantom": GOOD.replace("AGENT", "PHANTOM"),
    "unknown_outcome": GOOD.replace("AGENT", "GONE"),
    "no_call_id": GOOD.replace("AA0101,1,", "AA0101,,"),
    "bad_time": GOOD.replace("9:00:10", "9:60:10"),
    "bad_date": GOOD.replace("990201", "990230"),
    "bad_number": GOOD.replace(",50,", ",fifty,"),
    "wrong_columns": GOOD.replace("TOVA", "TOVA,TOVA"),
    "bad_quotes": GOOD.replace("TOVA", '"TOVA'),
    "bad_encoding": GOOD.encode().replace(b"TOVA", b"\xd8TOVA"),
    "repeated_call": GOOD,
}


@pytest.mark.parametrize("reason", BAD)
def test_bad_rows_are_counted_with_their_line_and_the_next_is_read(tmp_path: Path, reason: str) -> None:
    after = GOOD.replace("AA0101,1,", "AA0101,2,")
    replay = bank(tmp_path, GOOD, "", BAD[reason], after)
    assert (replay.counts.rows, replay.counts.used, replay.counts.adds_up()) == (3, 2, True)
    assert {name: tally.first for name, tally in replay.counts.rejected.items()} == {reason: ["calls.csv:4"]}
    assert len(replay.events) == 10


def test_clean_ups_of_february_are_those_the_data_set_is_known_for() -> None:
    cleaned = {name: tally.count for name, tally in replayed("anonymous-bank").counts.cleaned.items()}
    assert cleaned == {
        "hang_up_with_service": 97,
        "negative_menu_time": 23,  # 25 with the phantoms
        "past_midnight": 22,
        "queue_of_zero_seconds": 31,
        "queued_before_menu_exit": 23,
        "rounded_customer_id": 21,
        "service_before_menu_exit": 10_002,
        "service_ends_early": 24,
        "zero_service_time": 85,
    }


def test_every_call_goes_forward_and_ends_once() -> None:
    calls: defaultdict[str, dict[str, tuple[int, dict[str, Any]]]] = defaultdict(dict)
    replay = replayed("anonymous-bank")
    for event, value in zip(replay.events, replay.values, strict=True):
        call, _, station = event.id.rpartition("/")
        calls[call][station] = (event.time, value)
    assert len(calls) == 33_066
    for stations in calls.values():
        path = [stations[s][0] for s in ("enter", "exit", "queued", "connected", "end") if s in stations]
        assert path == sorted(path)
        served = stations["end"][1]["type"] == "call.ended"
        assert served == ("connected" in stations)
        assert ("queued" in stations) == (stations["end"][1]["data"]["wait_s"] > 0)
        # The longest call of the month: nothing that is wrapped around midnight the wrong way.
        assert path[-1] - path[0] < 3 * 3_600_000


@pytest.mark.parametrize(
    ("clocks", "wait", "service", "served", "moments", "fixes"),
    [
        # The menu's exit lies before its entry: the entry stays, all else waits for it.
        ((100, 40, 40, 150, 150, 200), 110, 50, True, (100, 100, 100, 150, 200), ["negative_menu_time"]),
        # Queue and service on the next day.
        ((86_390, 86_395, 2, 30, 29, 60), 28, 31, True, (86_390, 86_395, 86_402, 86_429, 86_460), []),
        # No service was written down.
        ((10, 20, 20, 33, 0, 0), 13, 0, True, (10, 20, 20, 33, 33), ["zero_service_time"]),
        # Gave up in the queue at midnight.
        ((86_300, 86_310, 86_310, 5, 0, 0), 95, 0, False, (86_300, 86_310, 86_310, None, 86_405), []),
        # Somebody, or a machine, spoke after the hang-up.
        ((10, 20, 20, 46, 46, 90), 26, 44, False, (10, 20, 20, None, 90), ["hang_up_with_service"]),
    ],
)
def test_putting_a_call_right(
    clocks: tuple[int, ...],
    wait: int,
    service: int,
    served: bool,
    moments: tuple[int | None, ...],
    fixes: list[str],
) -> None:
    found: list[str] = []
    assert put_right(Clocks(*clocks), wait=wait, service=service, served=served, fixes=found) == moments
    assert set(fixes) <= set(found)
