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
# Of minutes and of days whose calendar is remembered: reckoning with a zone takes as long as all else of an
# event together.
_MOST_KNOWN = 8_192


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
        # A minute belongs to one day: no zone has offsets of seconds any more.
        self._minutes: dict[int, int] = {}
        self._spans: dict[int, tuple[int, int] | None] = {}
        # By the hour of UTC: no zone has changed its clocks within one for decades.
        self._hours: dict[int, int] = {}

    def between(self, start: int, end: int) -> int:
        """Milliseconds of service hours in [start, end), both in ms since the epoch."""
        total = 0
        for day in self._days_from(start):
            span = self._span(day)
            if span is not None:
                if span[0] >= end:
                    break
                total += max(0, min(span[1], end) - max(span[0], start))
        return total

    def after(self, start: int, span: int) -> int:
        """The moment at which ``span`` ms of service hours have passed since ``start``."""
        left = span
        for day in self._days_from(start):
            hours = self._span(day)
            if hours is not None:
                begin = max(hours[0], start)
                if hours[1] - begin >= left:
                    return begin + left
                left -= max(0, hours[1] - begin)
        return start + span

    def is_open(self, moment: int) -> bool:
        """Whether ``moment`` lies in service hours."""
        return self.between(moment, moment + 1) > 0

    def minute_of_week(self, moment: int) -> int:
        """Minutes since Monday began in the zone, 0 to 10,079.

        >>> ServiceHours(["mon"], "09:00", "17:00", "Asia/Jerusalem").minute_of_week(1_711_728_000_000)
        6900
        """
        hour = moment // 3_600_000
        begins = self._hours.get(hour)
        if begins is None:
            if len(self._hours) >= _MOST_KNOWN:
                self._hours.clear()
            local = datetime.fromtimestamp(hour * 3600, UTC).astimezone(self._zone)
            begins = (local.weekday() * 24 + local.hour) * 60 + local.minute
            self._hours[hour] = begins
        return (begins + moment // 60_000 % 60) % _WEEK

    def hour(self, moment: int) -> int:
        """The hour of day in the zone, 0 to 23."""
        return self.minute_of_week(moment) // 60 % 24

    def _days_from(self, start: int) -> range:
        """Days of the zone's calendar, from that of ``start`` on, as ordinals."""
        minute = start // 60_000
        day = self._minutes.get(minute)
        if day is None:
            if len(self._minutes) >= _MOST_KNOWN:
                self._minutes.clear()
            day = datetime.fromtimestamp(minute * 60, UTC).astimezone(self._zone).toordinal()
            self._minutes[minute] = day
        return range(day, day + _MOST_DAYS)

    def _span(self, day: int) -> tuple[int, int] | None:
        """When service begins and ends on a day (ms); None where there is none."""
        if day not in self._spans:
            if len(self._spans) >= _MOST_KNOWN:
                self._spans.clear()
            date = datetime.fromordinal(day).replace(tzinfo=self._zone)
            open_then = date.weekday() in self._days
            ends = (_millis(date + self._opens), _millis(date + self._closes))
            self._spans[day] = ends if open_then else None
        return self._spans[day]


def _offset(text: str) -> timedelta:
    hour, minute = text.split(":")
    return timedelta(hours=int(hour), minutes=int(minute))


def _millis(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
