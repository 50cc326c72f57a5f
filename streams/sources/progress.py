"""Progress of long work: a bar on a terminal, a plain line every few seconds elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from streams.clock import monotonic

__all__ = ["shown"]

# A log with more than this is noise, one with less looks hung.
PLAIN_EVERY_S = 5.0


@contextmanager
def shown(
    what: str, unit: str, out: TextIO | None = None, now: Callable[[], float] = monotonic
) -> Iterator[Callable[[int, int], None]]:
    """Gives ``tell(done, total)``. Writes to the standard error, so that answers can be piped."""
    stream = out or sys.stderr
    if stream.isatty():
        yield from _bar(what, unit, stream)
    else:
        yield _plain(what, unit, stream, now)


def _bar(what: str, unit: str, stream: TextIO) -> Iterator[Callable[[int, int], None]]:
    # Takes a tenth of a second to load, which only a terminal needs.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TextColumn(unit), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=stream)) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _plain(what: str, unit: str, stream: TextIO, now: Callable[[], float]) -> Callable[[int, int], None]:
    last = now()

    def tell(done: int, total: int) -> None:
        nonlocal last
        if done < total and now() - last < PLAIN_EVERY_S:
            return
        last = now()
        stream.write(f"{what}: {done} of {total} {unit}\n")
        stream.flush()

    return tell
