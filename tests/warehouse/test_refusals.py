"""Whatever keeps a real engine from taking rows is named, waited for, and leaves every row once."""

from __future__ import annotations

import asyncio
import os
import re
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog
from clickhouse_driver import Client

from detectors.tables import TABLES
from streams.warehouse.client import connect
from streams.warehouse.errors import Unavailable
from streams.warehouse.inserter import Inserter, Owner
from streams.warehouse.packing import Piece, pack
from streams.warehouse.query import run_sql
from streams.warehouse.writer import FactsWriter
from tests.support.engine import EngineUnderTest, running
from tests.warehouse.proxy import line
from tests.warehouse.test_inserter import since
from tests.warehouse.test_writer import NAMES, _rows

ROWS = 3_000


@contextmanager
def own_engine(directory: Path) -> Iterator[EngineUnderTest]:
    with running(directory) as engine:
        yield engine.migrate()


def _pieces() -> list[Piece]:
    columns = _rows(ROWS)
    parts = ([column[at : at + 500] for column in columns] for at in range(0, ROWS, 500))
    return [piece for part in parts for piece in pack(TABLES["signals"], NAMES, part)]


def waits_for(
    url: str, kind: str, mend: Callable[[], object], opens: Callable[..., Client] = connect
) -> list[dict[str, Any]]:
    """Write while something is wrong, see it told as ``kind``, mend it; the lines that were logged."""
    opened: list[Client] = []

    def noted(*where: Any, **how: Any) -> Client:
        opened.append(opens(*where, **how))
        return opened[-1]

    writer = FactsWriter(url, sleep=lambda _: None, opens=noted)

    async def story() -> None:
        async def short(_: float) -> None:
            await asyncio.sleep(0.05)

        inserter, owner = Inserter(writer, strict=False, sleep=short, gap_s=0), Owner()
        await inserter.put(_pieces(), owner)
        settled = asyncio.create_task(owner.settled())
        while not since(kind):
            assert not settled.done()
            await asyncio.sleep(0.01)
        # Heartbeats and other lanes are in this loop: it must turn while the database is waited for.
        await asyncio.sleep(0.3)
        assert not settled.done()
        await asyncio.get_running_loop().run_in_executor(None, mend)
        await settled

    with structlog.testing.capture_logs() as said:
        asyncio.run(asyncio.wait_for(story(), 120))
    for client in opened:
        client.disconnect()
    assert run_sql(url, "SELECT count(), uniqExact(fact_id) FROM signals_exact")[1] == [(ROWS, ROWS)]
    assert said[0]["event"].startswith("clickhouse fails; facts wait")
    assert said[-1]["event"] == "clickhouse answers again; facts go on"
    return list(said)


@pytest.fixture
def client(url: str) -> Iterator[Client]:
    found = connect(url)
    yield found
    found.disconnect()


def _altered(client: Client, setting: str, value: int) -> Callable[[], object]:
    client.execute(f"ALTER TABLE signals MODIFY SETTING {setting} = {value}")
    return lambda: client.execute(f"ALTER TABLE signals RESET SETTING {setting}")


def test_read_only(url: str, client: Client) -> None:
    said = waits_for(url, "read_only", _altered(client, "table_readonly", 1))
    assert "takes no rows of signals: it is read-only (code 774)" in said[0]["reason"]


def test_too_many_parts(url: str, client: Client) -> None:
    client.execute("SYSTEM STOP MERGES signals")
    # One part of the month, of a row that is among those to come.
    writer = FactsWriter(url)
    writer.insert("signals", NAMES, _rows(1))
    writer.close()
    said = waits_for(url, "too_many_parts", _altered(client, "parts_to_throw_insert", 1))
    assert "it has too many parts to merge (code 252)" in said[0]["reason"]


def test_the_disk_has_less_left_than_it_must(url: str, client: Client) -> None:
    said = waits_for(url, "disk_full", _altered(client, "min_free_disk_bytes_to_perform_insert", 2**60))
    assert "its disk is full (code 243)" in said[0]["reason"]


@pytest.mark.parametrize("limit", [0, 20_000])
def test_the_disk_takes_nothing(tmp_path: Path, limit: int) -> None:
    """The engine's own writes fail: no file of it may grow beyond ``limit`` bytes."""
    with own_engine(tmp_path) as engine:
        endless = resource.RLIM_INFINITY
        resource.prlimit(engine.pid, resource.RLIMIT_FSIZE, (limit, endless))
        said = waits_for(
            engine.server_url,
            "disk_full",
            lambda: resource.prlimit(engine.pid, resource.RLIMIT_FSIZE, (endless, endless)),
        )
    assert "its disk is full" in said[0]["reason"]


def test_one_row_is_refused_with_the_reason_too(tmp_path: Path) -> None:
    """A row is less than a file's buffer, which must not swallow it."""
    with own_engine(tmp_path) as engine:
        endless = resource.RLIM_INFINITY
        resource.prlimit(engine.pid, resource.RLIMIT_FSIZE, (0, endless))
        writer = FactsWriter(engine.server_url)
        for _ in range(5):
            with pytest.raises(Unavailable, match="its disk is full") as raised:
                writer.write(pack(TABLES["signals"], NAMES, _rows(1)), attempts=1)
            assert raised.value.kind == "disk_full"
        resource.prlimit(engine.pid, resource.RLIMIT_FSIZE, (endless, endless))
        assert writer.insert("signals", NAMES, _rows(1)) == 1
        writer.close()
        assert list((tmp_path / "incoming").iterdir()) == []


def test_out_of_memory(url: str) -> None:
    settings = {"max_memory_usage": 10_000}

    def opens(where: str, **how: Any) -> Client:
        return connect(where, settings=settings, **how)

    said = waits_for(url, "memory", settings.clear, opens=opens)
    assert "it is out of memory (code 241)" in said[0]["reason"]


def test_a_column_that_is_missing(url: str, client: Client) -> None:
    client.execute("ALTER TABLE signals RENAME COLUMN points TO elsewhere")
    said = waits_for(
        url, "schema", lambda: client.execute("ALTER TABLE signals RENAME COLUMN elsewhere TO points")
    )
    assert "column signals.points is missing; 'rehuman migrate' brings it up to date" in said[0]["reason"]


def test_a_column_of_another_type(url: str, client: Client) -> None:
    client.execute("ALTER TABLE signals MODIFY COLUMN points String")
    said = waits_for(
        url, "schema", lambda: client.execute("ALTER TABLE signals MODIFY COLUMN points Float64")
    )
    assert "column signals.points is String; it should be Float64" in said[0]["reason"]


def test_a_table_that_is_missing(url: str, client: Client) -> None:
    client.execute("RENAME TABLE signals TO elsewhere")
    said = waits_for(url, "schema", lambda: client.execute("RENAME TABLE elsewhere TO signals"))
    assert "table signals is missing" in said[0]["reason"]


def test_killed_and_started_again(tmp_path: Path) -> None:
    with own_engine(tmp_path) as engine:
        engine.kill()
        said = waits_for(engine.server_url, "unreachable", engine.start)
    assert "does not answer" in said[0]["reason"]


def test_frozen(tmp_path: Path) -> None:
    """Connections open and nobody answers: SIGSTOP, as a machine that swaps or a line that drops packets."""
    with own_engine(tmp_path) as engine:
        pid, url = engine.pid, f"{engine.server_url}?send_receive_timeout=1&sync_request_timeout=1"
        writer = FactsWriter(url)
        writer.insert("signals", NAMES, _rows(1))
        writer.close()
        os.kill(pid, signal.SIGSTOP)
        try:
            said = waits_for(url, "timeout", lambda: os.kill(pid, signal.SIGCONT))
        finally:
            os.kill(pid, signal.SIGCONT)
    assert any(re.search(r"timed out \(127.0.0.1:\d+\)", line["reason"]) for line in said)
    assert len(said) <= 3


def test_a_line_that_freezes_in_the_middle_of_an_insert(engine: EngineUnderTest, url: str) -> None:
    database = url.rpartition("=")[2]
    with line(engine.port) as wire:
        through = f"clickhouse://127.0.0.1:{wire.port}/{database}?send_receive_timeout=1&compression=0"
        writer = FactsWriter(through)
        writer.insert("signals", NAMES, _rows(1))
        with wire.frozen(), pytest.raises(Unavailable, match=r"ClickHouse at 127\.0\.0\.1"):
            writer.write(_pieces(), attempts=1)
        assert writer.write(_pieces()) == ROWS
        writer.close()
    assert run_sql(url, "SELECT count() FROM signals_exact")[1] == [(ROWS,)]


def test_a_slow_line_takes_its_time(engine: EngineUnderTest, url: str) -> None:
    """The time-out is for silence, not for the whole insert."""
    database = url.rpartition("=")[2]
    with line(engine.port) as wire:
        wire.bytes_per_s = 400_000
        slow = f"clickhouse://127.0.0.1:{wire.port}/{database}?send_receive_timeout=4&compression=0"
        writer = FactsWriter(slow)
        columns = _rows(5_000)
        columns[3] = [f"signal {number} {'x' * 400}" for number in range(5_000)]
        assert writer.insert("signals", NAMES, columns) == 5_000
        assert wire.sent > 5 * wire.bytes_per_s
        writer.close()
    assert run_sql(url, "SELECT count() FROM signals_exact")[1] == [(5_000,)]
