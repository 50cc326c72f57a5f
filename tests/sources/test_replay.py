"""Publishing: the same order in every partition, at the pace asked for. Kafka itself is tested elsewhere."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from streams import replay
from streams.errors import SettingError
from streams.kafka.partitioner import partition_of
from streams.settings import load
from streams.sources.api import cloud_event, get_source
from streams.sources.progress import shown
from streams.ticks import with_ticks

MINUTE = 60_000
EVENTS = [cloud_event("page_view", m * MINUTE, "web", str(m), f"c{m % 5}", {}) for m in (0, 1, 2, 20, 21, 90)]


class Log:
    """A list double of the producer: what each partition received, in its order."""

    def __init__(self, partitions: int) -> None:
        self.log: list[list[tuple[bytes | None, bytes | None]]] = [[] for _ in range(partitions)]
        self.flushed = False

    def partitions(self, topic: str) -> int:
        assert topic == "t.events"
        return len(self.log)

    def send(
        self, topic: str, key: bytes | None, value: bytes | None, *, partition: int | None = None
    ) -> None:
        self.flushed = False
        if partition is None:
            assert key is not None
            partition = partition_of(key, len(self.log))
        self.log[partition].append((key, value))

    def flush(self) -> None:
        self.flushed = True


class Wall:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.time = 100.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


def ids(records: list[tuple[bytes | None, bytes | None]]) -> list[str]:
    return [json.loads(value or b"")["id"] for _, value in records]


def test_every_partition_gets_every_tick_in_its_place() -> None:
    log = Log(4)
    timed = list(with_ticks(EVENTS, 15 * MINUTE, 10 * MINUTE))
    assert replay.publish(log, "t.events", timed, total=len(EVENTS)) == (6, 5)
    assert log.flushed
    order = [f"tick/{item.time}" if len(item) == 2 else item.id for item in timed]
    for number, records in enumerate(log.log):
        own = {event.id for event in EVENTS if partition_of(event.key, 4) == number}
        assert ids(records) == [name for name in order if name in own or name.startswith("tick/")]
        assert all(key is None for key, value in records if b"io.rehuman.tick" in (value or b""))


def test_pace_scales_event_time_and_does_not_wait_at_the_end() -> None:
    wall, log = Wall(), Log(1)
    timed = with_ticks(EVENTS, 15 * MINUTE, 10 * MINUTE, fill_gaps=True)
    replay.publish(log, "t.events", timed, total=6, speed=60, now=wall.now, sleep=wall.sleep)
    # 90 minutes at 60 minutes a minute.
    assert wall.time - 100 == pytest.approx(90)
    assert max(wall.slept) <= 15
    assert ids(log.log[0])[-2:] == [f"tick/{91 * MINUTE}", f"tick/{101 * MINUTE}"]


def test_the_fastest_never_sleeps() -> None:
    wall = Wall()
    replay.publish(Log(1), "t.events", EVENTS, total=6, now=wall.now, sleep=wall.sleep)
    assert wall.slept == []


def test_progress_is_told_in_plain_lines_off_a_terminal() -> None:
    out, wall = io.StringIO(), Wall()
    with shown("replay", "events", out, wall.now) as tell:
        tell(1_000, 3_000)
        wall.sleep(6)
        tell(2_000, 3_000)
        tell(3_000, 3_000)
    assert out.getvalue() == "replay: 2000 of 3000 events\nreplay: 3000 of 3000 events\n"


def test_progress_is_a_bar_on_a_terminal() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    out = Terminal()
    with shown("replay", "events", out) as tell:
        tell(3_000, 3_000)
    assert "3000/3000" in out.getvalue()


@pytest.mark.parametrize("speed", [0.0, -1.0, float("inf"), float("nan")])
def test_a_speed_that_cannot_be(speed: float, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="--speed"):
        replay.run(load(), get_source("cloudevents"), [tmp_path], speed=speed)


@pytest.mark.parametrize(
    ("text", "said"), [("version = ", "REHUMAN_POLICY"), ("versio = 1", "REHUMAN_POLICY"), (b"\xff", "UTF-8")]
)
def test_a_wrong_policy_is_one_line(text: Any, said: str, tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SettingError, match=said):
        replay.run(load(policy=path), get_source("cloudevents"), [path])
