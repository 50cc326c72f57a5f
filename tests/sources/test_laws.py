"""What holds for every adapter on its real files."""

from __future__ import annotations

import pytest

from detectors.decode import Decoder
from detectors.events import Event
from detectors.vocabulary import TYPES
from streams.errors import SettingError
from streams.sources.api import get_source, source_names
from tests.sources.datasets import FILES, paths, read, replayed

NAMES = sorted(FILES)
ROWS = {
    "anonymous-bank": 33_344,
    "servicenow-incidents": 81_519,
    "airbnb-sessions": 7_756,
    "bpi2016-complaints": 289,
    "mhch": 700,
}


@pytest.mark.parametrize("name", NAMES)
def test_every_row_gives_events_or_is_a_named_reject(name: str) -> None:
    counts = replayed(name).counts
    assert counts.rows == ROWS[name]
    assert counts.adds_up()
    assert set(counts.rejected) == ({"phantom"} if name == "anonymous-bank" else set())
    assert counts.events.total() == len(replayed(name).events)


@pytest.mark.parametrize("name", NAMES)
def test_events_are_in_the_contracts_order(name: str) -> None:
    keys = [event[:4] for event in replayed(name).events]
    assert keys == sorted(keys)


@pytest.mark.parametrize("name", NAMES)
def test_ids_are_unique(name: str) -> None:
    events = replayed(name).events
    assert len({(event.source, event.id) for event in events}) == len(events)


@pytest.mark.parametrize("name", NAMES)
def test_the_worker_accepts_every_event_and_finds_what_the_adapter_says(name: str) -> None:
    source = get_source(name)
    decoder = Decoder(lambda tenant, subject: f"{tenant}/{subject}", floor=0, ahead=0)
    for event, value in zip(replayed(name).events, replayed(name).values, strict=True):
        found = decoder.decode(event.value, event.time)
        assert isinstance(found, Event), found
        assert (found.time, found.source, found.id) == (event.time, event.source, event.id)
        assert decoder.subject.encode() == event.key
        assert TYPES[found.type].rank == event.rank
        assert found.anonymous == ("subject" not in value)
        assert found.attributes == ""
        assert getattr(found, source.ref)
        assert not {None, ""} & set(value["data"].values())


@pytest.mark.parametrize("name", ["airbnb-sessions", "bpi2016-complaints", "mhch"])
def test_reading_again_gives_the_same_bytes(name: str) -> None:
    assert read(name, *paths(name)).events == replayed(name).events


@pytest.mark.parametrize("name", ["airbnb-sessions", "bpi2016-complaints"])
def test_the_order_of_files_does_not_matter(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = tmp_path_factory.mktemp(name)
    (path,) = paths(name)
    head, *rows = path.read_bytes().splitlines(keepends=True)
    first, second = directory / "first", directory / "second"
    first.write_bytes(head + b"".join(rows[::2]))
    second.write_bytes(head + b"".join(rows[1::2]))
    assert read(name, second, first).events == replayed(name).events


def test_an_unknown_source_is_answered_with_those_there_are() -> None:
    with pytest.raises(SettingError) as raised:
        get_source("anonymous-bnak")
    assert all(name in str(raised.value) for name in source_names())
    assert set(source_names()) >= {*NAMES, "cloudevents"}
