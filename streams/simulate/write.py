"""Events and truth into two files, plain or gzip by the name, the same bytes for the same seed."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import msgspec

from streams.errors import OperationError
from streams.simulate.crowd import events
from streams.simulate.parameters import Parameters

__all__ = ["Summary", "write"]

PROGRESS_EVERY = 200
_encode = msgspec.json.Encoder().encode


class Summary(NamedTuple):
    """How much was written."""

    customers: int
    events: int
    truth: int


@contextmanager
def _open(path: Path) -> Iterator[IO[bytes]]:
    with path.open("wb") as plain:
        if path.suffix == ".gz":
            # Without a name and a time in its head, which would make other bytes each time.
            with gzip.GzipFile("", "wb", fileobj=plain, mtime=0) as packed:
                yield packed  # type: ignore[misc]  # a GzipFile writes bytes, too
        else:
            yield plain


def write(
    of: Parameters,
    *,
    seed: int,
    customers: int,
    hours: int,
    start: int,
    events_out: Path,
    truth_out: Path,
    progress: Callable[[int, int], None] | None = None,
) -> Summary:
    """Simulate and write; ``start`` in ms since the epoch. Raises OperationError for a file that fails."""
    came = written = records = 0
    try:
        with _open(events_out) as events_to, _open(truth_out) as truth_to:

            def truth(of_one: list[dict[str, Any]]) -> None:
                nonlocal came, records
                truth_to.write(b"".join(_encode(record) + b"\n" for record in of_one))
                came += 1
                records += len(of_one)
                if progress and came % PROGRESS_EVERY == 0:
                    progress(came, customers)

            said = events(of, seed=seed, customers=customers, hours=hours, start=start, truth=truth)
            for event in said:
                events_to.write(event + b"\n")
                written += 1
    except OSError as error:
        raise OperationError(f"{error.filename or events_out}: {error.strerror}") from error
    if progress:
        progress(came, customers)
    return Summary(came, written, records)
