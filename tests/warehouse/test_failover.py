"""Several hosts: whichever way the first one fails, the second one takes the rows."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from streams.warehouse.client import connect
from streams.warehouse.query import run_sql
from streams.warehouse.writer import FactsWriter
from tests.support.engine import EngineUnderTest, running
from tests.warehouse.proxy import Line, line
from tests.warehouse.test_writer import NAMES, _rows

ROWS = 20_000


def _url(url: str, first: Line, second: Line, options: str = "") -> str:
    database = url.rpartition("=")[2]
    hosts = f"127.0.0.1:{first.port}/{database}?alt_hosts=127.0.0.1:{second.port}"
    return f"clickhouse://{hosts}&compression=0{options}"


def _stored(url: str) -> int:
    ((count,),) = run_sql(url, "SELECT count() FROM signals_exact")[1]
    return int(count)


def test_the_first_host_dies_in_the_middle_of_an_insert(engine: EngineUnderTest, url: str) -> None:
    with line(engine.port) as first, line(engine.port) as second:
        first.bytes_per_s = 300_000
        writer = FactsWriter(_url(url, first, second))
        done: list[int] = []
        thread = threading.Thread(target=lambda: done.append(writer.insert("signals", NAMES, _rows(ROWS))))
        thread.start()
        deadline = time.monotonic() + 30
        while first.sent < 200_000:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert second.accepted == 0
        first.cut()
        thread.join(60)
        assert done == [ROWS]
        assert second.accepted == 1
    assert _stored(url) == ROWS


def test_it_stays_with_the_second_and_comes_back_when_that_fails(engine: EngineUnderTest, url: str) -> None:
    with line(engine.port) as first, line(engine.port) as second:
        writer = FactsWriter(_url(url, first, second), sleep=lambda _: None)
        for number, (down, up) in enumerate([(first, second), (second, first), (first, second)]):
            up.mend()
            down.cut()
            before = up.accepted
            columns = _rows(100)
            columns[0] = [f"{number}-{row}" for row in range(100)]
            assert writer.insert("signals", NAMES, columns) == 100
            assert up.accepted == before + 1
            # The next one goes straight there.
            knocks = down.accepted
            assert writer.insert("signals", NAMES, columns) == 100
            assert down.accepted == knocks
        writer.close()
    assert _stored(url) == 300


@pytest.mark.parametrize("how", ["hangs up", "says nothing"])
def test_a_host_that_takes_connections_and_no_more(engine: EngineUnderTest, url: str, how: str) -> None:
    """A proxy or a load balancer whose server is gone."""
    with line(engine.port) as first, line(engine.port) as second:
        if how == "hangs up":
            first.cut()
        with first.frozen():
            client = connect(_url(url, first, second))
            assert client.execute("SELECT 1") == [(1,)]
            client.disconnect()
        assert first.accepted >= 1


def test_a_host_that_refuses_is_left_for_one_that_does_not(engine: EngineUnderTest, tmp_path: Path) -> None:
    with running(tmp_path) as other:
        other.migrate()
        engine.migrate()
        client = connect(engine.url)
        client.execute("ALTER TABLE signals MODIFY SETTING table_readonly = 1")
        try:
            hosts = f"127.0.0.1:{engine.port}/rehuman?alt_hosts=127.0.0.1:{other.port}"
            writer = FactsWriter(f"clickhouse://{hosts}", sleep=lambda _: None)
            assert writer.insert("signals", NAMES, _rows(50)) == 50
            writer.close()
        finally:
            client.execute("ALTER TABLE signals RESET SETTING table_readonly")
            client.disconnect()
        assert _stored(other.url) == 50
