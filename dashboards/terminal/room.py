"""How many lines each section of the screen gets.

>>> needs = [Need("moves", 5, 11, 2), Need("alerts", 4, 10, 3), Need("moments", 3, 9)]
>>> shared(12, needs)
{'moves': 5, 'alerts': 4, 'moments': 3}
>>> shared(11, needs)
{'moves': 7, 'alerts': 4}
>>> shared(4, needs)
{'alerts': 4}
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["Need", "shared"]


class Need(NamedTuple):
    """A section that makes no sense below ``least`` lines, has no use for more than ``most``, and grows by
    ``step``."""

    name: str
    least: int
    most: int
    step: int = 1


def shared(room: int, needs: Sequence[Need]) -> dict[str, int]:
    """Lines for each section, given the most important first: whoever does not fit is left out.

    What is left after everybody's least is dealt out in turns.
    """
    found: dict[str, int] = {}
    for need in needs:
        if need.least <= room:
            found[need.name] = need.least
            room -= need.least
    growing = True
    while growing:
        growing = False
        for need in needs:
            size = found.get(need.name)
            if size is not None and need.step <= room and size + need.step <= need.most:
                found[need.name] = size + need.step
                room -= need.step
                growing = True
    return found
