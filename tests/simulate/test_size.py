"""Any size in the same memory."""

from __future__ import annotations

import tracemalloc

from streams.simulate.crowd import events
from streams.simulate.parameters import load
from tests.simulate.runs import START

# As many an hour in each run: memory is that of those who are under way at once.
PER_HOUR = 1


def _peak(customers: int) -> tuple[int, int]:
    """Bytes at most, and events."""
    of = load("quiet-day")
    simulated = events(of, seed=1, customers=customers, hours=customers // PER_HOUR, start=START)
    tracemalloc.start()
    try:
        count = sum(1 for _ in simulated)
        return tracemalloc.get_traced_memory()[1], count
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_number_of_customers() -> None:
    _peak(20)  # what is filled once
    small, few = _peak(150)
    large, many = _peak(400)
    assert many > 2 * few
    assert large < 1.5 * small
    # Far below what the events themselves take.
    assert large < 100 * many
