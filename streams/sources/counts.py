"""What became of every row of a source: nothing read is ever lost without a name and a line number.

>>> counts = SourceCounts()
>>> for line in (2, 3):
...     counts.row()
>>> counts.gave("purchase", "session.end")
>>> counts.adds_up()
False
>>> counts.reject("bad_time", "calls.csv:3")
>>> counts.adds_up(), counts.rejected["bad_time"]
(True, Tally(count=1, first=['calls.csv:3']))
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

__all__ = ["SourceCounts", "Tally"]

# Line numbers kept for each reason: enough to find what went wrong, few enough to print.
FIRST = 10


@dataclass
class Tally:
    """How often, and the first places, as ``file:line``."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, place: str) -> None:
        """Count one more; ``place`` is remembered among the first few."""
        self.count += 1
        if len(self.first) < FIRST:
            self.first.append(place)


@dataclass
class SourceCounts:
    """Rows in, rows that gave events, rows rejected and rows cleaned by name, events by type.

    Names come from a bounded set and places are file names and line numbers: never a value of a row.
    Empty lines are no rows.
    """

    rows: int = 0
    used: int = 0
    rejected: dict[str, Tally] = field(default_factory=dict)
    cleaned: dict[str, Tally] = field(default_factory=dict)
    events: Counter[str] = field(default_factory=Counter)

    def row(self) -> None:
        """One row read."""
        self.rows += 1

    def reject(self, reason: str, place: str) -> None:
        """One row gives no event, for ``reason``."""
        self.rejected.setdefault(reason, Tally()).add(place)

    def clean(self, name: str, place: str) -> None:
        """Something in a row was put right; the row still gives its events."""
        self.cleaned.setdefault(name, Tally()).add(place)

    def gave(self, *types: str) -> None:
        """One row gave events of these types, at least one."""
        self.used += 1
        for name in types:
            self.events[name] += 1

    @property
    def rejects(self) -> int:
        """Rows rejected, for whatever reason."""
        return sum(tally.count for tally in self.rejected.values())

    def adds_up(self) -> bool:
        """Whether rows in = rows that gave events + named rejects."""
        return self.rows == self.used + self.rejects

    def lines(self) -> list[str]:
        """The account for people, one line a figure, rejects before clean-ups."""
        shown = [
            f"{self.rows} rows in, {self.used} gave {self.events.total()} events, {self.rejects} rejected"
        ]
        for verb, tallies in (("rejected", self.rejected), ("cleaned", self.cleaned)):
            for name, tally in sorted(tallies.items()):
                more = ", ..." if tally.count > len(tally.first) else ""
                shown.append(f"{verb} {name}: {tally.count} ({', '.join(tally.first)}{more})")
        return shown
