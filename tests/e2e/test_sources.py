"""The other real files through real Kafka: every row explained, every event stored once."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from streams.sources.api import SourceEvent
from tests.sources.datasets import paths, replayed
from tests.support.compare import backtested, differences, items, stored
from tests.support.world import World


@pytest.mark.parametrize("source", ["servicenow-incidents", "airbnb-sessions", "bpi2016-complaints", "mhch"])
def test_rows_in_are_events_and_named_rejects(source: str, world: Callable[..., World]) -> None:
    """Rows in = rows that gave events + named rejects; distinct events sent = rows of events_exact."""
    found = world(partitions=4).prepare()
    found.start_worker()
    told = json.loads(found.rehuman("replay", source, *paths(source), "--json"))
    counts = replayed(source).counts
    assert counts.rows == counts.used + counts.rejects > 0
    assert told["counts"]["rows"] == counts.rows
    found.settle()
    timed = items(source, *paths(source))
    sent = {(event.source, event.id) for event in timed if isinstance(event, SourceEvent)}
    assert found.value("SELECT count() FROM events_exact") == len(sent) == told["events"]
    assert found.value("SELECT uniqExact(source, event_id) FROM events_exact") == len(sent)
    assert found.value("SELECT count() FROM dead_letters_exact") == 0
    expected, _ = backtested(source, *paths(source))
    assert differences(expected, stored(found.settings)) == []
