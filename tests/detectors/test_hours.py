"""Service hours against a reckoning of every minute with the zone itself."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from zoneinfo import ZoneInfo

import pytest

from detectors.hours import ServiceHours

MINUTE = 60_000
# Days around which clocks are changed, in the middle of an hour of UTC in the last two zones.
DAYS = {
    "UTC": "2024-03-31",
    "Asia/Jerusalem": "2024-03-29",
    "Europe/Berlin": "2023-10-29",
    "Asia/Kathmandu": "2024-03-31",
    "Australia/Lord_Howe": "2024-04-06",
    "America/St_Johns": "2003-04-06",
}


@pytest.mark.parametrize("zone", DAYS)
def test_hours_are_those_of_the_zone(zone: str) -> None:
    first = int(datetime.fromisoformat(DAYS[zone]).replace(tzinfo=UTC).timestamp()) // 60 - 1_440
    minutes = [datetime.fromtimestamp(at * 60, ZoneInfo(zone)) for at in range(first, first + 3 * 1_440)]
    held = [
        moment.weekday() != 6 and 9 * 60 <= moment.hour * 60 + moment.minute < 1_065 for moment in minutes
    ]
    hours = ServiceHours(["mon", "tue", "wed", "thu", "fri", "sat"], "09:00", "17:45", zone)
    for at, moment in enumerate(minutes):
        time = (first + at) * MINUTE
        assert hours.minute_of_week(time) == (moment.weekday() * 24 + moment.hour) * 60 + moment.minute
        assert hours.is_open(time + 7) == held[at]
    chance = Random(3)
    for _ in range(200):
        start, end = sorted(chance.sample(range(len(minutes)), 2))
        served = sum(held[start:end])
        assert hours.between((first + start) * MINUTE, (first + end) * MINUTE) == served * MINUTE
        if served:
            after = hours.after((first + start) * MINUTE, served * MINUTE) // MINUTE - first
            assert sum(held[start:after]) == served
            assert held[after - 1]
