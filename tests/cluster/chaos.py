"""Brokers and workers killed and restarted while records keep coming: nothing lost, nothing doubled.

``python -m tests.cluster.chaos`` is the long run (about five minutes, ``--help``); ``test_chaos.py`` has a
short one. On three brokers run, at the same time,

* the counting lanes, two workers, over records with unique ids: every key's count and hash of its values must
  come out as computed from the topic, every id must be in the outputs, and the changelog never goes back;
* the real worker over a public data set, replayed: the facts in ClickHouse must be those of a back-test.

While they run, the leader of a lane's changelog is killed again and again, workers are killed, frozen, leave
and join, and at the end each worker and each broker is restarted once, as an operator does it.
"""

from __future__ import annotations

import argparse
import logging
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tests.cluster.counted import Counted
from tests.sources.datasets import paths
from tests.support.cluster import KafkaCluster
from tests.support.compare import backtested, differences, stored
from tests.support.ending import ends_by_sigterm
from tests.support.engine import running
from tests.support.world import PROGRAM, World

# The long run's data: a month of a call centre, with alerts.
SOURCE = "anonymous-bank"
# Partitions of the real worker's topics: three copies of nine topics, on three brokers of one machine.
PARTITIONS = 4


class Real:
    """The real worker over a replayed data set, kept alive as a service manager would."""

    def __init__(
        self, cluster: KafkaCluster, clickhouse_url: str, home: Path, *, speed: int, source: str = SOURCE
    ) -> None:
        """``speed`` is the replay's."""
        self._source = source
        self.world = World(
            cluster.login(), clickhouse_url, home, partitions=PARTITIONS, replication=3
        ).prepare()
        self.restarts = 0
        self._worker = self.world.start_worker()
        command = [PROGRAM, "replay", source, *map(str, paths(source)), "--speed", str(speed)]
        self._log = (home / "replay.log").open("wb")
        self._replay = subprocess.Popen(
            command, env=self.world.environment, cwd=home, stdout=self._log, stderr=self._log
        )

    @property
    def changelog(self) -> str:
        """Where the events lanes keep their state."""
        topics = self.world.settings.topics
        return topics.changelog(topics.events)

    def look(self) -> None:
        """Start the worker again where it has ended."""
        if self._worker.poll() is not None:
            self.restarts += 1
            self.world.workers.remove(self._worker)
            self._worker = self.world.start_worker()

    def kill(self) -> None:
        """``kill -9``, and start again."""
        self.world.kill(self._worker)
        self._worker = self.world.start_worker()

    def restart(self) -> None:
        """SIGTERM, and start again."""
        assert self.world.stop(self._worker) == 0, self.world.log()[-3000:]
        self._worker = self.world.start_worker()

    def finish(self, patience_s: float) -> None:
        """Wait until everything is stored, and compare it with a back-test of the same files."""
        assert self._replay.wait(patience_s) == 0, (self.world.home / "replay.log").read_text()[-2000:]
        deadline = time.monotonic() + patience_s
        names = self.world.settings.topics
        while any(self.world.behind(topic) for topic in (names.events, names.desk, names.facts)):
            self.look()
            assert time.monotonic() < deadline, f"not everything is stored: {self.world.log()[-3000:]}"
            time.sleep(0.5)
        expected, raised = backtested(self._source, *paths(self._source))
        assert differences(expected, stored(self.world.settings)) == []
        told = self.world.sql("SELECT alert_id FROM alerts_exact WHERE type = 'alert.raised'")
        assert sorted(row["alert_id"] for row in told) == sorted(raised)

    def close(self) -> None:
        self._replay.kill()
        self._replay.wait()
        self._log.close()
        self.world.close()


class Chaos:
    """What happens, and in which order."""

    def __init__(
        self, cluster: KafkaCluster, counted: Counted, real: Real, say: Callable[[str], None]
    ) -> None:
        self._cluster, self._counted, self._real, self._say = cluster, counted, real, say
        self._began = time.monotonic()
        self.leaders_killed = self.restarted = 0

    def _did(self, what: str) -> None:
        self._say(
            f"{time.monotonic() - self._began:6.1f} s  {what}; {self._counted.sent} records sent, workers "
            f"that ended by themselves: {self._counted.ended} counting, {self._real.restarts} real"
        )

    def look(self, seconds: float) -> None:
        """Let time pass, as a service manager does."""
        until = time.monotonic() + seconds
        while True:
            self._counted.look()
            self._real.look()
            if time.monotonic() >= until:
                return
            time.sleep(0.2)

    def kill_a_leader(self, topic: str) -> None:
        """``kill -9`` the leader of a lane's changelog, and start it again when another one leads."""
        leader = self._cluster.leader(topic)
        self._cluster.kill(leader)
        follower = self._cluster.leader(topic)
        self._counted.progress(self.look)
        self.leaders_killed += 1
        self._did(f"node {leader}, leader of {topic}/0, was killed, node {follower} leads")
        self._cluster.start(leader)
        self._cluster.heal()
        self.look(0)

    def restart_each(self) -> None:
        """Stop and start one after the other, each when the last one's copies are in sync again."""
        for number in (1, 2, 3):
            self._cluster.stop(number)
            self._counted.progress(self.look)
            self._cluster.start(number)
            self._cluster.heal()
            self.restarted += 1
            self._did(f"node {number} was restarted")
            self.look(0)

    def restart_workers(self, counting: int | None = None) -> None:
        """End and start one after the other, as a new release is brought in; so many of the counting ones."""
        for restart in (*self._counted.restarts()[:counting], self._real.restart):
            restart()
            self._counted.progress(self.look)
        self._did("workers were restarted, one after the other")

    def disturb_a_worker(self, rng: random.Random) -> None:
        """Kill, end, freeze or add a worker."""
        what = rng.choice(["kill", "leave", "freeze", "join", "kill the real one"])
        if what == "kill the real one":
            self._real.kill()
        else:
            self._counted.disturb(what)
        self._counted.progress(self.look)
        self._did(f"workers: {what}")


def main(arguments: list[str] | None = None) -> int:
    """The long run."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.chaos", description=__doc__)
    parser.add_argument("--leaders", type=int, default=5, help="leaders to kill (5)")
    parser.add_argument("--workers", type=int, default=10, help="workers to disturb (10)")
    parser.add_argument("--rounds", type=int, default=1, help="times that each broker is restarted (1)")
    parser.add_argument("--rate", type=int, default=1_000, help="counted records a second (1000)")
    parser.add_argument("--speed", type=int, default=15_000, help="of the replayed month (15000: 3 minutes)")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    rng = random.Random(chosen.seed)
    # That brokers go away is what this is about; its clients say so at length.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as directory, running() as engine, KafkaCluster() as cluster:
        home = Path(directory)
        # A client of this kind of address waits for the engine and starts none.
        with (
            closing(Counted(cluster, home / "counted", rate=chosen.rate)) as counted,
            closing(Real(cluster, engine.server_url, home / "real", speed=chosen.speed)) as real,
        ):
            chaos = Chaos(cluster, counted, real, lambda line: print(line, flush=True))
            chaos.look(5)
            steps = ["leader"] * chosen.leaders + ["worker"] * chosen.workers
            rng.shuffle(steps)
            for step in steps:
                if step == "worker":
                    chaos.disturb_a_worker(rng)
                else:
                    chaos.kill_a_leader(rng.choice([counted.changelog, real.changelog]))
            chaos.restart_workers()
            for _ in range(chosen.rounds):
                chaos.restart_each()
            print(counted.finish(180))
            real.finish(600)
    print(
        f"exact: {chaos.leaders_killed} leaders killed, {chaos.restarted} broker restarts, seed {chosen.seed}"
    )
    return 0


if __name__ == "__main__":
    ends_by_sigterm()
    sys.exit(main())
