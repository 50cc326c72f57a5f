"""A part that all processes of a test run share: who needs it first starts it, and ends it after the others.

Locks of files say who uses it. They go with a process, however it ends.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, flock
from pathlib import Path

__all__ = ["sharing"]


@contextmanager
def sharing(place: Path, start: Callable[[], AbstractContextManager[str]]) -> Iterator[str]:
    """What ``start`` gives, an address say, to every process that asks for the same ``place``."""
    place.mkdir(parents=True, exist_ok=True)
    address = place / "address"
    with (place / "users").open("w") as users, (place / "owner").open("w") as owner:
        flock(users, LOCK_SH)
        while not address.exists():
            try:
                flock(owner, LOCK_EX | LOCK_NB)
            except BlockingIOError:
                time.sleep(0.2)  # it is being started, or its start has just failed
                continue
            with start() as made:
                unfinished = place / "unfinished"
                unfinished.write_text(made)
                unfinished.rename(address)
                try:
                    yield made
                finally:
                    flock(users, LOCK_EX)
                    address.unlink()
            return
        yield address.read_text()
