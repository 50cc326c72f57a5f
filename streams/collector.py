"""Python's cycle collector and the C library's heap, set for a worker.

Nothing that the lanes make for an event forms a cycle; it is freed when the last reference goes. At Python's
defaults every 700 objects that live on have the collector look for cycles, and every so often through all
customers: a tenth of a worker's time, for the few cycles that asyncio and libraries leave.

What is fetched and what is inserted is of megabytes, and comes and goes all the time. Between customers'
states it would leave holes, and more each time that partitions come and go: such blocks are the system's,
mapped and given back one by one. Smaller ones are of the C library's heap, one for all threads, which is told
to keep what it has and, every few seconds, to give the holes back. Until then what is free is used all over,
so that a worker stands at the most that it ever needed: told so once a minute, one that took partitions over
and lost them again for an hour went from 300 to 440 MB, of which 170 to 240 MB were in use.
"""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress

__all__ = ["settle", "sweep"]

# malloc.h
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
MAPPED_BYTES = 512 * 1024
KEPT_BYTES = 16 * 1024 * 1024


def settle() -> None:
    """What is loaded by now stays for good; look for cycles among what comes only now and then."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 20, 50)
    _tell("mallopt", M_ARENA_MAX, 1)
    _tell("mallopt", M_MMAP_THRESHOLD, MAPPED_BYTES)
    _tell("mallopt", M_TRIM_THRESHOLD, KEPT_BYTES)


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
