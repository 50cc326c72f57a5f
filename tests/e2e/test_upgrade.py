"""A rolling upgrade, and back: workers of the previous version and of this one take over from each other."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from streams.sources.api import SourceEvent
from tests.sources.datasets import first_days
from tests.support.compare import backtested, differences, items, stored
from tests.support.previous import unpack_previous
from tests.support.world import World

SOURCE = "anonymous-bank"


def test_state_of_the_version_before_is_read_and_the_other_way_round(
    world: Callable[..., World], tmp_path: Path
) -> None:
    """Old, new, old, new: each goes on from the state that the other has left."""
    old = unpack_previous(tmp_path / "old")
    found = world(partitions=4).prepare()
    file = first_days(tmp_path, "990201")
    sent = items(SOURCE, file)
    events = found.settings.topics.events
    before = None
    for turn, tree in enumerate((old, None, old, None)):
        worker = found.start_worker(tree=tree)
        found.until(lambda turn=turn: len(_starts(found)) == turn + 1, "the next version to start")
        if before is not None:
            # Both have been there for a moment, as in any rolling restart.
            assert found.stop(before) == 0
        found.send(sent[turn * len(sent) // 4 : (turn + 1) * len(sent) // 4])
        found.until(lambda: found.behind(events) == 0, "its quarter to be read")
        before = worker
    found.settle()
    builds = _starts(found)
    # The previous version is not compiled, which tells them apart.
    assert builds[0] == builds[2] == "pure"
    assert _alert_ids(found)
    assert found.value("SELECT count() FROM dead_letters_exact") == 0
    assert found.value("SELECT count() FROM events_exact") == sum(isinstance(i, SourceEvent) for i in sent)
    found.rehuman("doctor", "--reconcile")
    if _told(found, file, None) == _told(found, file, old):
        expected, raised = backtested(SOURCE, file)
        assert differences(expected, stored(found.settings)) == []
        assert _alert_ids(found) == raised.keys()


def _starts(world: World) -> list[str]:
    """The build of each worker that has started."""
    lines = [json.loads(line) for line in world.log().splitlines() if line.startswith("{")]
    return [line["detectors"] for line in lines if line["event"] == "worker starts"]


def _alert_ids(world: World) -> set[str]:
    rows = world.sql("SELECT DISTINCT alert_id FROM alerts_exact WHERE type = 'alert.raised'")
    return {row["alert_id"] for row in rows}


def _told(world: World, file: Path, tree: Path | None) -> tuple[str, str]:
    """What a version's back-test says: scores and alerts. A change of scores is no matter of state."""
    out = [world.home / name for name in ("scores.csv", "alerts.csv")]
    arguments = ["backtest", SOURCE, str(file), "--scores-out", str(out[0]), "--alerts-out", str(out[1])]
    command = [sys.executable, "-c", "from streams.cli import main; main()", *arguments]
    environment = world.environment | ({"PYTHONPATH": str(tree)} if tree else {})
    subprocess.run(command, env=environment, cwd=world.home, check=True, capture_output=True)
    scores, alerts = (path.read_text() for path in out)
    return scores, alerts
