"""The partition fold: watermark, timers in (due, key) order, policies by time, customers by key.

It is given records in the order of the log and gives findings; the worker's lanes and the back-test run this
same code, so that they agree to the last digit, however many partitions there are.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

import msgspec

from detectors import customer as fold
from detectors.decode import Activation
from detectors.events import Event, Tick
from detectors.ids import fact_id
from detectors.moment import Findings
from detectors.policy import Policy, parse
from detectors.state import Customer, new, pack, unpack

__all__ = ["Counts", "PartitionFold"]

# The partition's own record in the changelog; a customer's key begins with his tenant.
OWN_KEY = b"\x00partition"


class Counts(msgspec.Struct):
    """What became of the events given to one partition."""

    accepted: int = 0
    scored: int = 0
    late: int = 0
    duplicates: int = 0
    unknown: int = 0
    unscored: int = 0
    skipped: int = 0


class _Clock(msgspec.Struct, array_like=True):
    """Event time as it stood after the record at offset ``applied``."""

    applied: int = -1
    high: int = 0
    tick: int = 0


class _Own(msgspec.Struct, array_like=True):
    """What a partition remembers besides its customers.

    A crash may leave this record one checkpoint ahead of the position mark, so it holds the clock of the
    checkpoint before as well: the first record after a restart tells which of them is the right one.
    Policies are (offset of the activation, time from which it holds, text).
    """

    clocks: list[_Clock] = []
    policies: list[tuple[int, int, str]] = []


class PartitionFold:
    """All customers of one partition. Not thread-safe; one owner."""

    def __init__(self, partition: int, policy: Policy, reference: Callable[[str, str], str]) -> None:
        """``policy`` holds until an activation says otherwise; ``reference(tenant, subject)`` encrypts."""
        self.partition = partition
        self.counts = Counts()
        self._reference = reference
        self._customers: dict[bytes, Customer] = {}
        self._timers: list[tuple[int, bytes]] = []
        self._scheduled: dict[bytes, int] = {}
        self._changed: set[bytes] = set()
        self._clock = _Clock()
        self._restored: list[_Clock] = []
        self._base = policy
        self._rules = policy.document.time
        self._own = _Own()
        # (offset, time, policy), by time.
        self._policies: list[tuple[int, int, Policy]] = []

    # -- state ---------------------------------------------------------------------------------------------

    def load(self, key: bytes, raw: bytes) -> None:
        """Take back one record of :meth:`changed`."""
        if key == OWN_KEY:
            self._own = msgspec.msgpack.decode(raw, type=_Own)
            self._restored = self._own.clocks
            self._policies = [(offset, time, parse(text)) for offset, time, text in self._own.policies]
            return
        state = unpack(raw)
        self._customers[key] = state
        self._schedule(key, state)

    def changed(self) -> list[tuple[bytes, bytes]]:
        """Packed records of everything changed since the last call."""
        found = [(key, pack(self._customers[key])) for key in sorted(self._changed)]
        self._changed.clear()
        clock = self._clock
        if not self._own.clocks or self._own.clocks[-1].applied != clock.applied:
            self._own.clocks = [*self._own.clocks[-1:], _Clock(clock.applied, clock.high, clock.tick)]
        found.append((OWN_KEY, msgspec.msgpack.encode(self._own)))
        return found

    @property
    def watermark(self) -> int:
        """Event time (ms) before which nothing on time is still to come; 0 before anything came."""
        return max(0, self._clock.high - self._rules.lateness)

    @property
    def customers(self) -> int:
        """How many customers this partition knows."""
        return len(self._customers)

    def customer(self, tenant: str, pseudonym: str) -> Customer | None:
        """The state of one customer, to look at."""
        return self._customers.get(_key(tenant, pseudonym))

    @property
    def policy(self) -> Policy:
        """The policy that holds at the watermark."""
        return self._policy(self._clock.high, self._clock.applied + 1)

    def knows(self, e: Event) -> bool:
        """Whether this partition has the event's customer."""
        return _key(e.tenant, e.customer) in self._customers

    # -- records -------------------------------------------------------------------------------------------

    def event(self, e: Event, subject: str, out: Findings) -> None:
        """Fold one event; ``e.offset`` must not go back but after a restart."""
        self._begin(e.offset)
        key = _key(e.tenant, e.customer)
        state = self._customers.get(key)
        if state is None:
            reference = self._reference(e.tenant, subject)
            state = new(e.tenant, e.customer, reference, e.anonymous, e.time)
            self._customers[key] = state
        elif e.offset <= state.applied:
            # Restored from beyond this record: it is in the state, and its rows went out before the state.
            self.counts.skipped += 1
            self._advance(e.time)
            self._expire(e.offset, out)
            return
        state.applied = e.offset
        policy = self._policy(e.time, e.offset)
        late = e.time < self._clock.high - self._rules.lateness
        self.counts.accepted += 1
        self._changed.add(key)
        if fold.seen(state, fact_id(e.tenant, "event", e.source, e.id)):
            self.counts.duplicates += 1
            return
        self._advance(e.time)
        if e.profiling is not None:
            state.context.may_profile = e.profiling
        if late:
            self.counts.late += 1
            fold.store_late(state, e, policy, out)
        elif not state.context.may_profile:
            self.counts.unscored += 1
            fold.store_unscored(state, e, policy, out)
        else:
            self._fire(state, e.time, e.offset, out)
            fold.apply(state, e, policy, out)
            self.counts.scored += 1
        self._schedule(key, state)
        self._expire(e.offset, out)

    def tick(self, tick: Tick, offset: int, out: Findings) -> None:
        """Time passes: the watermark moves and timers fire."""
        self._begin(offset)
        clock = self._clock
        clock.tick = max(clock.tick, tick.time)
        clock.high = max(clock.high, tick.time)
        self._expire(offset, out)

    def activate(self, activation: Activation, offset: int) -> None:
        """A policy holds for events at or after a moment; the same one twice is one."""
        self._begin(offset)
        if any(entry[1:] == (activation.time, activation.text) for entry in self._own.policies):
            return
        # Parsed before it is kept, so that a policy that is wrong changes nothing.
        policy = parse(activation.text)
        self._own.policies.append((offset, activation.time, activation.text))
        self._policies = sorted(
            [*self._policies, (offset, activation.time, policy)], key=lambda entry: (entry[1], entry[0])
        )
        self._rules = self._policy(self._clock.high, offset + 1).document.time

    # -- time ----------------------------------------------------------------------------------------------

    def _begin(self, offset: int) -> None:
        """Every record passes here first: after a restart, set the clock as it stood before it."""
        if self._restored:
            fitting = [clock for clock in self._restored if clock.applied < offset]
            self._clock = fitting[-1] if fitting else _Clock()
            self._restored = []
            self._rules = self._policy(self._clock.high, offset).document.time
        self._clock.applied = offset

    def _policy(self, time: int, offset: int) -> Policy:
        for at, since, policy in reversed(self._policies):
            if since <= time and at < offset:
                return policy
        return self._base

    def _fire(self, state: Customer, before: int, offset: int, out: Findings) -> None:
        def policy(time: int) -> Policy:
            return self._policy(time, offset)

        fold.fire(state, before, policy, out, self.partition, offset)

    def _advance(self, time: int) -> None:
        clock = self._clock
        if time > clock.high:
            # One clock from the future must not make everybody else late.
            limit = clock.tick + self._rules.allowance if clock.tick else time
            clock.high = max(clock.high, min(time, limit))

    def _schedule(self, key: bytes, state: Customer) -> None:
        due = state.due()
        if due and self._scheduled.get(key) != due:
            self._scheduled[key] = due
            heappush(self._timers, (due, key))

    def _expire(self, offset: int, out: Findings) -> None:
        """Fire every timer due before the watermark, in order of (due, key)."""
        timers, watermark = self._timers, self.watermark
        while timers and timers[0][0] < watermark:
            due, key = heappop(timers)
            if self._scheduled.get(key) == due:
                del self._scheduled[key]
            state = self._customers.get(key)
            if state is None or state.due() != due:
                continue  # since then put off, or fired by an event of the customer's own
            # Only up to this one: later ones go back to their place among the other customers'.
            self._fire(state, due + 1, offset, out)
            self._changed.add(key)
            self._schedule(key, state)


def _key(tenant: str, customer: str) -> bytes:
    return f"{tenant}\x1f{customer}".encode()
