"""Minutes without the broker: what a worker says, how it ends, and that nothing is lost.

``python -m tests.chaos.brokerless --minutes 10`` sends events, kills the only broker in the middle of it,
starts the worker again whenever it ends, as a process manager does, and lets the broker come back on the same
disk. Then every row is compared with a back-test of the log. Prints the worker's lines of the outage, once of
each kind, what its metrics show, and its exits. Exit code 1 where anything differs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.workload import records
from streams.clock import monotonic, wall_ms
from tests.chaos.feed import Feed
from tests.chaos.harm import Slots
from tests.chaos.proof import prove
from tests.chaos.stage import stage, verdict
from tests.support.kafka import KafkaBroker
from tests.support.metrics import metric, metrics_of
from tests.support.world import World

__all__ = ["Brokerless"]

RATE = 1_000.0
# Between an end of the worker and its next start: what container platforms come to with time.
AGAIN_S = 10.0


class Brokerless:
    """One installation on a broker of its own, whose worker is started again and again."""

    def __init__(self, kafka: KafkaBroker, home: Path, url: str) -> None:
        self.kafka = kafka
        self.world = World(kafka.url, url, home, partitions=8).prepare()
        self.slots = Slots(self.world, 1)
        self.said: Counter[str] = Counter()
        self.shown: list[dict[str, Any]] = []
        self.wrong: list[str] = []

    def run(self, minutes: float, before: float) -> list[str]:
        """What is wrong, in words."""
        count = int(60 * before * RATE)
        raws = records(2 * count)
        self.slots.start(0)
        self._send(Feed(self.world, count, RATE, seed=1, raws=islice(raws, count), more=True))
        lines = len(self.world.log().splitlines())
        self.kafka.kill()
        deadline = monotonic() + 60 * minutes
        while monotonic() < deadline:
            time.sleep(min(AGAIN_S, max(0.0, deadline - monotonic())))
            self.slots.mend()
        for line in self.world.log().splitlines()[lines:]:
            self._note(line)
        self._look()
        self.kafka.start()
        back = monotonic()
        self._send(Feed(self.world, count, RATE, seed=1, raws=raws))
        while self.world.behind(self.world.settings.topics.events):
            self.slots.mend()
            time.sleep(0.5)
        print(f"caught up {monotonic() - back - 60 * before:.0f} s after the last event", flush=True)
        self.slots.mend()
        self.world.settle(600)
        self.slots.stop(0)
        proof = asyncio.run(prove(self.world))
        print(
            f"{proof.events} events; facts compared: {proof.facts}; candidates: {proof.candidates}",
            flush=True,
        )
        if proof.late:
            proof.wrong.append(f"{proof.late} events were late")
        return self.wrong + proof.wrong

    def _look(self) -> None:
        """Print what the metrics show while the broker is away."""
        try:
            found = metrics_of(self.world)
        except OSError:
            print("no worker answers", flush=True)
            return
        lanes = {"topic": self.world.settings.topics.events}
        committed = metric(found, "rehuman_last_commit_timestamp_seconds", **lanes)
        if up := metric(found, "rehuman_kafka_up"):
            self.wrong.append(f"rehuman_kafka_up is {up:g} without a broker")
        print(
            f"rehuman_kafka_up {up:g}, rehuman_ready {metric(found, 'rehuman_ready'):g}, "
            f"rehuman_lane_lag_records {metric(found, 'rehuman_lane_lag_records', **lanes):g}, "
            f"last commit {wall_ms() / 1000 - committed:.0f} s ago",
            flush=True,
        )

    def _send(self, feed: Feed) -> None:
        feed.start()
        while feed.alive():
            self.slots.mend()
            time.sleep(1.0)

    def _note(self, line: str) -> None:
        try:
            said = json.loads(line)
        except ValueError:
            said = {"event": line}
        kind = f"{said.get('level')} {str(said.get('event'))[:40]}"
        self.said[kind] += 1
        if self.said[kind] == 1:
            self.shown.append(said)


def main(arguments: Sequence[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.brokerless", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--before", type=float, default=2.0, help="minutes before and after it (default: 2)")
    options = parser.parse_args(arguments)
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    with ExitStack() as held:
        home, kafka, engine = held.enter_context(stage("brokerless"))
        away = Brokerless(kafka, home, engine.server_url)
        held.callback(away.world.close)
        wrong = away.run(options.minutes, options.before)
        for line in away.shown:
            print(json.dumps(line))
        print(f"lines by kind: {dict(away.said)}")
        print(f"{away.slots.starts} worker processes; ended by themselves: {dict(away.slots.exits)}")
    return verdict(wrong)


if __name__ == "__main__":
    sys.exit(main())
