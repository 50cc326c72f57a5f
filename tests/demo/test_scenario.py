"""The constructed customers: right events, in order, the same for a seed, and every kind of story told."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import msgspec
import pytest

from detectors.decode import Decoder
from detectors.events import Event
from detectors.vocabulary import CHANNELS, TYPES
from streams.scenario.scene import Scene
from streams.scenario.stories import STORIES
from streams.scenario.stream import events

START = 1_790_000_000_000
HOUR = 3_600_000


def told(name: str, number: int = 1) -> Scene:
    scene = Scene(seed=5, number=number, start_ms=START)
    STORIES[name][1](scene)
    return scene


def payload(scene: Scene) -> list[dict[str, object]]:
    return [msgspec.json.decode(event.value) for event in scene.events]


@pytest.mark.parametrize("name", STORIES)
def test_a_story_is_in_order_and_of_the_vocabulary(name: str) -> None:
    scene = told(name)
    times = [event.time for event in scene.events]
    assert times == sorted(times)
    assert len({(event.source, event.id) for event in scene.events}) == len(scene.events) > 1
    for event in payload(scene):
        assert event["type"] in TYPES
        data = event["data"]
        assert isinstance(data, dict)
        assert data["channel"] in CHANNELS
        assert data["journey"]
        assert data["step"]


def test_the_worker_accepts_every_event() -> None:
    decoder = Decoder(lambda tenant, subject: f"p-{len(subject)}", floor=0, ahead=0)
    for event in islice(events(seed=2, start_ms=START), 3_000):
        decoded = decoder.decode(event.value, event.time)
        assert isinstance(decoded, Event), decoded
        told = (decoded.time, decoded.attributes, decoder.subject)
        assert told == (event.time, "", event.key.decode())


def test_a_story_ends_within_the_history_that_the_demo_publishes() -> None:
    for name in STORIES:
        scene = told(name)
        assert scene.now - START < 2.5 * HOUR, name


def test_same_seed_same_stream_and_another_seed_another() -> None:
    first = list(islice(events(seed=9, start_ms=START), 500))
    assert first == list(islice(events(seed=9, start_ms=START), 500))
    assert [event.time for event in first] != [e.time for e in islice(events(seed=10, start_ms=START), 500)]


def test_the_stream_is_in_the_order_of_the_contract_without_twins() -> None:
    stream = list(islice(events(seed=4, start_ms=START), 20_000))
    order = [(event.time, event.rank, event.source, event.id) for event in stream]
    assert order == sorted(set(order))


def test_people_come_at_the_rate_asked_for() -> None:
    def rate(at: int) -> float:
        return 60.0 if at >= START + HOUR else 6.0

    first_seen: dict[bytes, int] = {}
    for event in events(seed=4, start_ms=START, per_minute=rate):
        if event.time > START + 2 * HOUR:
            break
        first_seen.setdefault(event.key, event.time)
    early = sum(at < START + HOUR for at in first_seen.values())
    late = len(first_seen) - early
    assert 300 < early < 430
    assert 3_300 < late < 3_900


def test_every_story_and_every_channel_turns_up_within_twenty_minutes() -> None:
    channels: Counter[object] = Counter()
    for event in events(seed=1, start_ms=START):
        if event.time > START + 20 * 60_000:
            break
        channels[msgspec.json.decode(event.value)["data"]["channel"]] += 1
    assert set(channels) >= {
        "web",
        "app",
        "bot",
        "chat",
        "messaging",
        "phone",
        "email",
        "store",
        "ticket",
        "survey",
    }


def test_a_slip_in_a_story_is_found_at_once() -> None:
    scene = Scene(seed=1, number=1, start_ms=0)
    with pytest.raises(KeyError):
        scene.say("page_veiw")
