"""The facts lane against a list: every row in, waiting instead of losing, and what is no block put aside."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import pytest
from prometheus_client import REGISTRY

from detectors.tables import TABLES, Row
from streams import blocks
from streams.facts_lane import FactsLane
from streams.lanes.api import Output, Record
from streams.topics import TopicNames
from streams.warehouse.double import ListWriter
from streams.warehouse.errors import SchemaMismatch
from streams.warehouse.inserter import Inserter

NAMES = TABLES["signals"].names
POINTS = NAMES.index("points")
TOPICS = TopicNames("t")


def row(number: int, points: object = 1.0) -> Row:
    values: dict[str, object] = dict.fromkeys(NAMES, "")
    values |= dict.fromkeys(("retracted", "late", "ver", "policy_version", "partition", "offset"), 0)
    values |= {"fact_id": str(number), "time": number, "points": points}
    return tuple(values[name] for name in NAMES)


def record(*numbers: int, offset: int = 0) -> Record:
    return Record(offset, 0, None, blocks.encode("signals", [row(number) for number in numbers], 0))


def stored(writer: ListWriter) -> list[int]:
    return [int(str(found["fact_id"])) for found in writer.rows["signals"]]


async def no_sleep(_: float) -> None:
    await asyncio.sleep(0)


def run(story: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), 60))


class Post:
    """Takes dead letters."""

    def __init__(self) -> None:
        self.letters: list[Output] = []

    async def deliver(self, outputs: Sequence[Output]) -> None:
        await asyncio.sleep(0)
        self.letters += outputs


def lane(inserter: Inserter, partition: int = 0, post: Post | None = None) -> FactsLane:
    return FactsLane(partition, inserter, TOPICS, (post or Post()).deliver)


def test_lanes_insert_together() -> None:
    writer = ListWriter()

    async def story() -> None:
        inserter = Inserter(writer, strict=False, sleep=no_sleep, gap_s=0.2)
        lanes = [lane(inserter, number) for number in range(8)]
        for number, found in enumerate(lanes):
            await found.apply([record(number), record(100 + number)])
        await asyncio.gather(*(found.flush() for found in lanes))

    run(story)
    assert sorted(stored(writer)) == [*range(8), *range(100, 108)]
    assert len(writer.inserts) <= 2


def test_a_database_that_is_away_is_waited_for() -> None:
    writer = ListWriter()
    writer.fail(5)

    async def story() -> None:
        found = lane(Inserter(writer, strict=False, sleep=no_sleep, gap_s=0))
        await found.apply([record(1, 2, 3)])
        await found.flush()

    run(story)
    assert stored(writer) == [1, 2, 3]


def test_a_lane_that_is_taken_away_gives_up_its_rows_alone() -> None:
    writer = ListWriter()
    writer.fail(10_000)

    async def story() -> None:
        pauses = asyncio.Event()

        async def pause(_: float) -> None:
            await pauses.wait()

        inserter = Inserter(writer, strict=False, sleep=pause, gap_s=0)
        kept, taken = lane(inserter), lane(inserter)
        await kept.apply([record(1)])
        await taken.apply([record(2)])
        flushes = [asyncio.create_task(kept.flush()), asyncio.create_task(taken.flush())]
        await asyncio.sleep(0.2)
        flushes[1].cancel()
        with pytest.raises(asyncio.CancelledError):
            await flushes[1]
        writer.fail(0)
        pauses.set()
        await flushes[0]

    run(story)
    assert stored(writer) == [1]


def test_alone_it_stops_on_a_schema_that_does_not_fit() -> None:
    writer = ListWriter()
    writer.failure = SchemaMismatch("column signals.points is missing")
    writer.fail(1)

    async def story() -> None:
        found = lane(Inserter(writer, strict=True, sleep=no_sleep, gap_s=0))
        await found.apply([record(1)])
        with pytest.raises(SchemaMismatch, match=r"signals\.points"):
            await found.flush()

    run(story)


def test_beside_other_lanes_it_waits_for_the_schema() -> None:
    writer = ListWriter()
    writer.failure = SchemaMismatch("column signals.points is missing")
    writer.fail(10_000)

    async def story() -> None:
        found = lane(Inserter(writer, strict=False, sleep=no_sleep, gap_s=0))
        await found.apply([record(1)])
        flush = asyncio.create_task(found.flush())
        await asyncio.sleep(0.3)
        assert not flush.done()
        writer.fail(0)
        await flush

    run(story)
    assert stored(writer) == [1]


def test_a_lane_waits_where_too_much_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.facts_lane.TOGETHER", 10)
    writer = ListWriter()
    writer.fail(10_000)

    async def story() -> None:
        inserter = Inserter(writer, strict=False, sleep=no_sleep, gap_s=0, held_bytes=5_000)
        found = lane(inserter)
        task = asyncio.create_task(found.apply([record(number) for number in range(10_000)]))
        await asyncio.sleep(0.3)
        assert not task.done()
        # What one step has packed more is there, too.
        assert 5_000 <= inserter.held < 400_000
        writer.fail(0)
        await task
        await found.flush()

    run(story)
    assert sorted(stored(writer)) == [*range(10_000)]


@pytest.mark.parametrize(
    "raw",
    [
        None,
        b"",
        b"not a block",
        msgspec.msgpack.encode((99, "signals", 0, 1, ["fact_id"], [["a"]])),
        msgspec.msgpack.encode((blocks.VERSION, "nowhere", 0, 1, ["fact_id"], [["a"]])),
        msgspec.msgpack.encode((blocks.VERSION, "signals", 0, 1, ["unheard_of"], [["a"]])),
    ],
)
def test_what_is_no_block_is_a_dead_letter_and_the_rest_is_stored(raw: bytes | None) -> None:
    writer, post = ListWriter(), Post()
    before = REGISTRY.get_sample_value("rehuman_dead_letters_total", {"reason": "bad_block"}) or 0

    async def story() -> None:
        found = lane(Inserter(writer, strict=True, sleep=no_sleep, gap_s=0), 3, post)
        await found.apply([record(1, offset=7), Record(8, 1_700, b"key", raw), record(2, offset=9)])
        assert len(post.letters) == 1, "acknowledged before the position passes it"
        await found.flush()

    run(story)
    assert stored(writer) == [1, 2]
    (letter,) = post.letters
    assert (letter.topic, letter.value) == ("t.dead-letters", raw)
    said = dict(letter.headers)
    assert said["reason"] == b"bad_block"
    assert (said["topic"], said["partition"], said["offset"]) == (b"t.facts", b"3", b"8")
    assert REGISTRY.get_sample_value("rehuman_dead_letters_total", {"reason": "bad_block"}) == before + 1


def test_a_row_that_fits_no_column_is_put_aside_and_its_neighbours_are_stored() -> None:
    writer, post = ListWriter(), Post()
    rows = [row(1), row(2, "Jane Doe"), row(3)]
    spoilt = Record(5, 0, None, blocks.encode("signals", rows, 0))

    async def story() -> None:
        found = lane(Inserter(writer, strict=True, sleep=no_sleep, gap_s=0), 0, post)
        await found.apply([spoilt, record(4)])
        await found.flush()

    run(story)
    assert stored(writer) == [1, 3, 4]
    (letter,) = post.letters
    assert dict(letter.headers)["reason"] == b"bad_block:signals.points"
    assert letter.value == spoilt.value


def test_small_blocks_are_packed_together_and_only_the_one_that_is_wrong_is_put_aside() -> None:
    writer, post = ListWriter(), Post()
    spoilt = Record(50, 0, None, blocks.encode("signals", [row(50, "Jane Doe"), row(51)], 0))

    async def story() -> None:
        found = lane(Inserter(writer, strict=True, sleep=no_sleep, gap_s=0), 0, post)
        await found.apply([*(record(number) for number in range(50)), spoilt, record(52)])
        await found.flush()

    run(story)
    assert sorted(stored(writer)) == [*range(50), 51, 52]
    assert [dict(letter.headers)["offset"] for letter in post.letters] == [b"50"]


def test_what_was_stored_is_counted_once_it_is_in() -> None:
    writer = ListWriter()
    labels = {"partition": "6", "table": "signals"}

    def counted() -> float:
        return REGISTRY.get_sample_value("rehuman_rows_stored_total", labels) or 0.0

    async def story() -> None:
        found = lane(Inserter(writer, strict=False, sleep=no_sleep, gap_s=0), 6)
        before = counted()
        await found.apply([record(1, 2, 3)])
        assert counted() == before
        await found.flush()
        await found.flush()
        assert counted() == before + 3

    run(story)
