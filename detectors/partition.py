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

from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from typing import Final

from detectors import customer as fold
from detectors.aging import Aging
from detectors.amend import difference
from detectors.bounds import NONE_HELD
from detectors.clock import Clock, Slots
from detectors.counts import Counts
from detectors.customers import Customers
from detectors.events import Activation, Event, Tick, key_of
from detectors.ids import event_id
from detectors.moment import Findings
from detectors.packed import snapshot, unpack
from detectors.policy import Policy
from detectors.ring import STEP, Ring
from detectors.state import Customer, new
from detectors.timeline import Timeline

__all__ = ["Counts", "PartitionFold"]

# The partition's own record of policies; a customer's key begins with the tenant.
POLICIES_KEY: Final = b"\x00policies"
# Customers that stay unpacked, of each partition.
HOT: Final = 8_192
# Timers or customers in one step of a tick: a source that is heard again may set off those of everybody.
AT_ONCE: Final = 2_000


class PartitionFold:
    """All customers of one partition. Not thread-safe; one owner."""

    def __init__(
        self, partition: int, policy: Policy, reference: Callable[[str, str], str], hot: int = HOT
    ) -> None:
        """``policy`` holds until an activation says otherwise; ``reference(tenant, subject)`` encrypts."""
        self.partition = partition
        self.counts = Counts()
        #: See :class:`detectors.ordered.OrderedFold`; here it is never.
        self.spoiled = False
        self._reference = reference
        #: All of them by key; how many stay unpacked may be changed.
        self.known = Customers(hot)
        self._timers: list[tuple[int, bytes]] = []
        self._scheduled: dict[bytes, int] = {}
        # Customers with a timer that waits for a silent source, and those sources.
        self._waiting: set[bytes] = set()
        self._held: frozenset[str] = NONE_HELD
        self._aging = Aging()
        self._clock = Clock()
        self._slots = Slots()
        # The clock's, at hand for every event.
        self._applied = -1
        self._tick = 0
        # After a restart the first record tells which of the clocks is the right one.
        self._unset = False
        self._timeline = Timeline(policy)
        self._activated = False
        self._high = 0
        # The rules of time change by an activation: when next (0 for never), and until then these hold.
        self._turn = 0
        self._lateness, self._allowance, self._idle = policy.lateness, policy.allowance, policy.idle

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
        state = self.known.load(key, raw)
        self._schedule(key, state)
        self._aging.add(key, state.now)

    def changed(self) -> list[tuple[bytes, bytes | None]]:
        """Packed records of everything changed since the last call; None for what is forgotten."""
        self.known.settled = self.watermark
        found = self.known.packed()
        if self._activated:
            self._activated = False
            found.append((POLICIES_KEY, self._timeline.pack()))
        if not self._unset:
            self._clock.high, self._clock.applied = self._high, self._applied
            if kept := self._slots.put(self._clock):
                found.append(kept)
        return found

    @property
    def watermark(self) -> int:
        """Event time (ms) before which nothing on time is still to come; 0 before anything came."""
        return max(0, self._high - self._lateness)

    def customer(self, tenant: str, pseudonym: str) -> Customer | None:
        """The state of one customer, to look at."""
        return self.known.get(key_of(tenant, pseudonym))

    @property
    def policy(self) -> Policy:
        """The policy that holds at the watermark."""
        return self._timeline.policy(self._high, self._applied + 1)

    # -- records -------------------------------------------------------------------------------------------

    def event(self, e: Event, subject: str, out: Findings) -> None:
        """Fold one event; ``e.offset`` must not go back but after a restart.

        Whatever it makes the fold raise leaves the customer as before, and nothing found of it in ``out``.
        """
        self._begin(e.offset)
        settled = self._high - self._lateness
        e.late = e.time < settled
        self._advance(e.time)
        key = e.key
        state = self.known.get(key)
        if state is None and not self.known.left(key, e.offset):
            state = self._new(key, e, subject)
        elif state is None or e.offset <= state.applied:
            # Restored from beyond this record: it is in the state, and its rows went out before the state.
            self.counts.skipped += 1
            self._expire(e.offset, out)
            return
        elif e.time - state.now > self._idle and not e.late:
            self._fire(state, e.time, e.offset, out)
            state = self._new(key, e, subject)
        if not e.fact:
            e.fact = event_id(e.tenant, e.source, e.id)
        known = state.seen
        self.known.touch(key)
        if fold.seen(state, e.fact):
            self.counts.accepted += 1
            self.counts.duplicates += 1
            state.applied = e.offset
        else:
            try:
                state = self._place(key, state, e, settled, out)
            except Exception:
                self._undo(key, state, e, known, out)
                raise
            state.applied = e.offset
            self.counts.took(e, state.context.may_profile)
            self._schedule(key, state)
        self._expire(e.offset, out)

    def _undo(self, key: bytes, state: Customer, e: Event, seen: bytes, out: Findings) -> None:
        """An event made the fold raise: its customer is as before it, and nothing was found of it."""
        self.counts.failed += 1
        out.take_back(e.offset)
        ring = state.ring
        if ring is not None:
            ring.marks.clear()
            if e in ring.events:
                ring.events.remove(e)
                ring.measure()
            try:
                again = self._refold(ring, state.epoch, 0, e.offset, Findings())
            except Exception:
                # What had been folded before cannot be any more: what came before it all can.
                again, ring.events = unpack(ring.base), []
                ring.measure()
            again.ring = ring
            state = again
        state.seen, state.applied = seen, e.offset
        self.known.put(key, state)
        self._schedule(key, state)

    def _new(self, key: bytes, e: Event, subject: str) -> Customer:
        # Of no moment: an earlier event may still come before this one, and find what it would have found.
        state = new(e.tenant, e.customer, self._reference(e.tenant, subject), e.anonymous, 0)
        if e.late:
            state.now = e.time
        self.known.put(key, state)
        self._aging.add(key, e.time)
        return state

    def _place(self, key: bytes, state: Customer, e: Event, settled: int, out: Findings) -> Customer:
        """Fold an event in its place among those that it may still come before."""
        ring = state.ring
        if ring is not None and ring.settled(settled):
            ring = state.ring = None
        if ring is None:
            if not e.late:
                ring = Ring(snapshot(state))
                ring.put(e, 0)
                # Only then: the base is the state without it.
                state.ring = ring
            self._fold(state, e, out)
            return state
        if e.time <= ring.closed and not ring.follows(e):
            e.late = True
        place = ring.place(e)
        if place == len(ring.events) or e.late:
            self._fold(state, e, out)
            ring.put(e, len(ring.events))
        else:
            state = self._again(key, state, ring, e, place, settled, out)
        here = b""
        if len(ring.events) % STEP == 0:
            here = snapshot(state)
            ring.mark(here)
        if ring.full or ring.passed(settled):
            base = self._after_step(ring) if len(ring.events) > STEP else here or snapshot(state)
            if ring.advance(base, settled):
                self.counts.overflows += 1
        return state

    def _again(
        self, key: bytes, before: Customer, ring: Ring, e: Event, place: int, settled: int, out: Findings
    ) -> Customer:
        """Fold what is in the ring as it was known and as it is now; tell the difference."""
        self.counts.reordered += 1
        known, found = Findings(), Findings(out.watch)
        self._refold(ring, 0, settled, e.offset, known)
        ring.put(e, place)
        state = self._refold(ring, before.epoch + 1, settled, e.offset, found)
        difference(known, found, state.epoch, out, unpack(ring.base))
        out.watched += [watched for watched in found.watched if watched.e is e]
        state.seen = before.seen
        state.ring = ring
        self.known.put(key, state)
        return state

    def _after_step(self, ring: Ring) -> bytes:
        """The state after the ring's first events; made again where something has come among them."""
        if ring.marks and ring.marks[0][0] == STEP:
            return ring.marks[0][1]
        state, nothing = unpack(ring.base), Findings()
        for e in ring.events[:STEP]:
            self._fold(state, e, nothing)
        return snapshot(state)

    def _refold(self, ring: Ring, epoch: int, settled: int, offset: int, out: Findings) -> Customer:
        state = unpack(ring.base)
        state.epoch = max(epoch, state.epoch)
        for e in ring.events:
            self._fold(state, e, out)
        self._fire(state, settled, offset, out)
        return state

    def _fold(self, state: Customer, e: Event, out: Findings) -> None:
        policy = self._timeline.policy(e.time, e.offset)
        if not e.fact:
            e.fact = event_id(e.tenant, e.source, e.id)
        if not e.late and e.time > state.now:
            state.now = e.time
        if state.attempts or state.owed or state.solved or state.waits:
            self._fire(state, e.time, e.offset, out)
        if e.profiling is not None or e.contact is not None:
            fold.consent(state, e)
        if e.late:
            fold.store_late(state, e, policy, out)
        elif not e.known or not state.context.may_profile:
            fold.store_unscored(state, e, policy, out)
        else:
            fold.apply(state, e, policy, out)

    def tick(self, tick: Tick, offset: int, out: Findings) -> Iterator[None]:
        """Time passes: the watermark moves and timers fire, in steps; nothing else is folded in between."""
        self._begin(offset)
        clock = self._clock
        if tick.time >= clock.tick:
            clock.tick = self._tick = tick.time
            if clock.stale != tick.stale:
                clock.stale = tick.stale
                yield from self._hold(frozenset(tick.stale))
        if tick.time > self._high:
            self._raise(tick.time)
        while self._expire(offset, out, AT_ONCE):
            yield

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
            self._high, self._tick = self._clock.high, self._clock.tick
            self._held = frozenset(self._clock.stale)
            self._set_rules(offset)
        self._applied = offset

    def _set_rules(self, offset: int) -> None:
        """Lateness and allowance are those of the policy that holds at the highest time."""
        policy = self._timeline.policy(self._high, offset)
        self._lateness, self._allowance, self._idle = policy.lateness, policy.allowance, policy.idle
        self._turn = self._timeline.turn(self._high)

    def _fire(self, state: Customer, before: int, offset: int, out: Findings) -> None:
        due = state.due(self._held)
        if due == 0 or due >= before:
            return
        at = self._timeline.policy
        fold.fire(state, before, lambda time: at(time, offset), out, self.partition, offset, self._held)

    def _advance(self, time: int) -> None:
        if time > self._high:
            # One clock from the future must not make everybody else late.
            tick = self._tick
            if tick and time > tick + self._allowance:
                self.counts.held_back += 1
                time = tick + self._allowance
            if time > self._high:
                self._raise(time)

    def _raise(self, high: int) -> None:
        self._high = high
        if self._turn and high >= self._turn:
            self._set_rules(self._applied)

    def _hold(self, held: frozenset[str]) -> Iterator[None]:
        """Timers of these sources wait from now on; those of sources that are heard again do not."""
        self._held = held
        waiting, self._waiting = self._waiting, set()
        for number, key in enumerate(sorted(waiting), 1):
            if number % AT_ONCE == 0:
                yield
            state = self.known.get(key)
            if state is not None:
                self._schedule(key, state)

    def _schedule(self, key: bytes, state: Customer) -> None:
        due = state.due(self._held)
        if due:
            # A timer that is put off stays where it is until then: most are put off again and again.
            scheduled = self._scheduled.get(key)
            if scheduled is None or due < scheduled:
                self._scheduled[key] = due
                heappush(self._timers, (due, key))
        if self._held and state.due() != due:
            self._waiting.add(key)

    def _expire(self, offset: int, out: Findings, most: int = -1) -> bool:
        """Fire at most so many timers due before the watermark, by (due, key); True where more are left."""
        timers, watermark = self._timers, self.watermark
        while timers and timers[0][0] < watermark:
            if most == 0:
                return True
            most -= 1
            due, key = heappop(timers)
            if self._scheduled.get(key) != due:
                continue  # another one of this customer's was put before it
            del self._scheduled[key]
            state = self.known.get(key)
            if state is None:
                continue
            if state.due(self._held) == due:
                # Only up to this one: later ones go back to their place among the other customers'.
                self._fire(state, due + 1, offset, out)
                last = None if state.ring is None else state.ring.last()
                if last is not None and last.time > due:
                    # It had waited for its source: the order of what came since is settled by that.
                    state.ring = Ring(snapshot(state), last.time)
                self.known.touch(key)
            self._schedule(key, state)
        if watermark > self._aging.due:
            self._age(watermark)
        return False

    def _age(self, watermark: int) -> None:
        for key in self._aging.take(watermark, self._idle):
            state = self.known.get(key)
            if state is None:
                continue
            if watermark - state.now > self._idle and not state.due():
                self.known.remove(key)
                self._scheduled.pop(key, None)
                self.counts.aged_out += 1
            else:
                self._aging.add(key, state.now)
