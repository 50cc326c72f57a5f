"""How much is kept of one customer at most: so a packed record stays below 8 KiB whatever arrives.

>>> MOST_SEEN * SEEN_BYTES
192
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "MOST_ATTEMPTS",
    "MOST_CONTACTS",
    "MOST_FIELDS",
    "MOST_JOURNEYS",
    "MOST_OWED",
    "MOST_PARTS",
    "MOST_REFS",
    "MOST_SEEN",
    "MOST_SOLVED",
    "MOST_WAITS",
    "NONE_HELD",
    "SEEN_BYTES",
]

MOST_JOURNEYS: Final = 4
MOST_PARTS: Final = 8
MOST_ATTEMPTS: Final = 7
MOST_CONTACTS: Final = 5
MOST_WAITS: Final = 4
MOST_OWED: Final = 3
MOST_SOLVED: Final = 3
MOST_FIELDS: Final = 10
MOST_REFS: Final = 3
MOST_SEEN: Final = 32
NONE_HELD: Final[frozenset[str]] = frozenset()
# Of an event's id: within 32, two different ones agree in 48 bits once in 10^13 events.
SEEN_BYTES: Final = 6
