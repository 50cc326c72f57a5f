"""What is sent: history first and in its own time, then the present as it comes; a file at its pace."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import msgspec
import pytest

from detectors.policy import default
from detectors.vocabulary import TICK
from streams.demo import traffic
from streams.demo.traffic import FileTraffic, Runner, ScenarioTraffic
from streams.errors import OperationError, SettingError
from streams.sources.api import cloud_event, rfc3339

NOW = 1_790_000_000_000


class ListPublisher:
    """A list double of the producer: (partition, type, time) of each record."""

    def __init__(self) -> None:
        self.sent: list[tuple[int | None, str, str]] = []
        self.flushed = 0

    def partitions(self, topic: str) -> int:
        return 2

    def send(
        self, topic: str, key: bytes | None, value: bytes | None, *, partition: int | None = None
    ) -> None:
        event = msgspec.json.decode(value or b"")
        self.sent.append((partition, event["type"], event["time"]))

    def flush(self) -> None:
        self.flushed = len(self.sent)

    def events(self) -> list[str]:
        return [time for _, kind, time in self.sent if kind != TICK]

    def ticks(self) -> list[tuple[int | None, str]]:
        return [(partition, time) for partition, kind, time in self.sent if kind == TICK]


def test_history_comes_in_order_with_ticks_to_every_partition_and_nothing_from_the_future() -> None:
    shown, publisher = ScenarioTraffic(clock=lambda: NOW), ListPublisher()
    shown.before(publisher, "events")
    times = [time for _, _, time in publisher.sent]
    assert times == sorted(times)
    assert rfc3339(NOW - traffic.HISTORY_MS) <= times[0]
    # The first event at or after now ends the history.
    assert times[-2] < rfc3339(NOW) <= times[-1] < rfc3339(NOW + 5_000)
    assert len(publisher.events()) == shown.sent > 5_000
    assert {partition for partition, _ in publisher.ticks()} == {0, 1}
    assert max(time for _, time in publisher.ticks()) < rfc3339(NOW + 5_000)
    assert publisher.flushed == len(publisher.sent)


def test_the_present_comes_when_it_is_due_and_no_event_is_left_out() -> None:
    moment = [NOW]
    shown, publisher, over = ScenarioTraffic(clock=lambda: moment[0]), ListPublisher(), threading.Event()
    shown.before(publisher, "events")
    history = len(publisher.events())
    flowing = threading.Thread(target=shown.flow, args=(publisher, "events", over))
    flowing.start()
    time.sleep(0.2)
    assert len(publisher.events()) == history
    moment[0] += 60_000
    over_due = time.monotonic() + 20
    while len(publisher.events()) < history + 100 and time.monotonic() < over_due:
        time.sleep(0.05)
    over.set()
    flowing.join(10)
    assert not flowing.is_alive()
    again = ScenarioTraffic(clock=lambda: NOW)
    expected = [rfc3339(next(again._events).time) for _ in publisher.events()]
    assert publisher.events() == expected
    assert history + 100 <= len(expected) == shown.sent
    assert max(expected) <= rfc3339(NOW + 60_000)


@pytest.fixture
def hour(tmp_path: Path) -> Path:
    """One event a minute for an hour, as CloudEvents."""
    path = tmp_path / "hour.ndjson"
    made = [cloud_event("page_view", NOW + n * 60_000, "web", str(n), "c", {}) for n in range(61)]
    path.write_bytes(b"\n".join(event.value for event in made) + b"\n")
    return path


def test_a_file_takes_the_time_it_is_given_and_leaves_no_timer(hour: Path) -> None:
    shown, publisher = FileTraffic("cloudevents", hour, default(), shown_s=1.0), ListPublisher()
    shown.before(publisher, "events")
    assert publisher.sent == []
    began = time.monotonic()
    shown.flow(publisher, "events", threading.Event())
    assert 0.9 < time.monotonic() - began < 5.0
    assert (len(publisher.events()), shown.sent) == (61, 61)
    assert max(time for _, time in publisher.ticks()) > rfc3339(NOW + default().longest_timeout_ms)
    assert "cloudevents hour.ndjson replayed" in shown.title


def test_a_file_can_be_stopped_in_between(hour: Path) -> None:
    shown, publisher = FileTraffic("cloudevents", hour, default(), shown_s=60.0), ListPublisher()
    runner = Runner(shown, publisher, "events")
    runner.start()
    time.sleep(0.5)
    runner.stop()
    runner.check()
    assert 0 < len(publisher.events()) == shown.sent < 61
    assert publisher.flushed == len(publisher.sent)


def test_what_ends_the_traffic_is_told() -> None:
    class BrokenPublisher(ListPublisher):
        def send(
            self, topic: str, key: bytes | None, value: bytes | None, *, partition: int | None = None
        ) -> None:
            raise OperationError("the broker is gone")

    # The clock stands an hour later once the traffic flows: everything is due.
    moments = iter([NOW])
    shown = ScenarioTraffic(clock=lambda: next(moments, NOW + 3_600_000))
    runner = Runner(shown, BrokenPublisher(), "events")
    runner.start()
    runner._thread.join(10)
    with pytest.raises(OperationError, match="the broker is gone"):
        runner.check()


def test_wrong_files_are_refused_before_anything_is_started(tmp_path: Path) -> None:
    empty = tmp_path / "empty.ndjson"
    empty.write_text("")
    with pytest.raises((OperationError, SettingError)):
        FileTraffic("cloudevents", empty, default())
    with pytest.raises((OperationError, SettingError)):
        FileTraffic("cloudevents", tmp_path / "none.ndjson", default())
    with pytest.raises(SettingError, match="SOURCE"):
        FileTraffic("no-such", empty, default())
