"""Events that keep coming while everything else is killed: the benchmarks' workload at a steady rate.

Each partition gets its records in order of time, with the ticks that a replay sends between them. Some events
come twice, and, if asked for, some out of order within the lateness; none is beyond it.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from itertools import islice

from benchmarks.stage import batch_producer
from benchmarks.workload import CUSTOMERS, Raw, partitioned, records
from detectors.policy import default
from streams.clock import monotonic
from streams.lanes.api import Output
from streams.ticks import tick_record
from tests.support.world import World

__all__ = ["Feed", "closing", "shuffled"]

# Records that a repetition comes later: under ten seconds of event time, and fewer than the ids that a
# customer remembers, even of the busiest one.
LATER = 100
# And an event out of order: fewer than what is kept to be put in order, of the busiest one.
ASTRAY = 40
BEATS_A_SECOND = 20
# The last tenth of the events may go out at a tenth of the rate, and the slower the less is left: as long as
# harm is done, some are.
SLOW = 10


def shuffled(raws: Iterable[Raw], seed: int, *, doubled: float, disordered: float) -> Iterator[Raw]:
    """``raws`` with a share of the events said twice and a share of them held back for a few records.

    >>> from benchmarks.workload import records
    >>> len(list(shuffled(records(100), 1, doubled=0.5, disordered=0.0))) > 130
    True
    """
    rng = random.Random(seed)
    held: list[tuple[int, int, Raw]] = []
    for number, raw in enumerate(raws):
        while held and held[0][0] <= number:
            yield heappop(held)[2]
        if raw.key is None:
            yield raw
            continue
        if rng.random() < doubled:
            heappush(held, (number + rng.randint(1, LATER), number, raw))
        if rng.random() < disordered:
            heappush(held, (number + rng.randint(1, ASTRAY), -number, raw))
        else:
            yield raw
    for _, _, raw in sorted(held):
        yield raw


def closing(last: int) -> list[int]:
    """The times of the ticks behind the last event that let every timer fire (ms)."""
    policy = default()
    return [last + policy.lateness, last + policy.lateness + policy.longest_timeout_ms]


class Feed(threading.Thread):
    """Sends ``events`` events at ``rate`` a second, and at the end the ticks that let every timer fire."""

    def __init__(
        self,
        world: World,
        events: int,
        rate: float,
        *,
        seed: int,
        doubled: float = 0.0,
        disordered: float = 0.0,
        customers: int = CUSTOMERS,
        lingering: bool = False,
        raws: Iterable[Raw] | None = None,
        more: bool = False,
    ) -> None:
        """``lingering``: the last tenth goes out slower and slower, until :meth:`finish`. ``raws`` are sent
        as they come, where they are given; ``more`` of them will come, so that no tick is sent that lets all
        timers fire.
        """
        super().__init__(daemon=True)
        self._world, self._rate = world, rate
        if raws is None:
            raws = records(events, seed=seed, customers=customers)
            raws = shuffled(raws, seed, doubled=doubled, disordered=disordered)
        self._raws, self._more = raws, more
        self._partitions = world.settings.partitions
        self._last = 0
        self._count, self._lingering = events * (1 + doubled), lingering
        self._hurry = threading.Event()
        self._failure: BaseException | None = None
        #: Records sent, ticks of each partition among them.
        self.sent = 0
        #: Of these, events with their repetitions.
        self.events = 0

    def run(self) -> None:
        try:
            asyncio.run(self._send())
        except BaseException as failure:
            self._failure = failure

    async def _send(self) -> None:
        producer = batch_producer(self._world.values["kafka_url"])
        await producer.start()
        pending: set[asyncio.Future[None]] = set()
        rest = self._outputs()
        step = max(1, int(self._rate / BEATS_A_SECOND))
        due = monotonic()
        while some := list(islice(rest, step)):
            pending |= await producer.send(some)
            for future in [future for future in pending if future.done()]:
                future.result()
                pending.discard(future)
            self.sent += len(some)
            due += self._slower() * len(some) / self._rate
            if (pause := due - monotonic()) > 0:
                await asyncio.to_thread(self._hurry.wait, pause)
        for future in pending:
            await future
        await producer.stop()

    def _slower(self) -> float:
        """How many times longer than at the rate the next events take."""
        left = self._count - self.events
        return self._count / max(left, 1) if self._lingering and left < self._count / SLOW else 1.0

    def _outputs(self) -> Iterator[Output]:
        topic = self._world.settings.topics.events
        for partition, raw in partitioned(self._raws, self._partitions):
            self._last = max(self._last, raw.time)
            self.events += raw.key is not None
            yield Output(topic, partition, raw.key, raw.value)
        for time in [] if self._more else closing(self._last):
            yield from self._ticks(time)

    def _ticks(self, time: int) -> Iterator[Output]:
        for partition in range(self._partitions):
            yield Output(self._world.settings.topics.events, partition, None, tick_record(time))

    def again(self) -> None:
        """One more tick for every partition, once all is sent: something to read after the last restart."""
        policy = default()
        time = self._last + policy.lateness + policy.longest_timeout_ms + 60_000
        asyncio.run(self._one(time))

    async def _one(self, time: int) -> None:
        producer = batch_producer(self._world.values["kafka_url"])
        await producer.start()
        for future in await producer.send(self._ticks(time)):
            await future
        await producer.stop()

    def alive(self) -> bool:
        """Whether there is more to send. Raises what ended it, if something did."""
        if self._failure is not None:
            raise self._failure
        return self.is_alive()

    def finish(self, patience_s: float = 300.0) -> None:
        """Send what is left at once, and wait for the end. Raises what ended it."""
        self._hurry.set()
        self.join(patience_s)
        assert not self.alive(), "the broker takes no more events"
