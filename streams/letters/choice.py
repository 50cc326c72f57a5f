"""Which dead letters are meant, and in what state each is."""

from __future__ import annotations

from typing import Literal, NamedTuple

from streams.head import guess
from streams.letters.ledger import Ledger
from streams.letters.letter import Letter

__all__ = ["Choice", "State", "state"]

# Never sent again; sent again; or come back: its record was sent again and failed once more.
State = Literal["open", "resent", "came back"]


class Choice(NamedTuple):
    """What a command was asked for; what is empty does not limit. ``since`` is in ms since the epoch."""

    places: frozenset[tuple[int, int]] = frozenset()
    # Reasons, with or without the field.
    reasons: frozenset[str] = frozenset()
    source: str = ""
    since: int = 0

    @property
    def starts(self) -> dict[int, int] | None:
        """The partitions that have to be read, and from where; None for all of them."""
        if not self.places:
            return None
        found: dict[int, int] = {}
        for partition, offset in self.places:
            found[partition] = min(offset, found.get(partition, offset))
        return found

    def takes(self, letter: Letter) -> bool:
        """Whether a letter is meant."""
        if self.places and (letter.partition, letter.offset) not in self.places:
            return False
        if self.reasons and not self.reasons & {letter.reason, letter.said}:
            return False
        if letter.stamp < self.since:
            return False
        return not self.source or guess(letter.value) == self.source


def state(letter: Letter, ledger: Ledger) -> State:
    """What has been done about a letter."""
    if ledger.sent(letter.partition, letter.offset):
        return "resent"
    if ledger.came_back(letter.topic, letter.from_partition, letter.from_offset):
        return "came back"
    return "open"
