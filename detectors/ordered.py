"""The partition fold of events that are known to be in order: nothing is kept to put them in another.

A back-test has all events of a file, sorted. None of them can come before one that was folded, so that no
state is kept to go back to, which takes a quarter of the fold. What it finds is the same. Where the events
are not in order after all, where one of them makes the fold raise, or where a tick names silent sources, what
a customer was before would be needed: the fold is ``spoiled``, and whoever has the records folds them again.

>>> from detectors.log import LogFold
>>> from detectors.policy import default
>>> log = LogFold(0, default(), lambda tenant, subject: "p", lambda tenant, subject: "sealed", ordered=True)
>>> event = '{"specversion":"1.0","type":"page_view","source":"w","id":"%s","subject":"s","time":"%sZ"}'
>>> for offset, time in enumerate(("2024-01-01T00:01:00", "2024-01-01T00:02:00", "2024-01-01T00:01:30")):
...     log.record((event % (offset, time)).encode(), 1_704_070_000_000, offset, Findings()), log.fold.spoiled
('event', False)
('event', False)
('event', True)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from detectors.events import Event
from detectors.moment import Findings
from detectors.partition import PartitionFold
from detectors.policy import Policy
from detectors.ring import precedes
from detectors.state import Customer

__all__ = ["Order", "OrderedFold"]

# Before every event.
_NEVER: Final = -(2**62)


class Order:
    """Whether events come in the order of their times, and each customer's in the canonical one."""

    def __init__(self) -> None:
        self._time = _NEVER
        # The last one of each customer's at that moment.
        self._last: dict[bytes, Event] = {}

    def takes(self, e: Event) -> bool:
        """Whether the next one is in order."""
        if e.time > self._time:
            self._time = e.time
            self._last = {e.key: e}
            return True
        last = self._last.get(e.key)
        self._last[e.key] = e
        return e.time == self._time and (last is None or not precedes(e, last))


class OrderedFold(PartitionFold):
    """As its base, once through; nothing can be loaded into it that has a ring."""

    def __init__(self, partition: int, policy: Policy, reference: Callable[[str, str], str]) -> None:
        """As its base."""
        super().__init__(partition, policy, reference)
        self._order = Order()

    def _place(self, key: bytes, state: Customer, e: Event, settled: int, out: Findings) -> Customer:
        # One that is late stands where it came, whatever its time.
        if not e.late and not self._order.takes(e):
            self.spoiled = True
        self._fold(state, e, out)
        return state

    def _undo(self, key: bytes, state: Customer, e: Event, seen: bytes, out: Findings) -> None:
        self.spoiled = True

    def _hold(self, held: frozenset[str]) -> Iterator[None]:
        # A timer that has waited for its source closes the order of what came meanwhile, which a ring keeps.
        self.spoiled = True
        return super()._hold(held)
