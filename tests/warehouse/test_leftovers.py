"""A try that fails leaves nothing to the cycle collector, which comes by seldom: an outage has thousands.

A connection has buffers of megabytes, and a try holds the rows that it was to write.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import partial

import pytest
from clickhouse_driver import Client

from detectors.tables import TABLES
from streams.errors import OperationError
from streams.warehouse.hands import Hands
from streams.warehouse.packing import Piece, pack
from streams.warehouse.url import parse
from streams.warehouse.writer import FactsWriter
from tests.support.engine import EngineUnderTest, running

OURS = ("streams.warehouse", "clickhouse_driver")
TABLE = TABLES["signals"]
OF_A_KIND = {
    **dict.fromkeys(("lc", "str"), "x"),
    **dict.fromkeys(("f64", "f64n"), 1.0),
    **dict.fromkeys(("u8", "u32", "i32", "i64"), 1),
    **dict.fromkeys(("ms", "msn"), 1_700_000_000_000),
}


def pieces() -> list[Piece]:
    return pack(TABLE, TABLE.names, [[OF_A_KIND[kind]] * 50 for kind in TABLE.kinds])


@contextmanager
def left_over() -> Iterator[list[str]]:
    """What only the collector would find of ours and the driver's, by type; other threads have their own."""
    found: list[str] = []
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        yield found
        gc.collect()
        kinds = [type(one) for one in gc.garbage]
        found += [kind.__name__ for kind in kinds if kind.__module__.startswith(OURS)]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


def tried(writer: FactsWriter, rows: Sequence[Piece]) -> list[str]:
    """What three tries leave, each in a thread as a worker's are."""

    async def run() -> list[str]:
        hands = Hands(1, "facts")
        await once(hands)  # what the first one loads is no leftover
        with left_over() as found:
            for _ in range(3):
                await once(hands)
        return found

    async def once(hands: Hands) -> None:
        with suppress(OperationError):
            await hands.do(partial(writer.write, rows, 1))

    return asyncio.run(run())


def _read_only(engine: EngineUnderTest, url: str) -> None:
    engine.ask(f"ALTER TABLE {parse(url).database}.signals MODIFY SETTING table_readonly = 1")


def _gone(engine: EngineUnderTest, url: str) -> None:
    engine.ask(f"DROP TABLE {parse(url).database}.signals")


@pytest.mark.parametrize("compression", ["lz4", "0"])
@pytest.mark.parametrize("harm", [_read_only, _gone])
def test_of_what_is_refused(
    engine: EngineUnderTest, harm: Callable[[EngineUnderTest, str], None], compression: str
) -> None:
    url = engine.database()
    server = f"clickhouse://{engine.host}:{engine.port}/{parse(url).database}"
    rows = pieces()
    with closing(FactsWriter(f"{server}?compression={compression}")) as writer:
        assert writer.write(rows) == 50
        harm(engine, url)
        with pytest.raises(OperationError):
            writer.write(rows, 1)
        assert tried(writer, rows) == []


def test_of_nobody_at_home() -> None:
    with running() as engine, closing(FactsWriter(engine.migrate().server_url)) as writer:
        assert writer.write(pieces()) == 50
        engine.stop()
        # The driver's own frame keeps why a host is not there; no connection's buffers hang on it, and what
        # does is the sweep's of each minute.
        found = tried(writer, pieces())
        assert not [name for name in found if "Buffered" in name]


def test_of_rows_that_are_written_and_a_client_that_hangs_up(engine: EngineUnderTest) -> None:
    writer = FactsWriter(engine.database())
    assert tried(writer, pieces()) == []
    with left_over() as found:
        writer.insert("signals", TABLE.names, [[OF_A_KIND[kind]] for kind in TABLE.kinds])
        writer.close()
    assert found == []


def test_the_driver_alone_leaves_its_buffers(engine: EngineUnderTest) -> None:
    """Why ``LeanClient``: once this fails, it can go."""
    with left_over() as found:
        client = Client(engine.host, engine.port, compression="lz4")
        client.execute("SELECT 1")
        client.disconnect()
        del client
    assert "CompressedBufferedReader" in found
