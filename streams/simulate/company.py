"""The company as its customers meet it: hours, load and queues by the hour, a release that breaks a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from streams.simulate.parameters import Parameters

__all__ = ["HOUR", "Company", "Release", "Surge", "erlang_c"]

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
# 1970-01-01 was a Thursday.
_MONDAY = 4 * DAY


class Release(msgspec.Struct, forbid_unknown_fields=True):
    """A span in which steps fail; ``*`` stands for any journey or step. None where there are no channels."""

    channels: list[str] = []
    journeys: list[str] = []
    steps: list[str] = []
    from_h: float = 0.0
    until_h: float = 0.0
    fails: float = 0.0
    name: str = ""


class Surge(msgspec.Struct, forbid_unknown_fields=True):
    """A span with more work for the advisors (``load``) and more customers (``arrivals``)."""

    from_h: float = 0.0
    until_h: float = 0.0
    load: float = 1.0
    arrivals: float = 1.0


def erlang_c(people: int, offered: float) -> float:
    """The chance to wait in M/M/n with ``offered`` Erlangs of work, below ``people``.

    >>> round(erlang_c(1, 0.5), 3), round(erlang_c(10, 8.0), 3)
    (0.5, 0.409)
    """
    blocked = 1.0
    for servers in range(1, people + 1):
        blocked = offered * blocked / (servers + offered * blocked)
    return blocked / (1.0 - offered / people * (1.0 - blocked))


class Company:
    """What holds at a moment (ms since the epoch) of a simulation that began at ``start``."""

    def __init__(self, parameters: Parameters, start: int) -> None:
        """Raises nothing; ``start`` in ms since the epoch."""
        self.start = start
        self._of = parameters
        self._busiest = max(parameters.hours.profile)
        self._queues: dict[tuple[str, int, bool], tuple[float, float]] = {}

    def _hours_in(self, time: int) -> float:
        return (time - self.start) / HOUR

    def arrivals(self, time: int) -> float:
        """How many customers come in this hour, relative to others."""
        share = self._of.hours.profile[time // HOUR % 24]
        return share * (self._of.surge.arrivals if self._surges(time) else 1.0)

    def _surges(self, time: int) -> bool:
        surge = self._of.surge
        return surge.from_h <= self._hours_in(time) < surge.until_h

    def broken(self, channel: str, journey: str, step: str, time: int) -> float:
        """The chance that this step fails whoever tries it."""
        release = self._of.release
        if channel not in release.channels or not release.from_h <= self._hours_in(time) < release.until_h:
            return 0.0
        here = ("*" in release.journeys or journey in release.journeys) and (
            "*" in release.steps or step in release.steps
        )
        return release.fails if here else 0.0

    def release(self, channel: str, time: int) -> str:
        """The release that a channel runs."""
        release = self._of.release
        new = release.from_h <= self._hours_in(time) < release.until_h
        if new and release.name and channel in release.channels:
            return release.name
        return f"{channel}-1.9.0"

    def opens(self, time: int) -> int:
        """``time``, or the next moment when advisors and stores are there."""
        hours = self._of.hours
        midnight = time // DAY * DAY
        if time < midnight + hours.opens * HOUR:
            return midnight + hours.opens * HOUR
        if time >= midnight + hours.closes * HOUR:
            return midnight + DAY + hours.opens * HOUR
        return time

    def replies_at(self, time: int, work: float) -> int:
        """When an answer comes that takes ``work`` hours of weekday service time from ``time`` on."""
        hours = self._of.hours
        left = round(work * HOUR)
        while True:
            midnight = time // DAY * DAY
            begins, ends = midnight + hours.opens * HOUR, midnight + hours.replies_until * HOUR
            weekend = (midnight - _MONDAY) // DAY % 7 >= 5
            if not weekend and time < ends:
                time = max(time, begins)
                if time + left <= ends:
                    return time + left
                left -= ends - time
            time = midnight + DAY

    def queue(self, channel: str, time: int) -> tuple[float, float]:
        """The chance to wait on ``phone`` or ``chat``, and the mean wait in seconds of those who do."""
        slot = (channel, time // HOUR % 24, self._surges(time))
        known = self._queues.get(slot)
        if known is None:
            of = self._of.queue
            people = of.phone_people if channel == "phone" else of.chat_people
            serves = of.phone_serves_s if channel == "phone" else of.chat_serves_s
            traffic = self._of.hours.profile[slot[1]] / self._busiest
            busy = of.busiest * (of.staffed + (1.0 - of.staffed) * traffic)
            busy = min(busy * (self._of.surge.load if slot[2] else 1.0), of.most)
            # M/M/n: the wait of those who wait is exponential.
            known = (erlang_c(people, busy * people), serves / (people * (1.0 - busy)))
            self._queues[slot] = known
        return known
