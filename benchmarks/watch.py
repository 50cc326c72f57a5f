"""Rates of what moves in steps: a consumer group commits, a database inserts, every half second or so.

A rate is the slope between the first and the last *change* in a window: what was done between two changes
over the time between them, so that neither the start of a process nor a step cut in half counts.

>>> seen = [Sample(0.0, 0, 0.0), Sample(1.0, 100, 0.5), Sample(1.5, 100, 0.7), Sample(3.0, 300, 1.5)]
>>> slope(seen)
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

BEAT_S = 0.1


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

    The window begins ``warm_s`` after something was first done. Raises TimeoutError after ``patience_s``
    without anything done.
    """
    deadline = monotonic() + patience_s
    first = sum(done().values())
    while sum(done().values()) == first:
        if monotonic() > deadline:
            raise TimeoutError(f"nothing was done within {patience_s:g} s")
        time.sleep(BEAT_S)
    time.sleep(warm_s)
    samples: list[Sample] = []
    began = monotonic()
    while not samples or samples[-1].at - began < seconds:
        before = monotonic()
        found = done()
        # Half of the answer's way: it was true when the broker wrote it.
        at = (before + monotonic()) / 2
        if samples and over(found):
            break
        samples.append(Sample(at, sum(found.values()), sum(map(cpu_s, pids))))
        time.sleep(BEAT_S)
    return samples


def slope(samples: Sequence[Sample]) -> Rate:
    """The rate between the first and the last change. Raises ValueError where there is none."""
    changes = [now for before, now in pairwise(samples) if now.done != before.done]
    if not changes:
        raise ValueError(f"nothing was done in {len(samples)} looks: the window is too short")
    # With one change only the window's beginning has to do.
    first, last = changes[0] if len(changes) > 1 else samples[0], changes[-1]
    count, seconds = last.done - first.done, last.at - first.at
    return Rate(count / seconds, 1e6 * (last.cpu - first.cpu) / count, seconds)
