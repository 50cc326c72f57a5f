"""All customers at once, in time order, in the memory that those who are under way take.

Customers come over time; each has one entry in a heap, its next event's, and is gone after the last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import heappop, heappush, heapreplace
from typing import Any

from streams.simulate.company import HOUR, Company
from streams.simulate.draws import key_of, number
from streams.simulate.lives import live
from streams.simulate.parameters import Parameters

__all__ = ["arrivals", "events"]

# The place of the number that a customer's arrival is drawn with.
_ARRIVAL = 200
Truth = Callable[[list[dict[str, Any]]], object]


def arrivals(company: Company, seed: int, customers: int, hours: int) -> Iterator[tuple[int, int]]:
    """(number from 1, ms since the epoch) of each customer, over ``hours``, in time order.

    Evenly through the hours' traffic, each at random within its share: no draw depends on another's.
    """
    weights = (company.arrivals(company.start + hour * HOUR) for hour in range(hours))
    total = sum(company.arrivals(company.start + hour * HOUR) for hour in range(hours))
    hour, before, weight = 0, 0.0, next(weights)
    for customer in range(1, customers + 1):
        place = (customer - 1 + number(key_of(seed, customer), _ARRIVAL)) / customers * total
        while place >= before + weight and hour < hours - 1:
            before += weight
            weight = next(weights)
            hour += 1
        inside = (place - before) / weight if weight else 0.0
        yield customer, company.start + round((hour + inside) * HOUR)


def events(
    of: Parameters, *, seed: int, customers: int, hours: int, start: int, truth: Truth = lambda records: None
) -> Iterator[bytes]:
    """CloudEvents as JSON, by time; ``truth`` is given each customer's records as the customer comes.

    ``start`` in ms since the epoch. A customer of the last hour is followed to the end, some days on.
    """
    company = Company(of, start)
    under_way: list[tuple[int, int, list[tuple[int, bytes]]]] = []
    for customer, arrival in arrivals(company, seed, customers, hours):
        yield from _until(under_way, arrival)
        life = live(of, company, seed, customer, arrival)
        truth(life.truth)
        # Taken from the end, so that what was said is gone.
        life.events.reverse()
        if life.events:
            heappush(under_way, (life.events[-1][0], customer, life.events))
    yield from _until(under_way, 1 << 62)


def _until(under_way: list[tuple[int, int, list[tuple[int, bytes]]]], time: int) -> Iterator[bytes]:
    while under_way and under_way[0][0] < time:
        _, customer, left = under_way[0]
        yield left.pop()[1]
        if left:
            heapreplace(under_way, (left[-1][0], customer, left))
        else:
            heappop(under_way)
