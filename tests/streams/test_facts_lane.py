"""The facts lane against a list: every row in, few inserts, waiting instead of losing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from detectors.tables import TABLES, Row
from streams import blocks
from streams.facts_lane import FactsLane, Inserter
from streams.lanes.api import Record
from streams.warehouse.double import ListWriter
from streams.warehouse.errors import SchemaMismatch

NAMES = TABLES["signals"].names


def row(number: int) -> Row:
    values: dict[str, object] = dict.fromkeys(NAMES, "")
    values |= {"fact_id": str(number), "time": number, "points": 1.0}
    return tuple(values[name] for name in NAMES)


def record(*numbers: int) -> Record:
    return Record(0, 0, None, blocks.encode("signals", [row(number) for number in numbers], 0))


def stored(writer: ListWriter) -> list[str]:
    return [str(found["fact_id"]) for found in writer.rows["signals"]]


async def no_sleep(_: float) -> None:
    await asyncio.sleep(0)


def run(story: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), 20))


def test_lanes_insert_together() -> None:
    writer = ListWriter()

    async def story() -> None:
        inserter = Inserter(writer, strict=False, sleep=no_sleep, gap_s=0)
        lanes = [FactsLane(inserter) for _ in range(8)]
        for number, lane in enumerate(lanes):
            await lane.apply([record(number), record(100 + number)])
        await asyncio.gather(*(lane.flush() for lane in lanes))

    run(story)
    assert sorted(map(int, stored(writer))) == [*range(8), *range(100, 108)]
    assert len(writer.inserts) <= 2


def test_a_database_that_is_away_is_waited_for() -> None:
    writer = ListWriter()
    writer.fail(5)

    async def story() -> None:
        lane = FactsLane(Inserter(writer, strict=False, sleep=no_sleep, gap_s=0))
        await lane.apply([record(1, 2, 3)])
        await lane.flush()

    run(story)
    assert stored(writer) == ["1", "2", "3"]


def test_a_lane_that_is_taken_away_gives_up_its_rows_alone() -> None:
    writer = ListWriter()
    writer.fail(10_000)

    async def story() -> None:
        pauses = asyncio.Event()

        async def pause(_: float) -> None:
            await pauses.wait()

        inserter = Inserter(writer, strict=False, sleep=pause, gap_s=0)
        kept, taken = FactsLane(inserter), FactsLane(inserter)
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
    assert "1" in stored(writer)


class _Misfit(ListWriter):
    def insert(self, table: str, names: object, columns: object) -> int:
        raise SchemaMismatch("column signals.points is missing")


def test_alone_it_stops_on_a_schema_that_does_not_fit() -> None:
    async def story() -> None:
        lane = FactsLane(Inserter(_Misfit(), strict=True, sleep=no_sleep, gap_s=0))
        await lane.apply([record(1)])
        with pytest.raises(SchemaMismatch, match=r"signals\.points"):
            await lane.flush()

    run(story)


def test_beside_other_lanes_it_waits_for_the_schema() -> None:
    async def story() -> None:
        lane = FactsLane(Inserter(_Misfit(), strict=False, sleep=no_sleep, gap_s=0))
        await lane.apply([record(1)])
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(lane.flush(), 0.5)

    run(story)


def test_rows_held_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.facts_lane.MOST_ROWS", 10)
    writer = ListWriter()

    async def story() -> None:
        lane = FactsLane(Inserter(writer, strict=False, sleep=no_sleep, gap_s=0))
        for number in range(25):
            await lane.apply([record(number)])
        assert len(stored(writer)) == 20
        await lane.flush()

    run(story)
    assert stored(writer) == [str(number) for number in range(25)]
