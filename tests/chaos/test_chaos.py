"""Workers and the engine killed, frozen, joined and restarted while events come: every row is as it must be.

The long version is a command: ``python -m tests.chaos``.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.chaos.run import Chaos
from tests.support.engine import running
from tests.support.kafka import KafkaAt

EVENTS = 40_000
# Of harm, at least; starting, settling and comparing take a minute more.
SECONDS = 45.0


@pytest.mark.kafka
@pytest.mark.engine
@pytest.mark.timeout(1_800)
def test_every_row_is_that_of_the_log_whatever_was_killed(kafka: KafkaAt, tmp_path: Path) -> None:
    with running() as engine:
        chaos = Chaos(kafka, engine, tmp_path / "world", seed=4)
        try:
            wrong = chaos.run(EVENTS, SECONDS)
        finally:
            chaos.close()
    print(json.dumps(chaos.report, indent=1))
    assert wrong == []
    assert chaos.harm.all_done
    # It was no easy run: something was compared of each kind, and something died in the middle of it.
    assert chaos.harm.kills >= 5
    facts = chaos.report["facts compared"]
    assert facts["events"] == EVENTS
    assert (
        min(facts[table] for table in ("signals", "abandonments", "channel_switches", "waits", "alerts")) > 0
    )
    assert facts["dead_letters"] == 0
    assert chaos.report["customers' records compared"] > 1_000
