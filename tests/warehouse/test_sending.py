"""What we take of ``clickhouse-driver``'s inside, and what a server says in the middle of an insert.

The driver calls :meth:`PieceClient.send_data` where it would write columns. A version that does it otherwise
fails here, with the name of what has changed.
"""

from __future__ import annotations

import inspect
import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from clickhouse_driver import Client
from clickhouse_driver.connection import Connection
from clickhouse_driver.protocol import ServerPacketTypes

from detectors.tables import CLICKHOUSE_TYPES, TABLES
from streams.engine import native, packets, wire
from streams.warehouse.errors import SchemaMismatch, Unavailable
from streams.warehouse.packing import Piece, body, pack
from streams.warehouse.query import run_sql
from streams.warehouse.sending import DATA, END, PieceClient
from streams.warehouse.writer import FactsWriter
from tests.support.engine import EngineUnderTest
from tests.warehouse.test_writer import NAMES, _rows

FULL = "DB::Exception: Cannot write: /var/lib/jane: No space left on device"


def test_what_the_driver_must_have() -> None:
    assert list(inspect.signature(Client.send_data).parameters) == list(
        inspect.signature(PieceClient.send_data).parameters
    )
    insert = inspect.getsource(Client.process_insert_query)
    assert "self.send_data(sample_block, data," in insert, "the hook of PieceClient"
    assert "receive_sample_block" in insert, "the columns that a server wants"
    arguments = inspect.signature(Connection.__init__).parameters
    assert {"client_revision", "disable_reconnect", "sync_request_timeout"} <= arguments.keys()
    connection = Connection("localhost")
    for name in ("socket", "compression", "receive_packet", "send_receive_timeout"):
        assert hasattr(connection, name), name
    assert ServerPacketTypes.EXCEPTION == 2


@pytest.mark.parametrize("compression", ["lz4", "0"])
def test_a_large_insert_is_many_frames_and_one_block(
    engine: EngineUnderTest, url: str, compression: str
) -> None:
    database = url.rpartition("=")[2]
    writer = FactsWriter(f"clickhouse://127.0.0.1:{engine.port}/{database}?compression={compression}")
    columns = _rows(100_000)
    parts = [[column[at : at + 4_000] for column in columns] for at in range(0, 100_000, 4_000)]
    pieces = [piece for part in parts for piece in pack(TABLES["signals"], NAMES, part)]
    assert writer.write(pieces) == 100_000
    writer.close()
    query = "SELECT count(), uniqExact(fact_id), sum(points), uniqExact(_part) FROM signals"
    assert run_sql(url, query)[1] == [(100_000, 100_000, pytest.approx(sum(columns[2])), 1)]


class Prompt:
    """A connection's socket on whose other side somebody answers the end of an insert at once."""

    def __init__(self, real: socket.socket) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def sendall(self, data: bytes) -> None:
        self._real.sendall(data)
        if data == END:
            select.select([self._real], [], [], 30)


@contextmanager
def server(behave: Callable[[socket.socket, wire.Source], None]) -> Iterator[int]:
    """A server that greets, hears an insert and gives its columns; then it does as it is told."""

    def serve() -> None:
        peer, _ = listener.accept()
        with peer:
            raw = wire.from_socket(peer)
            assert raw.varint() == packets.HELLO
            packets.read_hello(raw)
            peer.sendall(packets.hello((26, 9, 2), "UTC", "test"))
            while (kind := raw.varint()) == packets.PING:
                peer.sendall(packets.pong())
            assert kind == packets.QUERY
            packets.read_query(raw, packets.REVISION)
            columns = {column.name: CLICKHOUSE_TYPES[column.kind] for column in TABLES["signals"].columns}
            header = native.header_block([(name, columns[name]) for name in NAMES])
            peer.sendall(packets.data(header.body, compressed=False))
            behave(peer, raw)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(10)


def test_an_answer_that_is_there_at_once_is_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not taken for something said in between, after which the true one would be waited for in vain."""
    pieces = pack(TABLES["signals"], NAMES, _rows(2))
    sent, over = PieceClient.send_data, threading.Event()

    def send_data(client: PieceClient, *arguments: Any, **named: Any) -> int:
        client.connection.socket = Prompt(client.connection.socket)
        return sent(client, *arguments, **named)

    def behave(peer: socket.socket, raw: wire.Source) -> None:
        # The driver's empty block (no tables come with the query), and ours.
        raw.take(len(DATA + END + DATA + body(pieces) + DATA + END))
        peer.sendall(packets.end_of_stream())
        over.wait(10)

    monkeypatch.setattr(PieceClient, "send_data", send_data)
    with server(behave) as port:
        writer = FactsWriter(f"clickhouse://127.0.0.1:{port}/rehuman?compression=0&send_receive_timeout=5")
        assert writer.write(pieces, attempts=1) == 2
        over.set()
    writer.close()


def _refused(port: int, pieces: list[Piece]) -> Unavailable:
    writer = FactsWriter(f"clickhouse://127.0.0.1:{port}/rehuman?compression=0&send_receive_timeout=5")
    with pytest.raises(Unavailable) as raised:
        writer.write(pieces, attempts=1)
    writer.close()
    assert "jane" not in str(raised.value)
    return raised.value


def _many() -> list[Piece]:
    columns = _rows(40_000)
    columns[0] = [f"{fact}{'x' * 100}" for fact in columns[0]]
    return pack(TABLES["signals"], NAMES, columns)


def test_a_refusal_in_the_middle_is_heard_before_all_is_sent() -> None:
    over = threading.Event()
    received = 0

    def behave(peer: socket.socket, raw: wire.Source) -> None:
        nonlocal received
        raw.take(100_000)  # an insert is well under way
        peer.sendall(packets.exception(75, FULL))
        peer.settimeout(5)
        while not over.is_set() and (part := peer.recv(65_536)):
            received += len(part)

    with server(behave) as port:
        refused = _refused(port, _many())
        over.set()
    assert (refused.kind, "code 75" in str(refused)) == ("disk_full", True)
    assert received < 4_000_000


def test_a_server_that_says_why_and_hangs_up_is_understood() -> None:
    def behave(peer: socket.socket, raw: wire.Source) -> None:
        raw.take(100_000)
        peer.sendall(packets.exception(241, "DB::Exception: Memory limit (total) exceeded: jane"))

    with server(behave) as port:
        assert _refused(port, _many()).kind in ("memory", "unreachable")


def test_a_server_that_hangs_up_without_a_word_is_unreachable() -> None:
    with server(lambda peer, raw: None) as port:
        assert _refused(port, _many()).kind == "unreachable"


def test_a_server_that_says_nothing_at_the_end_is_a_time_out() -> None:
    over = threading.Event()

    def behave(peer: socket.socket, raw: wire.Source) -> None:
        peer.settimeout(0.1)
        while not over.is_set():
            try:
                peer.recv(1 << 20)
            except TimeoutError:
                continue

    with server(behave) as port:
        refused = _refused(port, pack(TABLES["signals"], NAMES, _rows(10)))
        over.set()
    assert refused.kind == "timeout"
    assert "says nothing during an insert into signals" in str(refused)


def test_columns_of_other_types_are_found_before_anything_is_sent(engine: EngineUnderTest, url: str) -> None:
    run_sql(url, "ALTER TABLE signals MODIFY COLUMN signal String")
    writer = FactsWriter(url)
    with pytest.raises(SchemaMismatch, match=r"signals\.signal is String; it should be LowCardinality"):
        writer.insert("signals", NAMES, _rows(10))
    writer.close()
    assert run_sql(url, "SELECT count() FROM signals")[1] == [(0,)]
