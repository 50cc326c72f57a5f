"""What is done to two workers and an engine, at random but the same for a seed.

A worker that ends by itself is started again, as a process manager does, and the reason that it gave is kept.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable

from streams.clock import monotonic
from tests.support.engine import EngineUnderTest
from tests.support.world import World

__all__ = ["FROZEN_S", "KINDS", "Harm", "Slots"]

# Longer than the group's session (10 s), so that a frozen worker loses its partitions and wakes up without.
FROZEN_S = 13.0
# A last checkpoint has 20 s, and a group that is just changing holds a member up for longer.
STOP_S = 120.0
PROGRESS_S = 120.0

Worker = subprocess.Popen[bytes]


class Slots:
    """Two workers of one installation, either of which may be away."""

    def __init__(self, world: World, count: int = 2) -> None:
        self.world = world
        self.workers: list[Worker | None] = [None] * count
        #: Why workers ended by themselves, and how often.
        self.exits: Counter[str] = Counter()
        #: Worker processes started.
        self.starts = 0

    def start(self, slot: int) -> None:
        """A worker for a slot that has none."""
        if self.workers[slot] is None:
            self.workers[slot] = self.world.start_worker()
            self.starts += 1

    def kill(self, slot: int) -> bool:
        """``kill -9``; False where there was nobody."""
        worker, self.workers[slot] = self.workers[slot], None
        if worker is None:
            return False
        alive = worker.poll() is None
        self.world.kill(worker)
        if not alive:
            self._ended(worker)
        return alive

    def stop(self, slot: int) -> None:
        """SIGTERM, and wait."""
        worker, self.workers[slot] = self.workers[slot], None
        if worker is None:
            return
        worker.send_signal(signal.SIGTERM)
        worker.wait(STOP_S)
        self.world.workers.remove(worker)
        # A process that has not come to its handler yet ends by the signal itself.
        if worker.returncode not in (0, -signal.SIGTERM):
            self._ended(worker)

    def up(self) -> list[int]:
        """The slots that have a worker."""
        return [slot for slot, worker in enumerate(self.workers) if worker is not None]

    def mend(self) -> None:
        """Start again who has ended by itself."""
        for slot, worker in enumerate(self.workers):
            if worker is not None and worker.poll() is not None:
                self.world.workers.remove(worker)
                self._ended(worker)
                self.workers[slot] = None
                self.start(slot)

    def _ended(self, worker: Worker) -> None:
        self.exits[f"exit {worker.returncode}: {self._last_words()}"] += 1

    def _last_words(self) -> str:
        for line in reversed(self.world.log().splitlines()[-200:]):
            if '"critical"' in line:
                return str(json.loads(line).get("event", ""))[:300]
        return "no reason in the log"


class Harm:
    """One thing after another, drawn from a bag that holds each kind once and is filled again."""

    def __init__(self, slots: Slots, engine: EngineUnderTest, seed: int) -> None:
        self._slots, self._engine = slots, engine
        self._rng = random.Random(seed)
        self._bag: list[str] = []
        #: How often each kind was done.
        self.done: Counter[str] = Counter()
        #: ``kill -9``s of workers.
        self.kills = 0

    @property
    def all_done(self) -> bool:
        """Whether each kind was done at least once."""
        return len(self.done) == len(KINDS)

    def run(self, going: Callable[[], bool]) -> None:
        """Until ``going`` says no; every slot has a worker at the end and the engine runs."""
        while going():
            if not self._bag:
                self._bag = self._rng.sample(list(KINDS), len(KINDS))
            kind = self._bag.pop()
            KINDS[kind](self)
            self.done[kind] += 1
            self._slots.mend()
            if self._rng.random() < 0.5:
                self._progress(going)
            else:
                # Again while the group still deals with the last one.
                time.sleep(self._rng.uniform(0.2, 4))
        for slot in range(len(self._slots.workers)):
            self._slots.start(slot)

    def _progress(self, going: Callable[[], bool]) -> None:
        """Wait until more events are done than now, so that the next harm finds work under way."""
        world, slots = self._slots.world, self._slots
        topic = world.settings.topics.events
        before, deadline = world.committed(topic), monotonic() + PROGRESS_S
        while world.committed(topic) <= before and going():
            slots.mend()
            assert monotonic() < deadline, f"no event was done within {PROGRESS_S:g} s: {world.log()[-3000:]}"
            time.sleep(0.5)
        time.sleep(self._rng.uniform(0, 2))

    def _one(self) -> int:
        """Some slot with a worker; both get one where none has."""
        if not self._slots.up():
            for slot in range(len(self._slots.workers)):
                self._slots.start(slot)
        return self._rng.choice(self._slots.up())

    def _kill(self, slot: int) -> None:
        self.kills += self._slots.kill(slot)

    def kill_one(self) -> None:
        """``kill -9``, and another one in its place."""
        slot = self._one()
        self._kill(slot)
        time.sleep(self._rng.choice([0.0, 0.0, 2.0]))
        self._slots.start(slot)

    def kill_both(self) -> None:
        """``kill -9`` of all at once."""
        for slot in range(len(self._slots.workers)):
            self._kill(slot)
        for slot in range(len(self._slots.workers)):
            self._slots.start(slot)

    def kill_again(self) -> None:
        """``kill -9`` of one that has been killed just before: while it starts, joins or restores."""
        slot = self._one()
        for _ in range(2):
            self._kill(slot)
            self._slots.start(slot)
            time.sleep(self._rng.uniform(0.5, 6))
        self._kill(slot)
        self._slots.start(slot)

    def leave(self) -> None:
        """SIGTERM, and nobody comes."""
        slot = self._one()
        self._slots.stop(slot)
        if not self._slots.up():
            self._slots.start(slot)

    def join(self) -> None:
        """One more, where a slot is free; first one leaves where none is."""
        free = [slot for slot, worker in enumerate(self._slots.workers) if worker is None]
        if not free:
            free = [self._one()]
            self._slots.stop(free[0])
            time.sleep(self._rng.uniform(0, 3))
        self._slots.start(free[0])

    def restart(self) -> None:
        """SIGTERM, and at once another one: what a roll-out does."""
        slot = self._one()
        self._slots.stop(slot)
        self._slots.start(slot)

    def freeze(self) -> None:
        """SIGSTOP for longer than the session; it wakes up when its partitions are somebody else's."""
        worker = self._slots.workers[self._one()]
        assert worker is not None
        worker.send_signal(signal.SIGSTOP)
        time.sleep(FROZEN_S)
        worker.send_signal(signal.SIGCONT)

    def engine(self) -> None:
        """``kill -9`` of the database while rows go in, now and then a worker with it."""
        self._engine.kill()
        time.sleep(self._rng.uniform(0, 4))
        if self._rng.random() < 0.3:
            self.kill_one()
        self._engine.start()


KINDS: dict[str, Callable[[Harm], None]] = {
    "kill -9 of one": Harm.kill_one,
    "kill -9 of both": Harm.kill_both,
    "kill -9 three times at once": Harm.kill_again,
    "leave": Harm.leave,
    "join": Harm.join,
    "SIGTERM and restart": Harm.restart,
    "SIGSTOP past the session": Harm.freeze,
    "kill -9 of the engine": Harm.engine,
}
