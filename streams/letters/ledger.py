"""What was sent again, written where the dead letters are, so that the same command does nothing new.

After a batch of letters was sent and acknowledged, a *mark* is put behind them in their own partition: which
letters, and where their records lie now. It is kept at least as long as the letters are. From the second
half it is known that a new letter is the old one come back: its record was a resend that failed again.

>>> headers, value = mark([4, 5, 9], "rehuman.events", {3: [100, 101, 250]})
>>> ledger = Ledger()
>>> ledger.take(0, headers, value)
True
>>> [ledger.sent(0, offset) for offset in (4, 6, 9)], ledger.sent(1, 4)
([True, False, True], False)
>>> ledger.came_back("rehuman.events", 3, 101), ledger.came_back("rehuman.events", 3, 102)
(True, False)
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence

import msgspec

__all__ = ["Ledger", "is_mark", "mark"]

_HEADER = ("mark", b"resent")
Runs = list[tuple[int, int]]


class _Mark(msgspec.Struct):
    letters: Runs
    topic: str
    sent: dict[int, Runs]


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Mark).decode


def mark(
    letters: Iterable[int], topic: str, sent: Mapping[int, Iterable[int]]
) -> tuple[list[tuple[str, bytes]], bytes]:
    """Headers and value of a mark: offsets of letters, and by partition of ``topic`` where they are now."""
    where = {partition: _runs(offsets) for partition, offsets in sent.items()}
    return [_HEADER], _encode(_Mark(_runs(letters), topic, where))


def is_mark(headers: Sequence[tuple[str, bytes]]) -> bool:
    """Whether a record of the topic is a mark and no letter."""
    return _HEADER in headers


class Ledger:
    """All marks of the topic."""

    def __init__(self) -> None:
        self._letters: dict[int, _Places] = {}
        self._sent: dict[tuple[str, int], _Places] = {}

    def take(self, partition: int, headers: Sequence[tuple[str, bytes]], value: bytes | None) -> bool:
        """Read one record of the topic; False for one that is no mark."""
        if not is_mark(headers):
            return False
        try:
            found = _decode(value or b"")
        except (msgspec.DecodeError, ValueError):
            return True  # nobody's letter, whatever it is
        self._letters.setdefault(partition, _Places()).add(found.letters)
        for number, runs in found.sent.items():
            self._sent.setdefault((found.topic, number), _Places()).add(runs)
        return True

    def sent(self, partition: int, offset: int) -> bool:
        """Whether this letter was sent again."""
        return partition in self._letters and offset in self._letters[partition]

    def came_back(self, topic: str, partition: int, offset: int) -> bool:
        """Whether the record there was itself a resend."""
        found = self._sent.get((topic, partition))
        return found is not None and offset in found


class _Places:
    """Offsets as runs; sorted when they are asked for."""

    def __init__(self) -> None:
        self._runs: Runs = []
        self._sorted = True

    def add(self, runs: Runs) -> None:
        self._runs += runs
        self._sorted = False

    def __contains__(self, offset: int) -> bool:
        if not self._sorted:
            self._runs = _merged(self._runs)
            self._sorted = True
        at = bisect_right(self._runs, (offset, 2**63)) - 1
        return at >= 0 and self._runs[at][0] <= offset <= self._runs[at][1]


def _runs(offsets: Iterable[int]) -> Runs:
    return _merged([(offset, offset) for offset in offsets])


def _merged(runs: Runs) -> Runs:
    """Sorted, and those that touch or overlap made one."""
    merged: Runs = []
    for first, last in sorted(runs):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged
