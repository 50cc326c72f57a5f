"""Rows gather, one insert a table is in flight, and what cannot be written waits for as long as it takes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence

import pytest
from prometheus_client import REGISTRY

from detectors.tables import TABLES
from streams.warehouse.double import ListWriter
from streams.warehouse.errors import SchemaMismatch
from streams.warehouse.inserter import LONGEST_PAUSE_S, Inserter, Owner
from streams.warehouse.packing import Piece, pack
from streams.warehouse.split import MAX_PARTITIONS

MONTH_MS = 31 * 86_400_000


def piece(*numbers: int, table: str = "signals", time: int = 0) -> Piece:
    columns = [[str(number) for number in numbers], [time] * len(numbers)]
    (found,) = pack(TABLES[table], ["fact_id", "time"], columns)
    return found


def stored(writer: ListWriter, table: str = "signals") -> list[int]:
    return sorted(int(str(row["fact_id"])) for row in writer.rows.get(table, []))


async def no_sleep(_: float) -> None:
    await asyncio.sleep(0)


def run(story: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), 60))


def since(kind: str) -> float:
    value = REGISTRY.get_sample_value("rehuman_facts_waiting_since_timestamp_seconds", {"reason": kind})
    assert value is not None
    return value


def waiting() -> float:
    return REGISTRY.get_sample_value("rehuman_facts_waiting_rows") or 0.0


async def until(condition: Callable[[], object]) -> None:
    """What threads and metrics say, nobody wakes us for."""
    while not condition():  # noqa: ASYNC110 - as above
        await asyncio.sleep(0.005)


class Gate(ListWriter):
    """Lets inserts through one by one, and knows how many were inside at once."""

    def __init__(self) -> None:
        super().__init__()
        self.open = threading.Event()
        self.inside: set[str] = set()
        self.together: list[set[str]] = []
        self._lock = threading.Lock()

    def write(self, pieces: Sequence[Piece], attempts: int = 1) -> int:
        table = pieces[0].table.name
        with self._lock:
            assert table not in self.inside, f"two inserts into {table} at once"
            self.inside.add(table)
            self.together.append(set(self.inside))
        assert self.open.wait(30)
        with self._lock:
            self.inside.remove(table)
            return super().write(pieces)


def test_what_comes_during_an_insert_goes_in_with_the_next() -> None:
    writer = Gate()

    async def story() -> None:
        inserter = Inserter(writer, strict=False, gap_s=0)
        owners = [Owner() for _ in range(4)]
        for number in range(40):
            await inserter.put([piece(number)], owners[number % 4])
            await asyncio.sleep(0)
        assert waiting() == 40
        writer.open.set()
        await asyncio.gather(*(owner.settled() for owner in owners))
        assert waiting() == 0

    run(story)
    assert stored(writer) == [*range(40)]
    assert len(writer.inserts) == 2


def test_tables_go_in_beside_each_other_one_insert_each() -> None:
    writer = Gate()

    async def story() -> None:
        inserter = Inserter(writer, strict=False, gap_s=0)
        owner = Owner()
        for number in range(30):
            for table in ("signals", "events", "waits"):
                await inserter.put([piece(number, table=table)], owner)
        await until(lambda: len(writer.together) >= 3)
        writer.open.set()
        await owner.settled()

    run(story)
    assert {"signals", "events", "waits"} in writer.together
    assert [stored(writer, table) for table in writer.rows] == [[*range(30)]] * 3


def test_an_insert_spans_no_more_months_than_a_server_takes() -> None:
    spans: list[int] = []

    class Months(ListWriter):
        def write(self, pieces: Sequence[Piece], attempts: int = 1) -> int:
            spans.append(len(frozenset().union(*(found.months for found in pieces))))
            return super().write(pieces)

    writer = Months()

    async def story() -> None:
        inserter = Inserter(writer, strict=False, gap_s=60)
        owner = Owner()
        await inserter.put([piece(n, time=n * MONTH_MS) for n in range(120)], owner)
        await owner.settled()

    run(story)
    assert stored(writer) == [*range(120)]
    assert spans == [MAX_PARTITIONS, MAX_PARTITIONS, 120 - 2 * MAX_PARTITIONS]


def test_a_failure_is_waited_out_with_growing_pauses_and_smaller_inserts() -> None:
    pauses: list[float] = []
    sizes: list[int] = []

    class Failing(ListWriter):
        def write(self, pieces: Sequence[Piece], attempts: int = 1) -> int:
            sizes.append(sum(found.rows for found in pieces))
            return super().write(pieces)

    writer = Failing()
    writer.fail(30)

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async def story() -> None:
        inserter = Inserter(writer, strict=False, sleep=sleep, gap_s=0)
        owner = Owner()
        await inserter.put([piece(*range(n * 10, n * 10 + 10)) for n in range(64)], owner)
        await owner.settled()

    run(story)
    assert stored(writer) == [*range(640)]
    assert len(pauses) == 30
    assert all(0 < pause <= LONGEST_PAUSE_S for pause in pauses)
    assert max(pauses[-10:]) > LONGEST_PAUSE_S / 2
    assert len(set(pauses)) > 20, "no jitter: all workers would come back at once"
    assert sizes[:4] == [640, 320, 160, 80]
    assert sizes[29] == 10
    # The first that went in was small; then they grow again.
    assert sizes[30] == 10
    assert max(sizes[31:]) > 100


def test_no_more_is_held_than_may_be() -> None:
    writer = Gate()

    async def story() -> None:
        limit = 20 * piece(1).size
        inserter = Inserter(writer, strict=False, gap_s=0, held_bytes=limit)
        owner, taken = Owner(), 0

        async def fill() -> None:
            nonlocal taken
            for number in range(100):
                await inserter.put([piece(number)], owner)
                taken += 1

        filling = asyncio.create_task(fill())
        await asyncio.sleep(0.3)
        assert taken == 19
        assert inserter.held <= limit + piece(1).size
        writer.open.set()
        await filling
        await owner.settled()
        assert inserter.held == 0

    run(story)
    assert stored(writer) == [*range(100)]


def test_who_goes_leaves_what_was_not_sent_and_others_stay() -> None:
    writer = ListWriter()
    writer.fail(10_000)

    async def story() -> None:
        again = asyncio.Event()

        async def pause(_: float) -> None:
            await again.wait()

        inserter = Inserter(writer, strict=False, sleep=pause, gap_s=0)
        stays, goes = Owner(), Owner()
        await inserter.put([piece(1)], stays)
        await inserter.put([piece(2)], goes)
        await asyncio.sleep(0.2)
        goes.give_up()
        writer.fail(0)
        again.set()
        await stays.settled()
        await goes.settled()
        assert inserter.held == 0

    run(story)
    assert stored(writer) == [1]


@pytest.mark.parametrize("strict", [True, False])
def test_a_schema_that_does_not_fit_ends_it_only_where_nothing_else_runs(strict: bool) -> None:
    writer = ListWriter()
    writer.failure = SchemaMismatch("column signals.points is String; it should be Float64")
    writer.fail(5)

    async def story() -> None:
        inserter = Inserter(writer, strict=strict, sleep=no_sleep, gap_s=0)
        owner = Owner()
        await inserter.put([piece(1)], owner)
        if not strict:
            await owner.settled()
            return
        with pytest.raises(SchemaMismatch, match=r"signals\.points is String; it should be Float64"):
            await owner.settled()

    run(story)
    assert stored(writer) == ([] if strict else [1])


def test_a_defect_is_not_waited_for() -> None:
    class Broken(ListWriter):
        def write(self, pieces: Sequence[Piece], attempts: int = 1) -> int:
            raise TypeError("a slip")

    async def story() -> None:
        owner = Owner()
        inserter = Inserter(Broken(), strict=False, sleep=no_sleep, gap_s=0)
        await inserter.put([piece(1)], owner)
        with pytest.raises(TypeError):
            await owner.settled()
        with pytest.raises(TypeError):
            await inserter.put([piece(2)], owner)

    run(story)


def test_names_of_two_versions_are_not_mixed() -> None:
    writer = ListWriter()

    async def story() -> None:
        inserter = Inserter(writer, strict=False, gap_s=60)
        owner = Owner()
        (older,) = pack(TABLES["signals"], ["fact_id"], [["7"]])
        await inserter.put([piece(1), older, piece(2)], owner)
        await owner.settled()

    run(story)
    assert stored(writer) == [1, 2, 7]
    assert len(writer.inserts) == 3


def test_the_process_does_not_wait_for_a_thread_that_hangs() -> None:
    """A worker must end within its grace although its database says nothing for a minute."""
    writer = Gate()

    async def story() -> None:
        owner = Owner()
        await Inserter(writer, strict=False, gap_s=0).put([piece(1)], owner)
        await until(lambda: writer.inside)

    run(story)
    hanging = [thread for thread in threading.enumerate() if thread.name.startswith("facts ")]
    assert hanging
    assert all(thread.daemon for thread in hanging)
    writer.open.set()
