"""The sessions adapter: devices are channels, and what was done has a place in time."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from tests.sources.datasets import Replayed, read, replayed

HEAD = (
    "id_visitor|id_session|dim_session_number|dim_user_agent|dim_device_app_combo|ds|ts_min|ts_max|did_search|"
    "sent_message|sent_booking_request"
)
GOOD = "v1|s1|1|Airbnb/6.0|iPhone - iOS|2015-02-16|2015-02-16 21:00:00|2015-02-16 21:10:00|1|1|1"
OTHER = GOOD.replace("|s1|", "|s2|")


def sessions(tmp_path: Path, *rows: str) -> Replayed:
    path = tmp_path / "sessions.txt"
    path.write_text("\n".join([HEAD, *rows]))
    return read("airbnb-sessions", path)


def test_a_session_that_does_everything(tmp_path: Path) -> None:
    replay = sessions(tmp_path, GOOD)
    assert [(v["type"], v["time"][11:19]) for v in replay.values] == [
        ("session.start", "21:00:00"),
        ("search", "21:00:00"),
        ("button_click", "21:05:00"),
        ("purchase", "21:10:00"),
        ("session.end", "21:10:00"),
    ]
    assert replay.values[0]["data"] == {
        "channel": "app",
        "journey": "booking",
        "session_id": "s1",
        "device": "iPhone - iOS",
    }
    assert replay.values[2]["data"]["field"] == "message-host"


@pytest.mark.parametrize(
    ("device", "channel"),
    [
        ("iPad - iOS", "app"),
        ("Android Tablet - Android", "app"),
        ("iPhone - Moweb", "web"),
        ("iPad - Web", "web"),
        ("Desktop - IE", "web"),
        ("Unknown - Moweb", "web"),
        ("Other - Other", "other"),
    ],
)
def test_channel_of_a_device(tmp_path: Path, device: str, channel: str) -> None:
    replay = sessions(tmp_path, GOOD.replace("iPhone - iOS", device))
    assert {value["data"]["channel"] for value in replay.values} == {channel}


def test_clean_ups(tmp_path: Path) -> None:
    replay = sessions(
        tmp_path,
        GOOD.replace("21:10:00", "20:10:00"),
        GOOD.replace("v1|s1|", "|s2|"),
        GOOD.replace("|s1|", "|s3|").replace("2015-02-16 21:10:00", ""),
        GOOD.replace("|s1|", "|s4|").replace("|1|1|1", "|1||1"),
    )
    assert {name: tally.first for name, tally in replay.counts.cleaned.items()} == {
        "ends_before_it_starts": ["sessions.txt:2"],
        "anonymous_visitor": ["sessions.txt:3"],
        "no_end": ["sessions.txt:4"],
        "no_flag": ["sessions.txt:5"],
    }
    assert {event.key for event in replay.events} == {b"v1", b"anon:s2"}
    assert replay.counts.used == 4


@pytest.mark.parametrize(
    ("reason", "row"),
    [
        ("repeated_session", GOOD),
        ("no_session", GOOD.replace("|s1|", "||")),
        ("bad_time", OTHER.replace("21:00:00", "25:00:00")),
        ("bad_flag", OTHER.replace("|1|1|1", "|yes|1|1")),
        ("wrong_columns", GOOD.rpartition("|")[0]),
    ],
)
def test_bad_rows_are_counted_with_their_line(tmp_path: Path, reason: str, row: str) -> None:
    replay = sessions(tmp_path, GOOD, row)
    assert replay.counts.adds_up()
    assert {name: tally.first for name, tally in replay.counts.rejected.items()} == {
        reason: ["sessions.txt:3"]
    }


def test_the_bookers_and_their_devices_are_all_there() -> None:
    values = replayed("airbnb-sessions").values
    booked = {value["subject"] for value in values if value["type"] == "purchase"}
    assert len(booked) == 50
    starts: Counter[str] = Counter()
    hops = 0
    visits = sorted(
        (value["subject"], value["time"], value["data"]["device"])
        for value in values
        if value["type"] == "session.start"
    )
    for (visitor, _, before), (same, _, after) in pairwise(visits):
        if visitor == same:
            starts[visitor] += 1
            hops += before != after
    # "Visitors hop devices in 50.1 % of consecutive sessions"; those of one second have no order.
    assert 100 * hops / starts.total() == pytest.approx(50.1, abs=0.3)
