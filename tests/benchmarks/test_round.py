"""Every part of a round runs on real parts; how fast is not asked here."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import quota, report, restore
from benchmarks.rounds import Plan, Round
from benchmarks.stage import Stage
from tests.support.engine import EngineUnderTest
from tests.support.kafka import KafkaAt

PLAN = Plan(
    events=12_000,
    seconds=0.6,
    warm_s=0,
    floor_events=1_500,
    naive_seconds=0.6,
    alert_seconds=1.5,
    alert_warm_s=0,
    customers=300,
)


@pytest.fixture(scope="module")
def stage(
    kafka: KafkaAt, engine: EngineUnderTest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    with Stage(kafka.url, engine, tmp_path_factory.mktemp("bench"), partitions=2) as made:
        made.fill(PLAN.events)
        yield made


@pytest.fixture
def one(stage: Stage) -> Round:
    return Round(stage, PLAN, 1, f"{stage.topics.prefix}.many-changelog")


def test_everything_that_is_promised_is_measured(one: Round, stage: Stage) -> None:
    states = f"{stage.topics.prefix}.many-changelog"
    stage.topic(states)
    stage.send(restore.states(states, PLAN.customers, stage.partitions, events=800))
    found = {"ratio": 1.0, "share_of_floor": 1.0, "two_workers_ratio": 1.0}
    for step in (one.raw, one.floor, one.naive, one.pipeline, one.facts, one.restore):
        found |= step()
    found |= one.alerts(4_000)
    assert min(found.values()) > 0
    # Killed in the middle: as many outputs as writes to the table, but for those on their way.
    name = f"{stage.topics.prefix}-naive-1"
    outputs, writes = (
        sum(stage.ends(f"{name}-{what}").values()) for what in ("scores", "customers-changelog")
    )
    assert outputs / 2 < writes < 2 * outputs
    told = report.summary([found, found], {})
    assert set(report.KEYS) < set(told)
    text = report.table(told)
    assert all(name in text for name in report.KEYS)


def test_two_workers_share_the_partitions(one: Round) -> None:
    with one.started(2, PLAN.cores if quota.quotas() else 0) as workers:
        assert [worker.poll() for worker in workers] == [None, None]


def test_a_share_of_a_core_is_taken_back() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        if quota.quotas():
            with quota.limited([process.pid], 0.5):
                homes = list(quota.CPU.glob(f"rehuman-{os.getpid()}-*"))
                assert any(str(process.pid) in (home / "cgroup.procs").read_text() for home in homes)
            assert not [home for home in homes if home.exists()]
        else:
            assert not Path(quota.CPU, "cgroup.procs").exists() or quota.cpu_s(process.pid) >= 0
        process.kill()
