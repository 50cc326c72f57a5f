"""The engine as a process: starting, racing, dying, coming back, leaving."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from clickhouse_driver import errors

from streams.engine import launch
from streams.engine.home import Address, Home
from streams.engine.launch import ensure_running, find, stop
from streams.errors import OperationError
from tests.support.engine import READY_S, EngineUnderTest, running

TABLE = "CREATE TABLE IF NOT EXISTS t (batch UInt32, n UInt32) ENGINE = MergeTree ORDER BY (batch, n)"


def test_whoever_finds_nobody_at_home_starts_one_and_others_use_it(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as starters:
        addresses = list(starters.map(lambda _: ensure_running(tmp_path, wait_s=READY_S), range(4)))
    try:
        assert len(set(addresses)) == 1
        host, port = addresses[0]
        assert host == "127.0.0.1"
        assert find(tmp_path) is not None
        assert ensure_running(tmp_path) == (host, port)
    finally:
        assert stop(tmp_path, wait_s=READY_S)
    assert Home(tmp_path).address() is None
    assert not Home(tmp_path).owned()
    assert not stop(tmp_path)


def test_a_process_that_starts_slower_than_another_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Coming up after the other had ended, it would have owned the directory with nobody knowing."""
    faster, slower = launch._start, subprocess.Popen(["sleep", "600"])

    def start(home: Home, *options: str) -> subprocess.Popen[bytes]:
        faster(home, *options)
        return slower

    monkeypatch.setattr(launch, "_start", start)
    try:
        ensure_running(tmp_path, wait_s=READY_S)
        assert slower.wait(READY_S) == -signal.SIGTERM
    finally:
        stop(tmp_path, wait_s=READY_S)
        slower.kill()


def test_a_second_owner_is_refused_and_harms_nobody(tmp_path: Path) -> None:
    with running(tmp_path) as engine:
        second = subprocess.run(
            [sys.executable, "-m", "streams.engine", str(tmp_path)],
            capture_output=True,
            text=True,
            timeout=READY_S,
            check=False,
        )
        assert second.returncode == 3
        assert f"another process owns {tmp_path}" in second.stderr
        assert engine.ask("SELECT 1") == [(1,)]


def test_kill_9_loses_no_acknowledged_batch(tmp_path: Path) -> None:
    with running(tmp_path) as engine:
        engine.ask(TABLE)
        acknowledged: list[int] = []

        def write() -> None:
            client = engine.client(compression="lz4")
            try:
                for batch in range(10_000):
                    client.execute("INSERT INTO t VALUES", [[batch] * 200, list(range(200))], columnar=True)
                    acknowledged.append(batch)
            except (errors.Error, EOFError, OSError):
                client.disconnect()

        for _ in range(2):
            acknowledged.clear()
            engine.ask("TRUNCATE TABLE t")
            writer = threading.Thread(target=write)
            writer.start()
            while len(acknowledged) < 20:
                time.sleep(0.01)
            engine.kill()
            writer.join(timeout=30)
            old = Home(tmp_path).address()
            engine.start()
            assert old != Home(tmp_path).address()
            found = dict(engine.ask("SELECT batch, count() FROM t GROUP BY batch"))
            assert {batch: found.get(batch) for batch in acknowledged} == dict.fromkeys(acknowledged, 200)
            assert len(found) <= len(acknowledged) + 1


def test_sigterm_lets_a_running_insert_finish(tmp_path: Path) -> None:
    with running(tmp_path) as engine:
        client = engine.client()
        client.execute(TABLE)
        process = engine.pid
        ended = []
        statement = "INSERT INTO t SELECT sleepEachRow(0.5), number FROM numbers(4) SETTINGS max_block_size=1"
        writer = threading.Thread(target=lambda: ended.append(client.execute(statement)))
        writer.start()
        time.sleep(0.5)
        os.kill(process, signal.SIGTERM)
        writer.join(timeout=30)
        client.disconnect()
        assert ended == [[]]
        _until_free(tmp_path)
        assert Home(tmp_path).address() is None
        engine.start()
        assert engine.ask("SELECT count() FROM t") == [(4,)]


def test_a_stale_address_is_not_believed(tmp_path: Path) -> None:
    """Also not when somebody else listens on that port by now."""
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        stale = Address(stranger.getsockname()[1], os.getpid(), "rehuman-engine-of-yesterday")
        answering = threading.Thread(target=_answer_with_noise, args=(stranger,), daemon=True)
        answering.start()
        Home(tmp_path).publish(stale)
        assert find(tmp_path) is None
        with running(tmp_path) as engine:
            assert engine.port != stale.port
            assert engine.ask("SELECT 1") == [(1,)]


def test_an_engine_that_nobody_needs_leaves_by_itself(tmp_path: Path) -> None:
    ensure_running(tmp_path, idle_exit_s=0.5, wait_s=READY_S)
    _until_free(tmp_path)
    assert Home(tmp_path).address() is None


def test_a_client_keeps_an_engine_from_leaving(tmp_path: Path) -> None:
    host, port = ensure_running(tmp_path, idle_exit_s=0.5, wait_s=READY_S)
    engine = EngineUnderTest(tmp_path)
    engine.host, engine.port = host, port
    client = engine.client()
    client.execute("SELECT 1")
    time.sleep(2)
    assert find(tmp_path) is not None
    client.disconnect()
    _until_free(tmp_path)


def test_a_directory_that_cannot_be_used_is_said_in_one_line(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    with pytest.raises(OperationError, match=r"cannot use .*file") as raised:
        ensure_running(blocked)
    assert "\n" not in str(raised.value)


def test_an_engine_that_cannot_start_is_said_at_once_and_names_its_log(tmp_path: Path) -> None:
    (tmp_path / "db").write_text("no chdb directory")
    started = time.monotonic()
    with pytest.raises(OperationError, match=r"does not start; see .*engine\.log"):
        ensure_running(tmp_path, wait_s=READY_S)
    assert time.monotonic() - started < READY_S / 2


def test_what_a_dead_owner_was_receiving_is_cleared_away(tmp_path: Path) -> None:
    rest = tmp_path / "incoming" / "rest.native"
    rest.parent.mkdir()
    rest.write_bytes(b"half a block")
    with running(tmp_path):
        assert not rest.exists()


def _until_free(directory: Path) -> None:
    deadline = time.monotonic() + READY_S
    while Home(directory).owned():
        assert time.monotonic() < deadline, "the engine does not leave"
        time.sleep(0.05)


def _answer_with_noise(server: socket.socket) -> None:
    try:
        while True:
            peer, _ = server.accept()
            with peer:
                peer.sendall(b"220 mail.example ready\r\n")
    except OSError:
        return
