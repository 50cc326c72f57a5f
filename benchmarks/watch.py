"""Rates of what moves in steps: a consumer group commits, a database inserts, every half second or so.

A rate is the slope between the first and the last *change* in a window: what was done between two changes
over the time between them, so that neither the start of a process nor a step cut in half counts.

>>> seen = [Sample(0.0, 0, 0.0), Sample(9.0, 90, 0.1), Sample(10.0, 100, 0.5), Sample(10.5, 100, 0.7)]
>>> slope([*seen, Sample(12.0, 300, 1.5)])
Rate(eps=100.0, cpu_us=5000.0, seconds=2.0)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from benchmarks.quota import cpu_s
from streams.clock import monotonic

__all__ = ["Rate", "Sample", "follow", "slope"]

# Each look costs a process that is measured beside it some milliseconds of CPU.
BEAT_S = 0.25


class Sample(NamedTuple):
    """``done`` things at ``at`` seconds, for ``cpu`` CPU seconds of the processes watched."""

    at: float
    done: int
    cpu: float


class Rate(NamedTuple):
    """Things a second, CPU microseconds for each, and how long the window was."""

    eps: float
    cpu_us: float
    seconds: float


def follow(
    done: Callable[[], Mapping[int, int]],
    over: Callable[[Mapping[int, int]], bool],
    pids: Sequence[int],
    *,
    warm_s: float,
    seconds: float,
    patience_s: float,
) -> list[Sample]:
    """Look at ``done()`` (by partition) for ``seconds``, or until ``over(done())``, which is not counted.

    The first look is from before anything was done; the window begins ``warm_s`` after something was. Raises
    TimeoutError after ``patience_s`` without anything done.
    """

    def look() -> Sample:
        before = monotonic()
        found = done()
        # Half of the answer's way: it was true when the broker wrote it.
        at = (before + monotonic()) / 2
        # A window in which there was less to do than could be done says nothing.
        ended.append(over(found))
        return Sample(at, sum(found.values()), sum(map(cpu_s, pids)))

    ended: list[bool] = []
    deadline = monotonic() + patience_s
    first = last = look()
    while last.done == first.done:
        if monotonic() > deadline:
            raise TimeoutError(f"nothing was done within {patience_s:g} s")
        time.sleep(BEAT_S)
        first, last = last, look()
    time.sleep(warm_s)
    samples = [first, look()]
    while samples[-1].at - samples[1].at < seconds:
        time.sleep(BEAT_S)
        sample = look()
        if ended[-1]:
            break
        samples.append(sample)
    return samples


def slope(samples: Sequence[Sample]) -> Rate:
    """The rate between the first and the last change in the window. Raises ValueError for none."""
    changes = [now for before, now in pairwise(samples[1:]) if now.done != before.done]
    # Without two changes the time before anything was done has to do, and the start counts.
    first, last = (changes[0], changes[-1]) if len(changes) > 1 else (samples[0], samples[-1])
    count, seconds = last.done - first.done, last.at - first.at
    if count <= 0:
        raise ValueError(f"nothing was done in {len(samples)} looks")
    return Rate(count / seconds, 1e6 * (last.cpu - first.cpu) / count, seconds)
