"""Events: of the vocabulary, in time order, and what a replay reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from detectors.decode import Decoder
from detectors.events import Event
from detectors.policy import default
from detectors.vocabulary import TYPES
from streams.simulate.parameters import pack_names
from streams.sources.api import SourceCounts
from streams.sources.cloudevents import CloudEventsSource
from tests.simulate.runs import SEEDS, ms, run


@pytest.mark.parametrize("pack", pack_names())
def test_each_event_is_accepted_whole(pack: str) -> None:
    policy = default()
    decoder = Decoder(lambda tenant, subject: subject, policy.floor, policy.document.time.ahead)
    for raw, event in zip(run(pack, 1).raw, run(pack, 1).events, strict=True):
        decoded = decoder.decode(raw, ms(event["time"]))
        assert isinstance(decoded, Event), (decoded, raw)
        assert decoded.type in TYPES, raw
        assert decoded.attributes == "", "a field that the vocabulary does not have"
        assert not decoded.anonymous


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("pack", ["outage", "happy-shoppers"])
def test_time_goes_on_and_ids_are_unique(pack: str, seed: int) -> None:
    simulated = run(pack, seed)
    times = [event["time"] for event in simulated.events]
    assert times == sorted(times)
    assert len(simulated.by_id) == len(simulated.events)


def test_every_channel_is_there() -> None:
    seen = {event["data"]["channel"] for event in run("outage", 1, 300).events}
    assert seen == {"web", "app", "bot", "chat", "phone", "email", "store", "ticket", "survey"}


def test_a_source_reads_it_in_the_same_order(tmp_path: Path) -> None:
    simulated = run("broken-release", 2)
    path = tmp_path / "e.jsonl"
    path.write_bytes(b"\n".join(simulated.raw))
    counts = SourceCounts()
    read = list(CloudEventsSource().read([path], counts))
    assert not counts.rejected
    assert len(read) == len(simulated.events)
    for customer, events in simulated.of.items():
        assert [event.id for event in read if event.key == customer.encode()] == [e["id"] for e in events]
