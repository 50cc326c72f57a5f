"""What became of the events given to one partition.

>>> Counts().accepted
0
"""

from __future__ import annotations

from detectors.events import Event

__all__ = ["Counts"]


class Counts:
    """Every accepted event is exactly one of scored, late, duplicate, unknown or unscored."""

    def __init__(self) -> None:
        self.accepted = 0
        self.scored = 0
        self.late = 0
        self.duplicates = 0
        self.unknown = 0
        self.unscored = 0
        # Given again after a restart, and already in the state.
        self.skipped = 0
        # Events that took a place before others, and what was found anew.
        self.reordered = 0
        # A ring that was full and let go what was not settled yet.
        self.overflows = 0
        # Events whose time was too far ahead of the last tick to move the watermark that far.
        self.held_back = 0
        # Customers forgotten after having been idle for as long as the policy says.
        self.aged_out = 0
        # Events that made the fold raise; the customer is as before them.
        self.failed = 0

    def took(self, e: Event, may_profile: bool) -> None:
        """An event that is in its customer's state now."""
        self.accepted += 1
        if e.late:
            self.late += 1
        elif not e.known:
            self.unknown += 1
        elif not may_profile:
            self.unscored += 1
        else:
            self.scored += 1

    def copy(self) -> Counts:
        """As they are now."""
        other = Counts()
        other.add(self)
        return other

    def add(self, other: Counts) -> None:
        """Add another partition's."""
        self.accepted += other.accepted
        self.scored += other.scored
        self.late += other.late
        self.duplicates += other.duplicates
        self.unknown += other.unknown
        self.unscored += other.unscored
        self.skipped += other.skipped
        self.reordered += other.reordered
        self.overflows += other.overflows
        self.held_back += other.held_back
        self.aged_out += other.aged_out
        self.failed += other.failed

    def __repr__(self) -> str:
        told = [
            f"accepted={self.accepted}",
            f"scored={self.scored}",
            f"late={self.late}",
            f"duplicates={self.duplicates}",
            f"unknown={self.unknown}",
            f"unscored={self.unscored}",
            f"skipped={self.skipped}",
        ]
        return f"Counts({', '.join(told)})"
