"""A current ClickHouse for tests: the embedded engine as a real process, spoken to with the real driver.

``shared()`` gives one engine for the whole test run, and ``database()`` a database of one's own on it;
tests that stop or kill an engine start theirs with ``running()``.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any

from clickhouse_driver import Client

from streams.engine import launch
from streams.engine.home import HOST, Home
from streams.engine.launch import ensure_running, find, stop
from streams.ports import free_port
from streams.warehouse.migrate import migrate

__all__ = ["EngineUnderTest", "running", "shared"]

# A start takes 0.5-1.5 s alone; other tests' brokers may be starting on the same two cores.
READY_S = 60.0
# Should a test run be killed, its engines leave by themselves.
IDLE_EXIT_S = 300.0

_numbers = count(1)


class EngineUnderTest:
    """One engine directory and the process that owns it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.host = HOST
        self.port = free_port()

    @property
    def url(self) -> str:
        """The default database (``rehuman``) of this engine; migrated only if ``migrate`` has been called."""
        return f"embedded://{self.directory}"

    @property
    def server_url(self) -> str:
        """The same database as of a server: a client of this URL waits for the engine and starts none."""
        return f"clickhouse://{self.host}:{self.port}/rehuman"

    def start(self) -> EngineUnderTest:
        """Start the process, each time on the same port, or find it running."""
        self.host, self.port = ensure_running(
            self.directory, port=self.port, idle_exit_s=IDLE_EXIT_S, wait_s=READY_S
        )
        return self

    def stop(self) -> None:
        """SIGTERM, and wait until it has gone."""
        address = find(self.directory)
        stop(self.directory, wait_s=READY_S)
        for process in launch._started:
            if address is not None and process.pid == address.pid:
                process.wait(READY_S)

    def kill(self) -> None:
        """SIGKILL, and wait until the directory is free."""
        os.kill(self.pid, signal.SIGKILL)
        deadline = time.monotonic() + READY_S
        while Home(self.directory).owned():
            assert time.monotonic() < deadline, "a killed engine still owns its directory"
            time.sleep(0.02)

    @property
    def pid(self) -> int:
        """The process's id; fails when it does not run."""
        address = find(self.directory)
        assert address is not None, f"no engine runs in {self.directory}"
        return address.pid

    def migrate(self) -> EngineUnderTest:
        """Bring the default database to the current schema."""
        migrate(self.url)
        return self

    def database(self, *, migrated: bool = True) -> str:
        """URL of a database that nobody else uses, migrated unless told otherwise."""
        url = f"{self.url}?database=test_{next(_numbers)}"
        if migrated:
            migrate(url)
        return url

    def client(self, **options: Any) -> Client:
        """A plain driver client on the server's default database."""
        return Client(self.host, self.port, **options)

    def ask(self, sql: str) -> Any:
        """The result of one statement, through a client of its own."""
        client = self.client()
        try:
            return client.execute(sql)
        finally:
            client.disconnect()


@contextmanager
def running(directory: Path | None = None) -> Iterator[EngineUnderTest]:
    """An engine of one's own in ``directory`` (a temporary one otherwise), stopped at the end."""
    place = directory or Path(tempfile.mkdtemp(prefix="rehuman-engine-"))
    engine = EngineUnderTest(place).start()
    try:
        yield engine
    finally:
        engine.stop()
        if directory is None:
            shutil.rmtree(place, ignore_errors=True)


@lru_cache(maxsize=1)
def shared() -> EngineUnderTest:
    """The one engine of this test run, started at the first call and stopped at exit; use ``database()``."""
    context = running()
    engine = context.__enter__()
    # Several minutes of other tests are no reason to leave: a client stays for as long as this process lives.
    client = engine.client()
    client.execute("SELECT 1")
    atexit.register(context.__exit__, None, None, None)
    atexit.register(client.disconnect)
    return engine
