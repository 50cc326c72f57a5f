"""Killed in mid-replay, and a database that is away for a while: nothing lost, nothing doubled."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.sources.datasets import first_days
from tests.support.compare import backtested, differences, items, stored
from tests.support.engine import running
from tests.support.kafka import KafkaAt
from tests.support.world import PROGRAM, World

SOURCE = "anonymous-bank"
# Several times the longest pause between two tries of an insert.
AWAY_S = 25.0


def _replay(world: World, file: Path, *options: str) -> subprocess.Popen[bytes]:
    command = [PROGRAM, "replay", SOURCE, str(file), *options]
    return subprocess.Popen(command, env=world.environment, cwd=world.home, stdout=subprocess.DEVNULL)


def _alert_ids(world: World) -> list[str]:
    """CloudEvents ids on the alerts' topic; one said again after a crash keeps its id."""
    return [json.loads(value)["id"] for value in world.values_of(world.settings.topics.alerts)]


def _agree(world: World, file: Path) -> None:
    """Everything stored equals an undisturbed run: the back-test of the same file."""
    expected, raised = backtested(SOURCE, file)
    assert differences(expected, stored(world.settings)) == []
    told = world.sql("SELECT alert_id FROM alerts_exact WHERE type = 'alert.raised'")
    assert sorted(row["alert_id"] for row in told) == sorted(raised)
    assert {name.split("/")[0] for name in _alert_ids(world)} == raised.keys()
    print({table: len(rows) for table, rows in expected.items()}, f"and {len(raised)} alerts: as undisturbed")


def test_three_kills_in_mid_replay(world: Callable[..., World], tmp_path: Path) -> None:
    """``kill -9`` on the worker, three times, and restarts."""
    found = world(partitions=8).prepare()
    file = first_days(tmp_path, "990206")
    sent = items(SOURCE, file)
    # In quarters, each in some seconds: however fast a worker reads or starts, no kill comes too late.
    quarters = [sent[number * len(sent) // 4 : (number + 1) * len(sent) // 4] for number in range(4)]
    done = 0.0
    for quarter in quarters[:3]:
        worker = found.start_worker()
        goal = done + len(quarter) / 2
        sending = threading.Thread(target=found.send, args=(quarter, 25_000))
        sending.start()
        found.until(lambda goal=goal: _done(found) >= goal, "half of the quarter to be read")
        found.kill(worker)
        sending.join()
        done += len(quarter)
    found.start_worker()
    found.send(quarters[3])
    found.settle()
    _agree(found, file)


def _done(world: World) -> int:
    """Event records that the group has committed."""
    return world.committed(world.settings.topics.events)


def test_without_the_database_for_a_while(kafka: KafkaAt, few_days: Path, tmp_path: Path) -> None:
    """Alerts keep coming while the engine is stopped, and every row is there in the end."""
    with running() as engine:
        world = World(kafka.url, engine.server_url, tmp_path / "world", partitions=8).prepare()
        world.start_worker()
        # Three days in a good forty seconds, so that the outage lies inside.
        replay = _replay(world, few_days, "--speed", "6000")
        try:
            world.until(lambda: world.value("SELECT count() FROM events") > 2_000, "the first rows")
            engine.stop()
            away = time.monotonic()
            alerts = len(_alert_ids(world))
            seen = []
            while time.monotonic() - away < AWAY_S:
                time.sleep(AWAY_S / 4)
                seen.append(len(_alert_ids(world)))
            assert alerts < seen[0] < seen[1] < seen[2], (alerts, seen)
            print(f"{AWAY_S:g} s without the engine; alerts before {alerts}, meanwhile {seen}")
            assert "clickhouse fails" in world.log()
            engine.start()
            assert replay.wait(180) == 0
            world.settle()
            assert "clickhouse answers again" in world.log()
            _agree(world, few_days)
        finally:
            replay.kill()
            world.close()
