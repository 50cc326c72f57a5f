"""Service hours: how much of a span counts as waiting on a channel that answers later.

>>> office = ServiceHours(["mon", "tue", "wed", "thu", "fri"], "09:00", "17:00", "UTC")
>>> friday_16h = 1_711_728_000_000  # 2024-03-29T16:00Z
>>> office.between(friday_16h, friday_16h + 72 * 3_600_000) / 3_600_000  # to Monday 16:00
8.0
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

__all__ = ["ServiceHours"]

_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# Longer spans are cut: nothing that is owed for a year is worth counting by the hour.
_MOST_DAYS = 400


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

    def between(self, start: int, end: int) -> int:
        """Milliseconds of service hours in [start, end), both in ms since the epoch."""
        total = 0
        for opens, closes in self._spans(start):
            if opens >= end:
                break
            total += max(0, min(closes, end) - max(opens, start))
        return total

    def after(self, start: int, span: int) -> int:
        """The moment at which ``span`` ms of service hours have passed since ``start``."""
        left = span
        for opens, closes in self._spans(start):
            begin = max(opens, start)
            if closes - begin >= left:
                return begin + left
            left -= max(0, closes - begin)
        return start + span

    def is_open(self, moment: int) -> bool:
        """Whether ``moment`` lies in service hours."""
        return self.between(moment, moment + 1) > 0

    def _spans(self, start: int) -> list[tuple[int, int]] | _Spans:
        return _Spans(self, start)


class _Spans:
    """The service spans that end after a moment, in order."""

    def __init__(self, hours: ServiceHours, start: int) -> None:
        local = datetime.fromtimestamp(start / 1000, UTC).astimezone(hours._zone)
        self._midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        self._hours = hours
        self._start = start
        self._day = 0

    def __iter__(self) -> _Spans:
        return self

    def __next__(self) -> tuple[int, int]:
        hours = self._hours
        while self._day < _MOST_DAYS:
            date = self._midnight + timedelta(days=self._day)
            self._day += 1
            if date.weekday() in hours._days:
                opens = _millis(date + hours._opens)
                closes = _millis(date + hours._closes)
                if closes > self._start:
                    return opens, closes
        raise StopIteration


def _offset(text: str) -> timedelta:
    hour, minute = text.split(":")
    return timedelta(hours=int(hour), minutes=int(minute))


def _millis(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
