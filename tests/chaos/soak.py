"""An hour at half of what the workers can do, with kills all the while: does anything grow?

``python -m tests.chaos.soak --minutes 60 --csv soak.csv --svg docs/images/soak.svg`` measures what two
workers store a second, sends half of that, and every few minutes kills or freezes the second worker or kills
the engine; the first one lives through all of it. Each ten seconds it notes memory, file handles and threads
of both and how far the lanes are behind. Exit code 1 where the first worker needs more at the end than
before, with the desk's alerts and without them apart, where the lanes do not catch up, or where an event is
not stored.
"""

from __future__ import annotations

import argparse
import csv
import logging
import os
import random
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from benchmarks.workload import STAMP, records
from detectors.log import LogFold
from detectors.moment import Findings
from detectors.policy import default
from streams.clock import monotonic
from streams.desk_lane import MOST_ENDED, MOST_OPEN
from streams.kafka.partitioner import partition_of
from streams.kafka.producer import Producer
from tests.chaos.draw import Line, draw
from tests.chaos.feed import Feed
from tests.chaos.harm import FROZEN_S, Slots
from tests.chaos.stage import stage, verdict
from tests.support.engine import EngineUnderTest
from tests.support.kafka import KafkaAt
from tests.support.metrics import addresses, metrics_at
from tests.support.world import World

__all__ = ["Soak"]

PARTITIONS = 8
SAMPLE_S = 10.0
# Of the first worker, by the median of the last quarter against that of the second: what counts as growth.
MORE = {"rss_mb": 1.15, "handles": 1.3, "threads": 1.1}
# Fewer samples than this in a quarter are no median.
FEW = 8
FIELDS = ["rss_mb", "handles", "threads"]
# Few enough that all of them have come, again and again, within a quarter of an hour: what is known of each
# is as much as will ever be, and more memory after that is no matter of the customers.
CUSTOMERS = 2_000
# Of the workload, for some hundreds of alerts to fill the desk with.
MODELS = 100_000
# What a worker says that was frozen for longer than its session and would write what is another's by now, or
# commit it.
TAKEN_OVER = ("another process has taken over", "CommitFailedError")
# Enough to be past what starts up, little enough to take half a minute.
CALIBRATION = 200_000


class Soak:
    """Two workers; the first one is never touched."""

    def __init__(self, kafka: KafkaAt, engine: EngineUnderTest, home: Path, seed: int) -> None:
        self.world = World(kafka.url, engine.server_url, home, partitions=PARTITIONS).prepare()
        self.slots, self._engine = Slots(self.world), engine
        self._rng = random.Random(seed)
        self._seed = seed
        self._began = 0.0
        # The desk's partition, and where the first worker says what it has.
        self._desk, self._metrics = 0, ""
        self.samples: list[dict[str, Any]] = []
        self.events = self._frozen = 0

    def run(self, rate: float, seconds: float, every_s: float) -> None:
        """``rate`` events a second for so long, and a kill after each ``every_s`` or so."""
        self._desk = fill_the_desk(self.world, self._seed)
        self.slots.start(0)
        self.world.until(lambda: bool(addresses(self.world)), "the first worker")
        self._metrics = addresses(self.world)[0]
        self.slots.start(1)
        feed = Feed(self.world, int(rate * seconds), rate, seed=self._seed, customers=CUSTOMERS)
        feed.start()
        self._began = monotonic()
        harm, sample = every_s, 0.0
        done = ""
        while feed.alive() and (spent := monotonic() - self._began) < seconds:
            if spent >= harm:
                harm = spent + self._rng.uniform(0.6, 1.4) * every_s
                done = self._harm()
            if spent >= sample:
                sample = spent + SAMPLE_S
                self.samples.append(self._look() | {"harm": done})
                done = ""
            self.slots.mend()
            time.sleep(0.5)
        feed.finish()
        self.events = feed.events

    def _harm(self) -> str:
        kind = self._rng.choice(["kill", "kill", "kill", "freeze", "restart", "engine"])
        if kind == "kill":
            self.slots.kill(1)
            self.slots.start(1)
        elif kind == "restart":
            self.slots.stop(1)
            self.slots.start(1)
        elif kind == "freeze":
            worker = self.slots.workers[1]
            assert worker is not None
            worker.send_signal(signal.SIGSTOP)
            time.sleep(FROZEN_S)
            worker.send_signal(signal.SIGCONT)
            self._frozen += 1
        else:
            self._engine.kill()
            self._engine.start()
        return kind

    def _look(self) -> dict[str, Any]:
        topics = self.world.settings.topics
        found: dict[str, Any] = {"seconds": round(monotonic() - self._began, 1)}
        for slot, worker in enumerate(self.slots.workers):
            seen = _process(worker.pid) if worker is not None else {}
            if slot == 0 and not seen:
                raise RuntimeError("the first worker, to which nothing was done, has ended")
            # The second one may have: frozen, it finds its partitions with another, and is started again.
            found |= {f"worker_{slot + 1}_{name}": seen.get(name, "") for name in FIELDS}
        found["worker_1_desk"] = self._has_desk()
        found["lag_events"] = self.world.behind(topics.events)
        found["lag_facts"] = self.world.behind(topics.facts)
        return found

    def _has_desk(self) -> int:
        labels = (("partition", str(self._desk)), ("topic", self.world.settings.topics.desk))
        return int(("rehuman_lane_lag_records", labels) in metrics_at(self._metrics))

    def wrong(self) -> list[str]:
        """What grew, and what is missing; everything has been sent."""
        self.world.settle(600)
        exits = self.slots.exits
        awake = [why for why in exits if any(said in why for said in TAKEN_OVER)]
        found = [f"a worker ended by itself, {why}" for why in exits if why not in awake]
        if sum(exits[why] for why in awake) > self._frozen:
            found.append("more workers lost their partitions than were frozen")
        found += grown(self.samples)
        stored = self.world.value("SELECT count() FROM events_exact")
        if stored != self.events:
            found.append(f"{stored} events are stored of {self.events}")
        return found

    def close(self) -> None:
        """End every process."""
        self.world.close()


def grown(samples: Sequence[dict[str, Any]]) -> list[str]:
    """What the first worker needs more of in the last quarter than in the second, in words.

    With the desk's partition it holds tens of thousands of alerts more than without: the like is compared
    with the like, where a quarter has enough of it.

    >>> level = [{"worker_1_desk": at % 2, "worker_1_rss_mb": 200 + 100 * (at % 2)} for at in range(80)]
    >>> level = [sample | {"worker_1_handles": 18, "worker_1_threads": 6} for sample in level]
    >>> grown(level), grown([sample | {"worker_1_desk": 0} for sample in level])
    ([], [])
    >>> grown([sample | {"worker_1_threads": 6 + at // 60} for at, sample in enumerate(level)])[0]
    'threads of the first worker went from 6 to 7, without the desk'
    >>> grown(level[:50])
    ['too few samples for a comparison']
    """
    quarter = len(samples) // 4
    found, compared = [], False
    for desk, how in enumerate(("without", "with")):
        second, last = (
            [sample for sample in part if sample["worker_1_desk"] == desk]
            for part in (samples[quarter : 2 * quarter], samples[-quarter:])
        )
        if min(len(second), len(last)) < FEW:
            continue
        compared = True
        for name in FIELDS:
            before, after = (median(sample[f"worker_1_{name}"] for sample in part) for part in (second, last))
            if after > MORE[name] * before:
                found.append(f"{name} of the first worker went from {before:g} to {after:g}, {how} the desk")
    return found if compared else ["too few samples for a comparison"]


def capacity(kafka: KafkaAt, engine: EngineUnderTest, home: Path, seed: int) -> float:
    """Events a second that two workers score and the engine stores, from a backlog."""
    # An installation of its own: the events of one feed begin when those of another did.
    world = World(kafka.url, engine.database(migrated=False), home, partitions=PARTITIONS).prepare()
    try:
        feed = Feed(world, CALIBRATION, 100_000, seed=seed)
        feed.start()
        feed.finish()
        for _ in range(2):
            world.start_worker()
        topic = world.settings.topics.events
        world.until(lambda: world.committed(topic) > 0, "the first events")
        began, done = monotonic(), world.committed(topic)
        world.settle(600)
        return (feed.sent - done) / (monotonic() - began)
    finally:
        world.close()


def fill_the_desk(world: World, seed: int) -> int:
    """Copies of real alerts, as many as it remembers: otherwise they would become more for half an hour.

    All are of one tenant; the partition that they are in.
    """
    log, found = LogFold(0, default(), lambda _, subject: f"p-{subject}", lambda *_: "sealed"), Findings()
    for offset, raw in enumerate(records(MODELS, seed=seed)):
        log.record(raw.value, STAMP, offset, found)
    models = [message for message in found.desk if message["type"] == "candidate.raised"]
    encode, topic = msgspec.json.Encoder().encode, world.settings.topics.desk
    with Producer(world.values["kafka_url"]) as producer:
        for number in range(MOST_OPEN + MOST_ENDED):
            raised = models[number % len(models)] | {"id": f"filled-{number}"}
            said = [raised]
            if number < MOST_ENDED:
                bare = {name: value for name, value in raised.items() if name != "data"}
                ended = {"type": "candidate.completed", "ver": raised["ver"] + 1, "outcome": "completed"}
                said.append(bare | ended)
            for message in said:
                producer.send(topic, message["tenant"].encode(), encode(message))
        producer.flush()
    return partition_of(models[0]["tenant"].encode(), PARTITIONS)


def _process(pid: int) -> dict[str, Any]:
    """Memory (MB), open handles and threads of a process; nothing of one that has ended."""
    status = Path(f"/proc/{pid}/status").read_text()
    if "VmRSS:" not in status:
        return {}
    return {
        "rss_mb": round(int(status.split("VmRSS:")[1].split()[0]) / 1024, 1),
        "handles": len(os.listdir(f"/proc/{pid}/fd")),
        "threads": int(status.split("Threads:")[1].split()[0]),
    }


def picture(samples: Sequence[dict[str, Any]], title: str) -> str:
    """The samples as a graph: a panel each for memory, handles, threads and lag."""
    minutes = [sample["seconds"] / 60 for sample in samples]

    def line(label: str, column: str) -> Line:
        return Line(label, [(at, sample[column]) for at, sample in zip(minutes, samples, strict=True)])

    panels = [
        (name, [line(f"worker {slot}", f"worker_{slot}_{column}") for slot in (1, 2)])
        for name, column in (("memory, MB", "rss_mb"), ("file handles", "handles"), ("threads", "threads"))
    ]
    panels.append(("records behind", [line("events", "lag_events"), line("facts", "lag_facts")]))
    marks = [(at, sample["harm"]) for at, sample in zip(minutes, samples, strict=True) if sample["harm"]]
    return draw(title, panels, marks)


def main(arguments: Sequence[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--every", type=float, default=4.0, help="minutes between two kills (default: 4)")
    parser.add_argument("--rate", type=float, help="events a second (default: half of what is measured)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--csv", type=Path, default=Path("soak.csv"))
    parser.add_argument("--svg", type=Path, default=Path("soak.svg"))
    options = parser.parse_args(arguments)
    logging.getLogger("kafka").setLevel(logging.ERROR)
    with ExitStack() as held:
        home, kafka, engine = held.enter_context(stage("soak"))
        rate = options.rate
        if rate is None:
            most = capacity(kafka, engine, home / "capacity", options.seed)
            rate = most / 2
            print(f"{most:.0f} events a second from a backlog; {rate:.0f} are sent", flush=True)
        soak = Soak(kafka, engine, home / "soak", options.seed)
        held.callback(soak.close)
        try:
            soak.run(rate, options.minutes * 60, options.every * 60)
        except BaseException:
            print(f"the end of the workers' log:\n{soak.world.log()[-5000:]}", flush=True)
            raise
        finally:
            _write(soak, options, rate)
        wrong = soak.wrong()
    print(f"{soak.events} events, {soak.slots.starts} worker processes")
    return verdict(wrong)


def _write(soak: Soak, options: argparse.Namespace, rate: float) -> None:
    if not soak.samples:
        return
    with options.csv.open("w", newline="") as file:
        table = csv.DictWriter(file, list(soak.samples[0]))
        table.writeheader()
        table.writerows(soak.samples)
    title = f"{options.minutes:g} minutes at {rate:.0f} events a second"
    options.svg.write_text(picture(soak.samples, title))


if __name__ == "__main__":
    sys.exit(main())
