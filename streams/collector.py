"""Python's cycle collector and the C library's heap, set for a worker.

Nothing that the lanes make for an event forms a cycle; it is freed when the last reference goes. What a
partition that was taken away leaves behind does, with megabytes that had been fetched for it. At Python's
defaults every 700 objects that live on have the collector look for cycles, and every so often through all
customers: a tenth of a worker's time, for the few cycles that asyncio and libraries leave.

What is fetched and what is inserted is of megabytes, and comes and goes all the time. Among customers' states
such blocks leave holes, the next ones use free memory all over, and what is wanted in one piece finds no hole
that is large enough: in an hour of taking partitions over and losing them again a worker went from 300 to
450 MB, of which 120 were in use. So large blocks have memory of their own (``_large.pyx``, in the compiled
build), which is given back when it was not wanted for a second or two. The rest is the C library's: one heap
for all threads, which keeps what it has, since the system would fill what it gives anew with zeros, and which
is told every few seconds to give its holes back.
"""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress

from detectors import BUILD

__all__ = ["rest", "settle", "sweep"]

if BUILD == "compiled":
    from streams import _large

# malloc.h
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
KEPT_BYTES = 16 * 1024 * 1024


def settle() -> None:
    """What is loaded by now stays for good; look for cycles among what comes only now and then."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 20, 50)
    if BUILD == "compiled":
        _large.install()
    _tell("mallopt", M_ARENA_MAX, 1)
    _tell("mallopt", M_MMAP_THRESHOLD, KEPT_BYTES)
    _tell("mallopt", M_TRIM_THRESHOLD, 4 * KEPT_BYTES)


def rest() -> None:
    """Give back what no large block was put into since the last time: less than a millisecond."""
    if BUILD == "compiled":
        _large.sweep()


def sweep() -> None:
    """Look for cycles among all that came after :func:`settle`, and give memory back: 20 to 100 ms.

    By numbers alone it would look through what has lived for long once in hours, if at all.
    """
    gc.collect()
    _tell("malloc_trim", 0)


def _tell(function: str, *values: int) -> None:
    """The GNU C library; others have no such functions and do as they like."""
    with suppress(OSError, AttributeError):
        getattr(ctypes.CDLL(None), function)(*values)
