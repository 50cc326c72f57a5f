"""What the demonstration sends: constructed customers at the live edge, or a file at a pace people can watch.

The scenario's history is published before the worker starts: its wall-clock ticks would make it late.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from detectors.policy import Policy
from streams.clock import wall_ms
from streams.errors import OperationError
from streams.replay import Publisher, publish
from streams.scenario.stream import PER_MINUTE, events
from streams.sources.api import SourceCounts, SourceEvent, get_source
from streams.sources.files import read_merged
from streams.ticks import EVERY_MS, TickAt, with_ticks

__all__ = ["SHOWN_S", "FileTraffic", "Runner", "ScenarioTraffic", "Traffic"]

MINUTE_MS = 60_000
# Long enough for the slowest of the default time-outs that a story leads to: a chat that nobody answers
# counts as abandoned two hours after its promise.
HISTORY_MS = 160 * MINUTE_MS
# Before the last twenty minutes only a few people come, so that the history is published in a second.
BUSY_MS = 20 * MINUTE_MS
QUIET = PER_MINUTE / 5
# Ticks of the history's own time: a time-out is seen this soon after it was due.
TICK_MS = MINUTE_MS
# A file is shown within this time, whatever its span.
SHOWN_S = 60.0


class StoppedError(Exception):
    """The demonstration is over; nothing more is to be sent."""


class Traffic(Protocol):
    """Something to send: first what must be there before the worker starts, then the rest."""

    title: str

    def before(self, publisher: Publisher, topic: str) -> None:
        """Publish the history, if there is any; returns when it is acknowledged."""
        ...

    def flow(self, publisher: Publisher, topic: str, stop: threading.Event) -> None:
        """Publish until there is no more, or until ``stop``."""
        ...


class ScenarioTraffic:
    """Constructed customers: history up to now at full speed, then everything as it happens."""

    title = "constructed customers, live (a scenario made up for demonstration)"

    def __init__(self, seed: int = 1, clock: Callable[[], int] = wall_ms) -> None:
        """``clock`` gives the present in ms."""
        self.sent = 0
        self._clock = clock
        self._now = clock()
        busy = self._now - BUSY_MS
        self._events: Iterator[SourceEvent] = events(
            seed, self._now - HISTORY_MS, lambda at: PER_MINUTE if at >= busy else QUIET
        )

    def before(self, publisher: Publisher, topic: str) -> None:
        """The history with ticks of its own time, none of them later than now."""
        timed = with_ticks(self._history(), TICK_MS, 0, fill_gaps=True)
        items = (item for item in timed if not (isinstance(item, TickAt) and item.final))
        self.sent, _ = publish(publisher, topic, items, total=0)

    def flow(self, publisher: Publisher, topic: str, stop: threading.Event) -> None:
        """Each event when its time has come."""
        for event in self._events:
            while (early := event.time - self._clock()) > 0:
                if stop.wait(early / 1000):
                    return
            if stop.is_set():
                return
            publisher.send(topic, event.key, event.value)
            self.sent += 1

    def _history(self) -> Iterator[SourceEvent]:
        # takewhile would swallow the first event after now.
        for event in self._events:
            yield event
            if event.time >= self._now:
                return


class FileTraffic:
    """A file's events and the ticks of their own time, all within ``shown_s`` seconds."""

    def __init__(self, source: str, path: Path, policy: Policy, shown_s: float = SHOWN_S) -> None:
        """Reads the file. Raises SettingError, OperationError for one that is not what ``source`` reads."""
        self.sent = 0
        self.counts = SourceCounts()
        self._policy = policy
        self._shown_s = shown_s
        self._events = list(read_merged(get_source(source), [path], self.counts))
        if not self._events:
            raise OperationError(f"{path} has no events to show")
        self._span_ms = max(1, self._events[-1].time - self._events[0].time)
        days = self._span_ms / 86_400_000
        self.title = f"{source} {path.name} replayed, {days:,.1f} days in {shown_s:.0f} s"

    def before(self, publisher: Publisher, topic: str) -> None:
        """Nothing: a file has its own time, and no worker's tick makes it late."""

    def flow(self, publisher: Publisher, topic: str, stop: threading.Event) -> None:
        """The events at their pace, then at once the last ticks, which leave no timer behind."""
        rules = self._policy.document.time
        timed = with_ticks(
            self._counted(),
            EVERY_MS,
            self._policy.longest_timeout_ms,
            lateness_ms=rules.lateness,
            span=(self._policy.floor, wall_ms() + rules.ahead),
            fill_gaps=True,
        )

        def sleep(seconds: float) -> None:
            if stop.wait(seconds):
                raise StoppedError

        speed = self._span_ms / 1000 / self._shown_s
        try:
            publish(publisher, topic, timed, total=len(self._events), speed=speed, sleep=sleep)
        except StoppedError:
            publisher.flush()

    def _counted(self) -> Iterator[SourceEvent]:
        for event in self._events:
            yield event
            # The next one is asked for when this one has been sent.
            self.sent += 1


class Runner:
    """Lets traffic flow in a thread of its own until it is stopped; remembers what went wrong."""

    def __init__(self, traffic: Traffic, publisher: Publisher, topic: str) -> None:
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._traffic = traffic
        self._publisher = publisher
        self._topic = topic
        # Daemon: a broker that hangs must not keep this process from ending.
        self._thread = threading.Thread(target=self._run, name="traffic", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def check(self) -> None:
        """Raise what ended the traffic, if it did not end well."""
        if self._failure is not None:
            raise self._failure

    def stop(self, patience_s: float = 5.0) -> None:
        """No more traffic; waits for the last acknowledgements, but not for ever."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(patience_s)

    def _run(self) -> None:
        try:
            self._traffic.flow(self._publisher, self._topic, self._stop)
            self._publisher.flush()
        except BaseException as error:
            self._failure = error
