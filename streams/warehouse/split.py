"""Cut an insert that spans many months into several: each partition it touches gets a part of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

__all__ = ["MAX_PARTITIONS", "by_months"]

# A server refuses an insert into more than 100 partitions (max_partitions_per_insert_block).
MAX_PARTITIONS = 50
DAY_MS = 86_400_000
EPOCH = date(1970, 1, 1)

Columns = Sequence[Sequence[object]]


def by_months(times: Sequence[int], columns: Columns, limit: int = MAX_PARTITIONS) -> Iterator[Columns]:
    """``columns`` as they are, or in pieces of at most ``limit`` months each; ``times`` are ms, UTC.

    Rows keep their order within a piece.

    >>> list(by_months([0, 40 * DAY_MS, 1], [["a", "b", "c"]], limit=1))
    [[['a', 'c']], [['b']]]
    """
    days = {time // DAY_MS for time in times}
    month_of = {day: _month(day) for day in days}
    months = sorted(set(month_of.values()))
    if len(months) <= limit:
        yield columns
        return
    piece_of_month = {month: number // limit for number, month in enumerate(months)}
    rows: list[list[int]] = [[] for _ in range(-(-len(months) // limit))]
    for row, time in enumerate(times):
        rows[piece_of_month[month_of[time // DAY_MS]]].append(row)
    for piece in rows:
        yield [[column[row] for row in piece] for column in columns]


def _month(day: int) -> int:
    try:
        at = EPOCH + timedelta(days=day)
    except OverflowError:
        return 0  # outside of the calendar; the database says what it thinks of it
    return at.year * 12 + at.month
