"""Service hours: how much of a span counts as waiting on a channel that answers later.

>>> office = ServiceHours(["mon", "tue", "wed", "thu", "fri"], "09:00", "17:00", "UTC")
>>> friday_16h = 1_711_728_000_000  # 2024-03-29T16:00Z
>>> office.between(friday_16h, friday_16h + 72 * 3_600_000) / 3_600_000  # to Monday 16:00
8.0
>>> office.hour(friday_16h)
16
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

__all__ = ["ServiceHours"]

_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# Longer spans are cut: nothing that is owed for a year is worth counting by the hour.
_MOST_DAYS = 400
_WEEK = 7 * 24 * 60
_DAY = 24 * 60
# Of hours and of days whose calendar is remembered: reckoning with a zone takes as long as all else of an
# event together. A year has 8,784 hours.
_MOST_KNOWN = 16_384


class ServiceHours:
    """One daily span on some days of the week, in a zone of its own (daylight saving included)."""

    def __init__(self, days: list[str], opens: str, closes: str, zone: str) -> None:
        """``opens`` and ``closes`` are HH:MM; closes may be 24:00. ValueError for an unknown zone."""
        try:
            self._zone = ZoneInfo(zone)
        except Exception as error:
            raise ValueError(f"unknown time zone {zone!r}") from error
        self._days = frozenset(_NAMES.index(day) for day in days)
        self._opens = _offset(opens)
        self._closes = _offset(closes)
        if self._closes <= self._opens:
            raise ValueError("hours close after they open")
        # The zone's calendar by the hour of UTC, in minutes; not of one in which the clocks are changed.
        self._hours: dict[int, int] = {}
        # Of days, when service begins and ends (ms); it ends before it begins where there is none.
        self._begins: dict[int, int] = {}
        self._ends: dict[int, int] = {}

    def between(self, start: int, end: int) -> int:
        """Milliseconds of service hours in [start, end), both in ms since the epoch."""
        total = 0
        first = self._local(start) // _DAY
        for day in range(first, first + _MOST_DAYS):
            begins = self._begin(day)
            if begins >= end:
                break
            total += max(0, min(self._ends[day], end) - max(begins, start))
        return total

    def after(self, start: int, span: int) -> int:
        """The moment at which ``span`` ms of service hours have passed since ``start``."""
        left = span
        first = self._local(start) // _DAY
        for day in range(first, first + _MOST_DAYS):
            begins = max(self._begin(day), start)
            ends = self._ends[day]
            if ends - begins >= left:
                return begins + left
            left -= max(0, ends - begins)
        return start + span

    def is_open(self, moment: int) -> bool:
        """Whether ``moment`` lies in service hours."""
        return self.between(moment, moment + 1) > 0

    def minute_of_week(self, moment: int) -> int:
        """Minutes since Monday began in the zone, 0 to 10,079.

        >>> ServiceHours(["mon"], "09:00", "17:00", "Asia/Jerusalem").minute_of_week(1_711_728_000_000)
        6900
        """
        # The first day of the calendar was a Monday.
        return self._local(moment) % _WEEK

    def hour(self, moment: int) -> int:
        """The hour of day in the zone, 0 to 23."""
        return self.minute_of_week(moment) // 60 % 24

    def _local(self, moment: int) -> int:
        """Minutes of the zone's calendar since its first day began."""
        hour = moment // 3_600_000
        begins = self._hours.get(hour)
        if begins is None:
            begins = self._reckon(hour * 60)
            if self._reckon(hour * 60 + 59) != begins + 59:
                return self._reckon(moment // 60_000)
            if len(self._hours) >= _MOST_KNOWN:
                self._hours.clear()
            self._hours[hour] = begins
        return begins + moment // 60_000 % 60

    def _reckon(self, minute: int) -> int:
        local = datetime.fromtimestamp(minute * 60, UTC).astimezone(self._zone)
        return (local.toordinal() - 1) * _DAY + local.hour * 60 + local.minute

    def _begin(self, day: int) -> int:
        """When service begins on a day, counted from the calendar's first; its end is known then, too."""
        begins = self._begins.get(day)
        if begins is None:
            if len(self._begins) >= _MOST_KNOWN:
                self._begins.clear()
                self._ends.clear()
            date = datetime.fromordinal(day + 1).replace(tzinfo=self._zone)
            begins = self._begins[day] = _millis(date + self._opens)
            self._ends[day] = _millis(date + self._closes) if date.weekday() in self._days else begins - 1
        return begins


def _offset(text: str) -> timedelta:
    hour, minute = text.split(":")
    return timedelta(hours=int(hour), minutes=int(minute))


def _millis(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
