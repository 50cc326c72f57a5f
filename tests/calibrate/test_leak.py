"""No score knows what came after it: later events may be taken away, moved or made up."""

from __future__ import annotations

import pytest

from detectors.policy import DEFAULT_TEXT, parse
from streams.calibrate.calibration import evaluated
from streams.calibrate.data import gather
from streams.identity import Pseudonyms
from streams.sources.api import SourceEvent, rfc3339
from streams.targets.labels import labels
from streams.targets.spec import parse as parse_target
from tests.calibrate.made import HOUR, calls
from tests.sources.datasets import first_days, read

NAMES = Pseudonyms(b"0123456789abcdef", b"fedcba9876543210")
POLICY = parse(
    DEFAULT_TEXT
    + """
[targets.recontact]
target = "recontact=3600"
events = ["call.ended", "call.abandoned"]
base = -2.0
[targets.recontact.numbers.since_contact]
edges = [600.0, 3600.0]
log_odds = [0.5, 0.1, -0.2]
missing = -0.1
[targets.recontact.numbers.recontact_rate]
edges = [0.1, 0.2]
log_odds = [-0.3, 0.0, 0.4]
[targets.recontact.numbers.effort]
edges = [5.0, 20.0]
log_odds = [-0.1, 0.1, 0.3]
"""
)


def same(events: list[SourceEvent], changed: list[SourceEvent], cut: int) -> int:
    """How many calls end before ``cut``: features and scores of them are the same, bit by bit."""
    times = {(event.source, event.id): event.time for event in events}
    asked = {
        ref: label
        for ref, label in labels(parse_target("recontact=3600"), events).items()
        if times[ref] < cut
    }
    one, other = (gather("recontact", stream, asked, POLICY, NAMES) for stream in (events, changed))
    assert one.refs == other.refs
    assert len(one) == len(asked)
    assert one.numbers.tobytes() == other.numbers.tobytes()
    assert one.labels.tolist() == other.labels.tolist()
    assert one.need.tobytes() == other.need.tobytes()
    assert evaluated(POLICY, "recontact", one).tobytes() == evaluated(POLICY, "recontact", other).tobytes()
    return len(one)


@pytest.mark.parametrize("change", ["taken away", "later", "another's", "doubled"])
def test_calls_made_up(change: str) -> None:
    events = calls(people=15, days=12)
    cut = events[0].time + 6 * 24 * HOUR
    past = [event for event in events if event.time < cut]
    future = [event for event in events if event.time >= cut]
    if change == "taken away":
        future = []
    elif change == "later":
        future = [moved(event, 30 * HOUR) for event in future]
    elif change == "another's":
        future = [
            event._replace(key=event.key[:2], value=event.value.replace(b'"c1', b'"c')) for event in future
        ]
    else:
        future = [event for event in future for event in (event, event._replace(id=f"{event.id}/again"))]
    assert same(events, past + future, cut) > 50


def test_calls_of_others_change_nothing() -> None:
    events = calls(people=15, days=6)
    alone = [event for event in events if event.key == b"c3"]
    asked = labels(parse_target("recontact=3600"), alone)
    one, other = (gather("recontact", stream, asked, POLICY, NAMES) for stream in (events, alone))
    assert one.numbers.tobytes() == other.numbers.tobytes()
    assert len(one) > 5


def moved(event: SourceEvent, by: int) -> SourceEvent:
    value = event.value.replace(rfc3339(event.time).encode(), rfc3339(event.time + by).encode())
    assert value != event.value
    return event._replace(time=event.time + by, value=value)


def test_calls_of_the_bank(tmp_path_factory: pytest.TempPathFactory) -> None:
    events = read("anonymous-bank", first_days(tmp_path_factory.mktemp("bank"), "990201")).events
    cut = events[0].time + 14 * HOUR
    changed = [event if event.time < cut else moved(event, 3 * HOUR) for event in events]
    assert same(events, changed, cut) > 100
