"""Nobody at home, or somebody else: one line, soon, without the password."""

from __future__ import annotations

import logging
import socket
import threading
import time
from pathlib import Path

import pytest

from streams.errors import OperationError
from streams.warehouse.client import connect
from streams.warehouse.errors import SchemaMismatch
from tests.support.engine import EngineUnderTest


def _fails(url: str) -> str:
    started = time.monotonic()
    with pytest.raises(OperationError) as raised:
        connect(url)
    assert time.monotonic() - started < 10
    message = str(raised.value)
    assert "\n" not in message
    assert "geheim" not in message
    return message


def test_nobody_listens(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="root"):
        message = _fails("clickhouse://u:geheim@127.0.0.1:1/?alt_hosts=127.0.0.1:2")
    assert message.startswith("ClickHouse at 127.0.0.1:1,127.0.0.1:2 does not answer: ")
    assert caplog.records == []


def test_an_unknown_host() -> None:
    assert "does not answer" in _fails("clickhouse://u:geheim@no-such-host.invalid/")


@pytest.mark.parametrize("secure", [0, 1])
def test_somebody_who_says_nothing(secure: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        message = _fails(f"clickhouse://u:geheim@127.0.0.1:{port}/?secure={secure}&verify=0")
    assert message == f"ClickHouse at 127.0.0.1:{port} does not answer: timed out (127.0.0.1:{port})"


@pytest.mark.parametrize("words", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b""])
def test_somebody_who_speaks_something_else(words: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            peer, _ = server.accept()
            with peer:
                peer.recv(1024)
                peer.sendall(words)

        threading.Thread(target=answer, daemon=True).start()
        message = _fails(f"clickhouse://u:geheim@127.0.0.1:{server.getsockname()[1]}/")
    assert "does not speak" in message or "hung up" in message


def test_another_host_takes_over(engine: EngineUnderTest) -> None:
    client = connect(f"clickhouse://127.0.0.1:1/system?alt_hosts=127.0.0.1:{engine.port}")
    assert client.execute("SELECT 1") == [(1,)]
    client.disconnect()


def test_no_database_yet(engine: EngineUnderTest) -> None:
    with pytest.raises(SchemaMismatch, match="has no database absent; 'rehuman migrate' makes it"):
        connect(f"{engine.url}?database=absent")


def test_what_a_host_refuses_says_more_than_silence(engine: EngineUnderTest) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hosts = [f"127.0.0.1:{engine.port}", f"127.0.0.1:{silent.getsockname()[1]}"]
        for first, second in (hosts, hosts[::-1]):
            with pytest.raises(SchemaMismatch, match="has no database absent"):
                connect(f"clickhouse://{first}/absent?alt_hosts={second}")


def test_an_embedded_directory_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot use" in _fails(f"embedded://{tmp_path}/file")


def test_settings_go_with_every_statement(engine: EngineUnderTest) -> None:
    client = connect(engine.url, database="", settings={"max_threads": 1})
    for _ in range(2):
        assert client.execute("SELECT getSetting('max_threads')") == [(1,)]
    client.disconnect()
