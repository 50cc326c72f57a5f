"""The moments of one bank call in an order that can have happened, whatever the clocks wrote down.

Voice menu, queue and agent each kept their own clock, by seconds of the day. :func:`put_right` takes what
they say, in seconds since midnight of the row's date, and names everything it changes.

>>> fixes = []
>>> put_right(Clocks(86379, 86391, 0, 0, 86390, 88), wait=0, service=98, served=True, fixes=fixes)
Moments(enter=86379, exit=86391, queued=None, connected=86391, end=86488)
>>> fixes
['service_before_menu_exit', 'past_midnight']
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from streams.errors import OperationError
from streams.sources.api import EPOCH
from streams.sources.files import RejectError

__all__ = ["Clocks", "LocalDay", "Moments", "clock_seconds", "put_right"]

DAY = 86_400
# Clocks disagree by seconds or a minute; no call lasts half a day. More than this back is the next day.
HALF_DAY = DAY // 2
_CLOCK = re.compile(r"(\d{1,2}):(\d\d):(\d\d)")


class Clocks(NamedTuple):
    """What the row's clocks say, each in seconds since midnight."""

    vru_entry: int
    vru_exit: int
    q_start: int
    q_exit: int
    ser_start: int
    ser_exit: int


class Moments(NamedTuple):
    """The call's moments in seconds since midnight of the row's date, never decreasing from left to right."""

    enter: int
    exit: int
    queued: int | None
    connected: int | None
    end: int


def put_right(row: Clocks, *, wait: int, service: int, served: bool, fixes: list[str]) -> Moments:
    """Order the moments of ``row``; the names of what was changed are appended to ``fixes``, each once.

    ``wait`` and ``service`` are the row's own durations in seconds, ``served`` is whether an agent took it.
    """
    enter = row.vru_entry
    left = _after(row.vru_exit, enter, "negative_menu_time", fixes)
    queued = _after(row.q_start, left, "queued_before_menu_exit", fixes) if wait > 0 else None
    reached = left if queued is None else queued
    waited = reached if queued is None else _after(row.q_exit, reached, "queue_left_before_entered", fixes)
    if wait == 0 and row.q_start:
        # The caller was let into the queue and left, or was taken, in the same second: no wait.
        _note("queue_of_zero_seconds", fixes)
    if not served:
        if not service:
            return Moments(enter, left, queued, None, waited)
        # Something spoke with the caller after the queue, though no agent did: the line was held until then.
        _note("hang_up_with_service", fixes)
        return Moments(enter, left, queued, None, _after(row.ser_exit, waited, "service_ends_early", fixes))
    if not service:
        _note("zero_service_time", fixes)
        if not row.ser_start and not row.ser_exit:
            return Moments(enter, left, queued, waited, waited)
    connected = _after(row.ser_start, reached, "service_before_menu_exit", fixes)
    return Moments(
        enter, left, queued, connected, _after(row.ser_exit, connected, "service_ends_early", fixes)
    )


def _after(moment: int, before: int, name: str, fixes: list[str]) -> int:
    """``moment`` at or after ``before``, which may itself lie past midnight."""
    if moment >= before:
        return moment
    if before - moment > HALF_DAY:
        _note("past_midnight", fixes)
        moment += DAY
        if moment >= before:
            return moment
    _note(name, fixes)
    return before


def _note(name: str, fixes: list[str]) -> None:
    if name not in fixes:
        fixes.append(name)


@lru_cache(maxsize=DAY)
def clock_seconds(text: str) -> int:
    """Seconds since midnight of ``h:mm:ss``; :class:`RejectError` ``bad_time`` for anything else.

    >>> clock_seconds("7:02:47")
    25367
    """
    match = _CLOCK.fullmatch(text)
    hour, minute, second = map(int, match.groups()) if match else (24, 0, 0)
    if hour > 23 or minute > 59 or second > 59:
        raise RejectError("bad_time")
    return hour * 3600 + minute * 60 + second


class LocalDay:
    """Local wall time to milliseconds since the epoch, remembered by the hour.

    >>> LocalDay("Asia/Jerusalem").at("990201", 25367)
    917845367000
    """

    def __init__(self, zone: str) -> None:
        """Raises :class:`OperationError` on a machine without time zones."""
        try:
            self._zone = ZoneInfo(zone)
        except ZoneInfoNotFoundError:
            raise OperationError(f"the time zone {zone} is not known here: install tzdata") from None
        self._hours: dict[tuple[str, int], int] = {}

    def at(self, date: str, seconds: int) -> int:
        """``seconds`` since midnight of ``date`` (yymmdd, from 1970); :class:`RejectError` ``bad_date``."""
        hour, rest = divmod(seconds, 3600)
        start = self._hours.get((date, hour))
        if start is None:
            start = self._hours[(date, hour)] = self._start(date, hour)
        return start + rest * 1000

    def _start(self, date: str, hour: int) -> int:
        if not re.fullmatch(r"[0-9]{6}", date):
            raise RejectError("bad_date")
        year = int(date[:2])
        try:
            day = datetime(
                year + (1900 if year >= 70 else 2000), int(date[2:4]), int(date[4:]), tzinfo=self._zone
            )
        except ValueError:
            raise RejectError("bad_date") from None
        # Wall-clock arithmetic: 25 hours after midnight is 1 o'clock of the next day, whatever the zone does.
        return (day + timedelta(hours=hour) - EPOCH) // timedelta(milliseconds=1)
