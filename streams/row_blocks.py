"""Rows cut into blocks within the limits, and a row that cannot be packed told apart from its neighbours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from streams import blocks

__all__ = ["BLOCK_BYTES", "BLOCK_ROWS", "row_blocks"]

# A block well below every message limit on its way: large enough for one insert, small enough to hold.
BLOCK_ROWS = 4_000
BLOCK_BYTES = 900_000

# Told of each row that cannot be packed, and why.
Failed = Callable[[object, Exception], None]


def row_blocks(table: str, rows: Sequence[object], partition: int, failed: Failed) -> Iterator[bytes]:
    """Rows of one table as blocks; rows that cannot be packed are given to ``failed`` and left out."""
    for start in range(0, len(rows), BLOCK_ROWS):
        yield from _within(table, rows[start : start + BLOCK_ROWS], partition, failed)


def _within(table: str, rows: Sequence[object], partition: int, failed: Failed) -> Iterator[bytes]:
    try:
        raw = blocks.encode(table, rows, partition)
    except MemoryError:
        raise  # the process', not a row's
    except Exception as error:
        # Whatever it is, a row that kept its lane from every checkpoint would come again for ever.
        if len(rows) == 1:
            failed(rows[0], error)
            return
    else:
        if len(raw) <= BLOCK_BYTES or len(rows) == 1:
            yield raw
            return
    half = len(rows) // 2
    yield from _within(table, rows[:half], partition, failed)
    yield from _within(table, rows[half:], partition, failed)
