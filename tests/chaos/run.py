"""One run of chaos on an installation of its own: events keep coming, harm is done, and then the proof."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from streams.clock import monotonic
from tests.chaos.feed import Feed
from tests.chaos.harm import Harm, Slots
from tests.chaos.proof import Proof, prove
from tests.support.engine import EngineUnderTest
from tests.support.kafka import KafkaAt
from tests.support.world import World

__all__ = ["Chaos"]

PARTITIONS = 8
# A second in which nothing is stored is no sign of anything on a busy machine; minutes are.
STILL_S = 240.0


class Chaos:
    """Two workers, an engine, a broker and a seed."""

    def __init__(self, kafka: KafkaAt, engine: EngineUnderTest, home: Path, seed: int) -> None:
        """``engine`` is killed: it must be this run's own."""
        self.world = World(kafka.url, engine.server_url, home, partitions=PARTITIONS).prepare()
        self.seed = seed
        self.slots = Slots(self.world)
        self.harm = Harm(self.slots, engine, seed)
        self.report: dict[str, Any] = {"seed": seed}

    def run(
        self, events: int, seconds: float, *, doubled: float = 0.02, disordered: float = 0.0
    ) -> list[str]:
        """Send ``events`` over ``seconds`` of harm; what was wrong in the end, in words.

        Of every kind of harm there is one at least, however long that takes.
        """
        began = monotonic()
        feed = Feed(
            self.world,
            events,
            events / seconds,
            seed=self.seed,
            doubled=doubled,
            disordered=disordered,
            lingering=True,
        )
        for slot in range(len(self.slots.workers)):
            self.slots.start(slot)
        feed.start()
        self.harm.run(lambda: feed.alive() and (monotonic() - began < seconds or not self.harm.all_done))
        feed.finish()
        harmed = monotonic()
        self._settle()
        # What comes next must find nothing that an older record of the changelog could undo.
        for slot in self.slots.up():
            self.slots.stop(slot)
        feed.again()
        self.slots.start(0)
        self._settle()
        self.slots.stop(0)
        settled = monotonic()
        proof = asyncio.run(prove(self.world))
        self._tell(proof, feed, harmed - began, settled - harmed, monotonic() - settled)
        if proof.events != events or not proof.duplicates >= (doubled > 0):
            proof.wrong.append(f"{proof.events} events and {proof.duplicates} repetitions of {events} sent")
        if proof.late and not disordered:
            proof.wrong.append(f"{proof.late} events were late")
        return proof.wrong

    def _tell(self, proof: Proof, feed: Feed, harm_s: float, settle_s: float, proof_s: float) -> None:
        self.report |= {
            "events": proof.events,
            "events sent twice": proof.duplicates,
            "late": proof.late,
            "records in the log": proof.records,
            "done to them": dict(self.harm.done),
            "kill -9s of workers": self.harm.kills,
            "worker processes": self.slots.starts,
            "ended by themselves": dict(self.slots.exits),
            "seconds of harm, to settle, to compare": [round(s) for s in (harm_s, settle_s, proof_s)],
            "facts compared": proof.facts,
            "candidates compared": proof.candidates,
            "messages that the desk got again": proof.repeated,
            "customers' records compared": proof.customers,
            "differences": len(proof.wrong),
        }

    def _settle(self) -> None:
        """Wait until everything sent has been scored, raised and stored."""
        names = self.world.settings.topics
        for topic in (names.events, names.desk, names.facts):
            self._until(partial(self.world.behind, topic), f"{topic} to be read")

    def _until(self, behind: Callable[[], int], what: str) -> None:
        """Wait for ``behind`` to be 0, as long as it becomes less."""
        least, moved = behind(), monotonic()
        while left := behind():
            self.slots.mend()
            if left < least:
                least, moved = left, monotonic()
            assert monotonic() - moved < STILL_S, (
                f"waited for {what}, {left} left: {self.world.log()[-3000:]}"
            )
            time.sleep(0.5)

    def close(self) -> None:
        """End every process."""
        self.world.close()
