"""All customers of one partition: hot ones as objects, cold ones packed.

An object costs several times its packed record. So a bounded number stays unpacked, those that were active
last; the others are bytes until an event or a timer asks for them. What is packed is also what a changelog is
given, so that packing is never done twice.

>>> from detectors.events import key_of
>>> from detectors.state import new
>>> kept = Customers(hot=2)
>>> for name in "abc":
...     key = key_of("default", name); kept.put(key, new("default", name, "", False, 0))
>>> len(kept.packed()), len(kept), kept.hot
(3, 3, 2)
>>> kept.get(key_of("default", "a")).customer
'a'
"""

from __future__ import annotations

from detectors.packed import pack, unpack
from detectors.state import Customer

__all__ = ["Customers"]


class Customers:
    """States by key. Not thread-safe; one owner."""

    def __init__(self, hot: int) -> None:
        """``hot`` is how many stay unpacked between two calls of :meth:`packed`."""
        #: How many stay unpacked.
        self.most = hot
        self._hot: dict[bytes, Customer] = {}
        self._packed: dict[bytes, bytes] = {}
        self._changed: set[bytes] = set()
        self._gone: set[bytes] = set()
        self._left: dict[bytes, int] = {}
        self._count = 0
        # Those of the hot ones whose last record has a ring, the one that was packed longest ago first.
        self._ringed: dict[bytes, None] = {}
        #: States that could not be packed, by their last record's offset: what was kept of them stays.
        self.unpacked: list[tuple[int, Exception]] = []
        #: Event time (ms) before which nothing can come out of order any more.
        self.settled = 0

    def __len__(self) -> int:
        return self._count

    @property
    def hot(self) -> int:
        """How many are unpacked."""
        return len(self._hot)

    def keys(self) -> list[bytes]:
        """Of every customer."""
        return sorted({*self._packed, *self._hot})

    def load(self, key: bytes, raw: bytes) -> Customer:
        """Take back a packed record; the state is returned to look at, and stays packed."""
        state = unpack(raw)
        if not self.knows(key):
            self._count += 1
        self._packed[key] = raw
        return state

    def leave(self, key: bytes, position: int) -> None:
        """Take back that a customer is gone, whose records with offsets below ``position`` may come again."""
        self._left[key] = position

    def left(self, key: bytes, offset: int) -> bool:
        """Whether a record of a customer who is not there had been folded before they went."""
        return bool(self._left) and offset < self._left.get(key, 0)

    def get(self, key: bytes) -> Customer | None:
        """The state of ``key``, unpacked if need be."""
        state = self._hot.get(key)
        if state is None:
            raw = self._packed.get(key)
            if raw is None:
                return None
            state = unpack(raw)
            self._hot[key] = state
        return state

    def knows(self, key: bytes) -> bool:
        """Whether there is such a customer."""
        return key in self._hot or key in self._packed

    def put(self, key: bytes, state: Customer) -> None:
        """A new customer, or another state of one. It counts as changed."""
        if not self.knows(key):
            self._count += 1
        self._hot[key] = state
        self.touch(key)

    def touch(self, key: bytes) -> None:
        """The state of ``key`` changes now."""
        self._changed.add(key)
        if len(self._hot) > 4 * self.most:
            self._cool(self.most)

    def remove(self, key: bytes) -> None:
        """Forget a customer."""
        if self.knows(key):
            self._count -= 1
        self._hot.pop(key, None)
        if self._packed.pop(key, None) is not None:
            self._gone.add(key)
        self._changed.discard(key)

    def packed(self) -> list[tuple[bytes, bytes | None]]:
        """Records of everything changed since the last call; None for a customer that is forgotten."""
        found: list[tuple[bytes, bytes | None]] = []
        hot = self._hot
        for key in sorted(self._changed):
            state = hot.pop(key, None)
            if state is not None:
                # Those that were active last stand last, and are the last to go.
                hot[key] = state
                if not self._pack(key, state):
                    continue
            found.append((key, self._packed[key]))
        found.extend((key, None) for key in sorted(self._gone - self._changed))
        self._changed.clear()
        self._gone.clear()
        self._settle()
        self._cool(self.most)
        return found

    def _settle(self) -> None:
        """Let go the rings that nothing can be put into any more, of customers who may not come back soon."""
        for key in list(self._ringed):
            state = self._hot.get(key)
            if state is not None and state.ring is not None:
                if not state.ring.settled(self.settled):
                    break
                state.ring = None
            del self._ringed[key]

    def _cool(self, most: int) -> None:
        """Leave only as many objects as that, the oldest first."""
        surplus = len(self._hot) - most
        if surplus <= 0:
            return
        for key in list(self._hot)[:surplus]:
            if key not in self._changed or self._pack(key, self._hot[key]):
                del self._hot[key]

    def _pack(self, key: bytes, state: Customer) -> bool:
        ring = state.ring
        if ring is not None and ring.settled(self.settled):
            state.ring = None
        if self._ringed:
            self._ringed.pop(key, None)
        if state.ring is not None:
            self._ringed[key] = None
        try:
            self._packed[key] = pack(state)
        except MemoryError:
            raise  # the process', not a state's
        except Exception as error:
            self.unpacked.append((state.applied, error))
            return False
        return True
