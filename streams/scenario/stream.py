"""Many stories at once, endless, in time order, the same for the same seed.

>>> from itertools import islice
>>> first = list(islice(events(seed=3, start_ms=1_000_000), 50))
>>> first == list(islice(events(seed=3, start_ms=1_000_000), 50)), first == sorted(first)
(True, True)
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterator

from streams.scenario.scene import Scene
from streams.scenario.stories import STORIES
from streams.sources.api import SourceEvent

__all__ = ["PER_MINUTE", "events"]

# New people a minute. A story has about a dozen events over some minutes: five to ten events a second.
PER_MINUTE = 30.0


def events(
    seed: int, start_ms: int, per_minute: Callable[[int], float] | float = PER_MINUTE
) -> Iterator[SourceEvent]:
    """People arrive as they like (a Poisson process), each with a story; what they do comes in time order.

    ``per_minute`` is how many arrive, or what tells it of a moment in milliseconds. Never ends.
    """
    chance = random.Random(f"{seed}:arrivals")
    names = list(STORIES)
    weights = [STORIES[name][0] for name in names]
    waiting: list[SourceEvent] = []
    arrival, number = float(start_ms), 0
    while True:
        now = round(arrival)
        while waiting and waiting[0].time < now:
            yield heapq.heappop(waiting)
        number += 1
        scene = Scene(seed, number, now)
        STORIES[chance.choices(names, weights)[0]][1](scene)
        for event in scene.events:
            heapq.heappush(waiting, event)
        rate = per_minute(now) if callable(per_minute) else per_minute
        arrival += chance.expovariate(rate / 60_000)
