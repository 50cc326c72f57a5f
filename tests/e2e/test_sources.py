"""The other real files through real Kafka: every row explained, every event stored once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.compare import all_accounted
from tests.support.world import World


# The shoppers' own file is replayed once, for all that is asked of it: tests/e2e/test_shoppers.py.
@pytest.mark.parametrize("source", ["servicenow-incidents", "bpi2016-complaints", "mhch"])
def test_rows_in_are_events_and_named_rejects(source: str, world: Callable[..., World]) -> None:
    """Rows in = rows that gave events + named rejects; distinct events sent = rows of events_exact."""
    found = world(partitions=4).prepare()
    found.start_worker()
    all_accounted(found, source)
