"""Python's cycle collector, set for a worker: customers by the ten thousand that are no garbage.

Nothing that the lanes make for an event forms a cycle; it is freed when the last reference goes. At Python's
defaults every 700 objects that live on have the collector look for cycles, and every so often through all
customers: a tenth of a worker's time, for the few cycles that asyncio and libraries leave.
"""

from __future__ import annotations

import gc

__all__ = ["settle"]


def settle() -> None:
    """What is loaded by now stays for good; look for cycles among what comes only now and then."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
