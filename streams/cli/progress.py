"""Progress of long work: a bar on a terminal, a plain line now and then elsewhere; on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from streams.clock import monotonic

__all__ = ["progress"]

# A log that grows by more than six lines a minute is noise.
LINE_EVERY_S = 10.0


@contextmanager
def progress(label: str, unit: str = "events") -> Iterator[Callable[[int, int], None]]:
    """A function to call with what is done and of how much."""
    if not sys.stderr.isatty():
        yield _lines(label, unit)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(label), BarColumn(), MofNCompleteColumn(), TextColumn(unit), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(label, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


def _lines(label: str, unit: str) -> Callable[[int, int], None]:
    said = monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal said
        if monotonic() - said >= LINE_EVERY_S:
            said = monotonic()
            sys.stderr.write(f"{label}: {done} of {total} {unit} ({100 * done // max(1, total)} %)\n")
            sys.stderr.flush()

    return tell
