"""The short run of :mod:`tests.cluster.chaos`: one broker killed, workers restarted, nothing lost."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from tests.cluster.chaos import PARTITIONS, Chaos, Real
from tests.cluster.counted import Counted
from tests.support.cluster import KafkaCluster
from tests.support.engine import EngineUnderTest

# A year of a market's sessions in three quarters of a minute: 24,000 events.
SOURCE, SPEED = "airbnb-sessions", 700_000


def test_a_leader_is_killed_and_workers_restarted(
    cluster: KafkaCluster, engine: EngineUnderTest, tmp_path: Path
) -> None:
    url = engine.database(migrated=False)
    with (
        closing(Counted(cluster, tmp_path / "counted", rate=300)) as counted,
        closing(Real(cluster, url, tmp_path / "real", speed=SPEED, source=SOURCE)) as real,
    ):
        chaos = Chaos(cluster, counted, real, print)
        leader = cluster.leader(counted.changelog)
        led = {cluster.leader(real.changelog, number) for number in range(PARTITIONS)}
        assert leader in led, "four partitions on three brokers: each leads some state of the real worker"
        chaos.kill_a_leader(counted.changelog)
        chaos.restart_workers(counting=1)
        print(counted.finish(120))
        real.finish(180)
        assert (counted.ended, real.restarts) == (0, 0), "a broker that goes away ends no worker"
