"""Cut rows that span many months: each monthly partition that an insert touches gets a part of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

__all__ = ["MAX_PARTITIONS", "by_months", "months_of"]

# A server refuses an insert into more than 100 partitions (max_partitions_per_insert_block).
MAX_PARTITIONS = 50
DAY_MS = 86_400_000
EPOCH = date(1970, 1, 1)

Columns = Sequence[Sequence[Any]]


def months_of(times: Sequence[int]) -> frozenset[int]:
    """The months (``year * 12 + month``, UTC) of ``times`` in ms.

    >>> sorted(months_of([0, 40 * DAY_MS, 1]))
    [23641, 23642]
    """
    first, last = _month(min(times) // DAY_MS), _month(max(times) // DAY_MS)
    if first == last:
        return frozenset((first,))
    return frozenset(_month(day) for day in {time // DAY_MS for time in times})


def by_months(
    times: Sequence[int], columns: Columns, months: frozenset[int], limit: int = MAX_PARTITIONS
) -> Iterator[tuple[Columns, frozenset[int]]]:
    """``columns`` as they are, or in pieces of at most ``limit`` of ``months`` each, and which those are.

    Rows keep their order within a piece.

    >>> times = [0, 40 * DAY_MS, 1]
    >>> [(part, sorted(found)) for part, found in by_months(times, [["a", "b", "c"]], months_of(times), 1)]
    [([['a', 'c']], [23641]), ([['b']], [23642])]
    """
    if len(months) <= limit:
        yield columns, months
        return
    ordered = sorted(months)
    groups = [ordered[start : start + limit] for start in range(0, len(ordered), limit)]
    group_of = {month: number for number, group in enumerate(groups) for month in group}
    rows: list[list[int]] = [[] for _ in groups]
    for row, time in enumerate(times):
        rows[group_of[_month(time // DAY_MS)]].append(row)
    for group, chosen in zip(groups, rows, strict=True):
        yield [[column[row] for row in chosen] for column in columns], frozenset(group)


def _month(day: int) -> int:
    try:
        at = EPOCH + timedelta(days=day)
    except OverflowError:
        return 0  # outside of the calendar; the database says what it thinks of it
    return at.year * 12 + at.month
