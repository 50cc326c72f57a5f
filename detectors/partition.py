"""The partition fold: watermark, timers in (due, key) order, policies by time, customers by key.

It is given records in the order of the log and gives findings; the worker's lanes and the back-test run this
same code, so that they agree to the last digit, however many partitions there are.

>>> from detectors.examples import Story, minutes
>>> story = Story().tell("form_start", 0, subject="jane").tell("form_start", 1, subject="john")
>>> story.tell("io.rehuman.tick", minutes(45)).log.fold.counts
Counts(accepted=2, scored=2, late=0, duplicates=0, unknown=0, unscored=0, skipped=0)
>>> [(row["customer"], row["inferred"]) for row in story.rows("abandonments")]
[('p-jane', 1), ('p-john', 1)]
>>> sorted(key for key, _ in story.log.fold.changed())
[b'\\x00clock0', b'default\\x1fp-jane', b'default\\x1fp-john']
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush

import msgspec

from detectors import customer as fold
from detectors.clock import Clock, Slots
from detectors.decode import Activation
from detectors.events import Event, Tick
from detectors.ids import fact_id
from detectors.moment import Findings
from detectors.policy import Policy
from detectors.state import Customer, new, pack, unpack
from detectors.timeline import Timeline
from detectors.vocabulary import TYPES

__all__ = ["Counts", "PartitionFold"]

# The partition's own record of policies; a customer's key begins with the tenant.
POLICIES_KEY = b"\x00policies"


class Counts(msgspec.Struct):
    """What became of the events given to one partition."""

    accepted: int = 0
    scored: int = 0
    late: int = 0
    duplicates: int = 0
    unknown: int = 0
    unscored: int = 0
    skipped: int = 0


class PartitionFold:
    """All customers of one partition. Not thread-safe; one owner."""

    def __init__(self, partition: int, policy: Policy, reference: Callable[[str, str], str]) -> None:
        """``policy`` holds until an activation says otherwise; ``reference(tenant, subject)`` encrypts."""
        self.partition = partition
        self.counts = Counts()
        # States that could not be packed, by their last record's offset: the changelog keeps what it has.
        self.unpacked: list[tuple[int, Exception]] = []
        self._reference = reference
        self._customers: dict[bytes, Customer] = {}
        self._timers: list[tuple[int, bytes]] = []
        self._scheduled: dict[bytes, int] = {}
        self._changed: set[bytes] = set()
        self._clock = Clock()
        self._slots = Slots()
        # After a restart the first record tells which of the clocks is the right one.
        self._unset = False
        self._timeline = Timeline(policy)
        self._activated = False
        self._rules = policy.document.time
        # When the rules of time change next, by an activation; 0 for never.
        self._turn = 0

    # -- state ---------------------------------------------------------------------------------------------

    def load(self, key: bytes, raw: bytes) -> None:
        """Take back one record of :meth:`changed`."""
        if self._slots.load(key, raw):
            self._unset = True
            return
        if key == POLICIES_KEY:
            self._timeline.load(raw)
            self._unset = True
            return
        state = unpack(raw)
        self._customers[key] = state
        self._schedule(key, state)

    def changed(self) -> list[tuple[bytes, bytes]]:
        """Packed records of everything changed since the last call; but see :attr:`unpacked`."""
        found = []
        for key in sorted(self._changed):
            try:
                found.append((key, pack(self._customers[key])))
            except Exception as error:
                self.unpacked.append((self._customers[key].applied, error))
        self._changed.clear()
        if self._activated:
            self._activated = False
            found.append((POLICIES_KEY, self._timeline.pack()))
        if not self._unset and (kept := self._slots.put(self._clock)):
            found.append(kept)
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
        return self._timeline.policy(self._clock.high, self._clock.applied + 1)

    def knows(self, e: Event) -> bool:
        """Whether this partition has the event's customer."""
        return _key(e.tenant, e.customer) in self._customers

    # -- records -------------------------------------------------------------------------------------------

    def event(self, e: Event, subject: str, out: Findings) -> None:
        """Fold one event; ``e.offset`` must not go back but after a restart."""
        self._begin(e.offset)
        late = e.time < self._clock.high - self._rules.lateness
        self._advance(e.time)
        key = _key(e.tenant, e.customer)
        state = self._customers.get(key)
        if state is None:
            reference = self._reference(e.tenant, subject)
            state = new(e.tenant, e.customer, reference, e.anonymous, e.time)
            self._customers[key] = state
        elif e.offset <= state.applied:
            # Restored from beyond this record: it is in the state, and its rows went out before the state.
            self.counts.skipped += 1
            self._expire(e.offset, out)
            return
        state.applied = e.offset
        self.counts.accepted += 1
        self._changed.add(key)
        if fold.seen(state, fact_id(e.tenant, "event", e.source, e.id)):
            self.counts.duplicates += 1
        else:
            self._fold(state, e, late, out)
            self._schedule(key, state)
        self._expire(e.offset, out)

    def _fold(self, state: Customer, e: Event, late: bool, out: Findings) -> None:
        policy = self._timeline.policy(e.time, e.offset)
        self._fire(state, e.time, e.offset, out)
        if e.profiling is not None or e.contact is not None:
            fold.consent(state, e)
        if late:
            self.counts.late += 1
            fold.store_late(state, e, policy, out)
        elif e.type not in TYPES:
            self.counts.unknown += 1
            fold.store_unscored(state, e, policy, out)
        elif not state.context.may_profile:
            self.counts.unscored += 1
            fold.store_unscored(state, e, policy, out)
        else:
            self.counts.scored += 1
            fold.apply(state, e, policy, out)

    def tick(self, tick: Tick, offset: int, out: Findings) -> None:
        """Time passes: the watermark moves and timers fire."""
        self._begin(offset)
        clock = self._clock
        clock.tick = max(clock.tick, tick.time)
        self._raise(max(clock.high, tick.time))
        self._expire(offset, out)

    def activate(self, activation: Activation, offset: int) -> None:
        """A policy holds for events at or after a moment; the same one twice is one."""
        self._begin(offset)
        if self._timeline.activate(offset, activation.time, activation.text):
            self._activated = True
        self._set_rules(offset + 1)

    # -- time ----------------------------------------------------------------------------------------------

    def _begin(self, offset: int) -> None:
        """Every record passes here first: after a restart, set the clock as it stood before it."""
        if self._unset:
            self._unset = False
            self._clock = self._slots.at(offset)
            self._set_rules(offset)
        self._clock.applied = offset

    def _set_rules(self, offset: int) -> None:
        """Lateness and allowance are those of the policy that holds at the highest time."""
        high = self._clock.high
        self._rules = self._timeline.policy(high, offset).document.time
        self._turn = self._timeline.turn(high)

    def _fire(self, state: Customer, before: int, offset: int, out: Findings) -> None:
        def policy(time: int) -> Policy:
            return self._timeline.policy(time, offset)

        fold.fire(state, before, policy, out, self.partition, offset)

    def _advance(self, time: int) -> None:
        clock = self._clock
        if time > clock.high:
            # One clock from the future must not make everybody else late.
            limit = clock.tick + self._rules.allowance if clock.tick else time
            self._raise(max(clock.high, min(time, limit)))

    def _raise(self, high: int) -> None:
        clock = self._clock
        clock.high = high
        if self._turn and high >= self._turn:
            self._set_rules(clock.applied)

    def _schedule(self, key: bytes, state: Customer) -> None:
        due = state.due()
        if due:
            # A timer that is put off stays where it is until then: most are put off again and again.
            scheduled = self._scheduled.get(key)
            if scheduled is None or due < scheduled:
                self._scheduled[key] = due
                heappush(self._timers, (due, key))

    def _expire(self, offset: int, out: Findings) -> None:
        """Fire every timer due before the watermark, in order of (due, key)."""
        timers, watermark = self._timers, self.watermark
        while timers and timers[0][0] < watermark:
            due, key = heappop(timers)
            if self._scheduled.get(key) != due:
                continue  # another one of this customer's was put before it
            del self._scheduled[key]
            state = self._customers[key]
            if state.due() == due:
                # Only up to this one: later ones go back to their place among the other customers'.
                self._fire(state, due + 1, offset, out)
                self._changed.add(key)
            self._schedule(key, state)


def _key(tenant: str, customer: str) -> bytes:
    return f"{tenant}\x1f{customer}".encode()
