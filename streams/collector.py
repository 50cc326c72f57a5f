"""Python's cycle collector, set for a worker: customers by the ten thousand that are no garbage.

Nothing that the lanes make for an event forms a cycle; it is freed when the last reference goes. At Python's
defaults every 700 objects that live on have the collector look for cycles, and every so often through all
customers: a tenth of a worker's time, for the few cycles that asyncio and libraries leave.

Blocks, batches and what is fetched are of a megabyte or so. The C library would ask the system for each and
give it back, and the system would fill each with zeros: it is told to keep what it has.
"""

from __future__ import annotations

import ctypes
import gc

__all__ = ["settle", "sweep"]

# malloc.h
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
KEPT_BYTES = 16 * 1024 * 1024


def settle() -> None:
    """What is loaded by now stays for good; look for cycles among what comes only now and then."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 20, 50)
    _keep()


def sweep() -> None:
    """Look for cycles among what has come since the last time: some milliseconds.

    By numbers alone a worker that has little to do would look for them once in hours.
    """
    gc.collect(1)


def _keep() -> None:
    """Of the GNU C library; others do as they like."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(M_MMAP_THRESHOLD, KEPT_BYTES)
    mallopt(M_TRIM_THRESHOLD, 4 * KEPT_BYTES)
