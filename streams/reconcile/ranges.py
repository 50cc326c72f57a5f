"""Offsets as ranges: (first, after the last), sorted and apart. A gap of a million offsets is one pair.

>>> ranges([3, 4, 5, 9])
[(3, 6), (9, 10)]
>>> without([(0, 10), (20, 30)], [(2, 4), (8, 25)])
[(0, 2), (4, 8), (25, 30)]
>>> joined([(0, 2), (4, 8), (90, 91)], 10)
[(0, 8), (90, 91)]
>>> size([(0, 2), (4, 8)])
6
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

__all__ = ["Range", "joined", "ranges", "size", "within", "without"]

Range = tuple[int, int]


def ranges(offsets: Iterable[int]) -> list[Range]:
    """Of ascending offsets."""
    return joined(((offset, offset + 1) for offset in offsets), 0)


def joined(parts: Iterable[Range], near: int) -> list[Range]:
    """Ascending ranges that overlap, touch or are ``near`` to each other made one."""
    found: list[Range] = []
    for first, end in parts:
        if found and first - found[-1][1] <= near:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((first, end))
    return found


def without(parts: Iterable[Range], taken: Iterable[Range]) -> list[Range]:
    """What of ``parts`` is not in ``taken``; both ascending and apart."""
    found: list[Range] = []
    rest = iter(taken)
    cut = next(rest, None)
    for first, end in parts:
        at = first
        while cut is not None and cut[0] < end:
            if cut[1] > at:
                if cut[0] > at:
                    found.append((at, cut[0]))
                at = cut[1]
            if cut[1] > end:
                break  # it reaches into the next part
            cut = next(rest, None)
        if at < end:
            found.append((at, end))
    return found


def within(parts: Iterable[Range], offsets: Iterable[int]) -> Iterator[bool]:
    """For each of ascending offsets, whether it is in ascending ``parts``."""
    rest = iter(parts)
    now = next(rest, None)
    for offset in offsets:
        while now is not None and now[1] <= offset:
            now = next(rest, None)
        yield now is not None and now[0] <= offset


def size(parts: Iterable[Range]) -> int:
    """How many offsets."""
    return sum(end - first for first, end in parts)
