"""Many events out of order within the lateness, some of them twice, through Kafka: as the same in order.

``python -m tests.chaos.disorder --events 1000000`` sends a tenth of the events up to 50 seconds of event time
behind their neighbours and a twentieth of them twice, spaced so that no customer has more of them within the
lateness than are kept to be put in order. What a worker stores is compared row by row with the fold of the
same events in order and once each, and what is left of each candidate with what that fold asks for. Exit code
1 where anything differs, where a ring ran over or where an event counted as late.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import random
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from heapq import heappop, heappush
from itertools import islice

from benchmarks.workload import Raw, partitioned, records
from detectors.moment import Findings
from streams.clock import wall_ms
from streams.desk_lane import DeskFold
from streams.lanes.api import Record
from streams.ticks import tick_record
from streams.warehouse.client import connect
from tests.chaos.feed import Feed, closing
from tests.chaos.proof import Best, Proof, compare, log_fold, prove
from tests.chaos.stage import stage, verdict
from tests.detectors.stories import differences, final_candidates
from tests.support.metrics import metric, metrics_of
from tests.support.world import World

__all__ = ["astray", "spaced"]

PARTITIONS = 8
RATE = 30_000.0
# Event time (ms): below the default lateness by more than a gap between two events.
BEHIND = 50_000
# Of a customer, within the lateness and what may lie before it: a ring holds 32, or 10 KB of them.
MOST, WITHIN = 10, 120_000
# A repetition comes sooner than what a customer remembers of ids is full.
REPEATED = 10_000


def spaced(raws: Iterable[Raw], events: int) -> Iterator[Raw]:
    """The first ``events`` events, and the ticks between them, without those that crowd a customer."""
    recent: dict[bytes, deque[int]] = {}
    for raw in raws:
        if raw.key is not None:
            times = recent.setdefault(raw.key, deque(maxlen=MOST))
            if len(times) == MOST and raw.time - times[0] < WITHIN:
                continue
            times.append(raw.time)
            events -= 1
        yield raw
        if not events:
            return


def astray(raws: Iterable[Raw], seed: int, *, disordered: float, doubled: float) -> Iterator[Raw]:
    """As they arrive: a share held back by up to :data:`BEHIND`, a share said again a little later."""
    rng = random.Random(seed)
    held: list[tuple[int, int, Raw]] = []
    for number, raw in enumerate(raws):
        while held and held[0][0] <= raw.time:
            yield heappop(held)[2]
        if raw.key is None:
            yield raw
            continue
        behind = rng.randrange(1, BEHIND) if rng.random() < disordered else 0
        if rng.random() < doubled:
            heappush(held, (raw.time + behind + rng.randrange(1, REPEATED), number, raw))
        if behind:
            heappush(held, (raw.time + behind, number, raw))
        else:
            yield raw
    for _, _, raw in sorted(held, key=lambda one: one[:2]):
        yield raw


class InOrder:
    """The same events in order and once each, folded without a broker."""

    def __init__(self, world: World, raws: Iterable[Raw]) -> None:
        settings = world.settings
        self._world, self._logs = world, [list[bytes]() for _ in range(settings.partitions)]
        last = 0
        for partition, raw in partitioned(raws, settings.partitions):
            self._logs[partition].append(raw.value)
            last = max(last, raw.time)
        for log in self._logs:
            log += [tick_record(time) for time in closing(last)]

    def compare(self, proof: Proof) -> None:
        """What is stored, and what the desk was asked, against it."""
        settings, asked = self._world.settings, Findings()
        client = connect(settings.clickhouse_url)
        for partition, log in enumerate(self._logs):
            best = self._fold(partition, log, asked)
            del best.rows["alerts"]  # the desk's
            compare(client, f"partition = {partition}", best, proof)
        compare(client, "1", self._desk(asked), proof, ["alerts"])
        client.disconnect()
        found = Findings()
        found.desk = [json.loads(value) for value in self._world.values_of(settings.topics.desk)]
        wanted = final_candidates(asked)
        proof.candidates = len(wanted)
        proof.tell(differences(final_candidates(found), wanted))

    def _fold(self, partition: int, log: list[bytes], asked: Findings) -> Best:
        best, fold, now = Best(), log_fold(self._world.settings, partition), wall_ms()
        rest = iter(enumerate(log))
        while some := list(islice(rest, 5_000)):
            out = Findings()
            for offset, value in some:
                outcome = fold.record(value, now, offset, out)
                assert outcome in ("event", "tick"), outcome
            best.found(out)
            asked.desk += out.desk
        counts = fold.fold.counts
        # Of one customer's events of one moment, the canonical order may be another than the workload has.
        assert counts.late == counts.duplicates == counts.overflows == 0, counts
        return best

    def _desk(self, asked: Findings) -> Best:
        best, fold = Best(), DeskFold(0, self._world.settings.topics)
        fold.apply([Record(at, 0, b"default", json.dumps(one).encode()) for at, one in enumerate(asked.desk)])
        best.sent(fold.flush())
        return best


def run(world: World, events: int, seed: int, *, disordered: float, doubled: float) -> Proof:
    """Send, settle, compare; what is wrong is in the proof."""
    raws = list(spaced(records(10 * events, seed=seed), events))
    arriving = astray(raws, seed, disordered=disordered, doubled=doubled)
    feed = Feed(world, events, RATE, seed=seed, raws=arriving)
    worker = world.start_worker()
    feed.start()
    while feed.alive():
        feed.join(1.0)
    world.settle(600)
    counted = {
        name: metric(metrics_of(world), f"rehuman_{name}_total")
        for name in ("ring_overflows", "events_late", "events_reordered")
    }
    world.stop(worker)
    proof = asyncio.run(prove(world))
    print(f"{proof.events} events, {proof.duplicates} repetitions, {counted}", flush=True)
    for name in ("ring_overflows", "events_late"):
        if counted[name]:
            proof.wrong.append(f"{name}: {counted[name]:g}")
    if proof.events != events or not counted["events_reordered"]:
        proof.wrong.append(f"{proof.events} events of {events}, {counted['events_reordered']:g} reordered")
    proof.facts.clear()
    InOrder(world, raws).compare(proof)
    return proof


def main(arguments: Sequence[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.disorder", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--disordered", type=float, default=0.1)
    parser.add_argument("--doubled", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    logging.getLogger("kafka").setLevel(logging.ERROR)
    with ExitStack() as held:
        home, kafka, engine = held.enter_context(stage("disorder"))
        world = World(kafka.url, engine.server_url, home, partitions=PARTITIONS).prepare()
        held.callback(world.close)
        proof = run(
            world, options.events, options.seed, disordered=options.disordered, doubled=options.doubled
        )
    print(f"facts compared: {proof.facts}, candidates: {proof.candidates}, differences: {len(proof.wrong)}")
    return verdict(proof.wrong)


if __name__ == "__main__":
    sys.exit(main())
