"""Python's cycle collector and the C library's heap, set for a worker.

Nothing that the lanes make for an event forms a cycle; it is freed when the last reference goes. At Python's
defaults every 700 objects that live on have the collector look for cycles, and every so often through all
customers: a tenth of a worker's time, for the few cycles that asyncio and libraries leave.

What is fetched and what is inserted is of megabytes, and comes and goes all the time. The C library would
ask the system for each such block and give it back, and the system would fill it with zeros, which takes 5
to 19 % of a worker's time: it is told to keep what it has, in one heap for all threads. Between customers'
states such blocks leave holes, and what is free is used all over, so that a worker would stand at the most
that it ever needed: one that took partitions over and lost them again for an hour went from 300 to 440 MB,
of which 170 to 240 MB were in use. It is told every few seconds to give the holes back.
"""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress

__all__ = ["settle", "sweep"]

# malloc.h
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
KEPT_BYTES = 16 * 1024 * 1024


def settle() -> None:
    """What is loaded by now stays for good; look for cycles among what comes only now and then."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 20, 50)
    _tell("mallopt", M_ARENA_MAX, 1)
    _tell("mallopt", M_MMAP_THRESHOLD, KEPT_BYTES)
    _tell("mallopt", M_TRIM_THRESHOLD, 4 * KEPT_BYTES)


def sweep() -> None:
    """Look for cycles among what has come since the last time, and give memory back: 20 to 100 ms.

    By numbers alone a worker that has little to do would look for them once in hours.
    """
    gc.collect(1)
    _tell("malloc_trim", 0)


def _tell(function: str, *values: int) -> None:
    """The GNU C library; others have no such functions and do as they like."""
    with suppress(OSError, AttributeError):
        getattr(ctypes.CDLL(None), function)(*values)
