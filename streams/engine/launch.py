"""Find the engine of a directory, or start it: what every command does with an ``embedded://`` URL.

Starting is safe under races: each starter's process tries for the directory's lock, one gets it, the others
end at once and everybody uses the winner.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from clickhouse_driver.connection import Connection

from streams.clock import monotonic
from streams.engine.home import HOST, Address, Home
from streams.errors import OperationError

__all__ = ["IDLE_EXIT_S", "ensure_running", "find", "stop"]

# An engine that a command started leaves by itself when nobody has needed it for this long.
IDLE_EXIT_S = 600
# A start takes 0.5-1.5 s; a command that fails must say so within 10.
READY_S = 9.5
# The engine's own grace for running statements is 10 s.
STOP_S = 15.0
POLL_S = 0.05
# On the loopback address an owner that is alive answers in milliseconds unless the machine is overloaded.
HELLO_S = 3.0
ALREADY_OWNED = 3

# Its warnings carry a traceback for every refused connection; callers report the failure in one line.
logging.getLogger("clickhouse_driver").setLevel(logging.ERROR)

# Engines outlive whoever starts them; remembered only so that one that ends is no zombie of ours.
_started: list[subprocess.Popen[bytes]] = []


def find(directory: Path) -> Address | None:
    """The address of the process that owns ``directory``, or None when nobody answers there.

    The hello must carry the name in ``engine.json``: a stale file may point to somebody else's port.
    """
    address = Home(directory).address()
    if address is None:
        return None
    probe = Connection(
        HOST, address.port, connect_timeout=HELLO_S, send_receive_timeout=HELLO_S, client_name="rehuman-find"
    )
    try:
        probe.connect()
        return address if probe.server_info.display_name == address.name else None
    except Exception:
        # Whoever has that port by now may answer anything; only our own hello counts.
        return None
    finally:
        probe.disconnect()


def ensure_running(
    directory: Path, *, port: int = 0, idle_exit_s: float = IDLE_EXIT_S, wait_s: float = READY_S
) -> tuple[str, int]:
    """Host and port of ``directory``'s engine, started (on ``port``, or a free one) when nobody is at home.

    Raises OperationError when it does not answer within ``wait_s`` seconds; its log is named then.
    """
    home = Home(directory)
    deadline = monotonic() + wait_s
    _started[:] = [engine for engine in _started if engine.poll() is None]
    child: subprocess.Popen[bytes] | None = None
    while True:
        if address := find(directory):
            if child is not None and child.pid != address.pid:
                # Another was faster. One that came up after the other's end would own the directory unasked.
                child.terminate()
            return HOST, address.port
        if child is not None and child.poll() not in (None, ALREADY_OWNED):
            raise OperationError(f"the embedded engine of {home.directory} does not start; see {home.log}")
        if monotonic() > deadline:
            raise OperationError(f"the embedded engine of {home.directory} does not answer; see {home.log}")
        if (child is None or child.poll() is not None) and not home.owned():
            child = _start(home, f"--port={port}", f"--idle-exit={idle_exit_s}")
            _started.append(child)
        time.sleep(POLL_S)


def stop(directory: Path, *, wait_s: float = STOP_S) -> bool:
    """End ``directory``'s engine in good order; False when none was running.

    Raises OperationError when it has not ended within ``wait_s`` seconds.
    """
    home = Home(directory)
    address = find(directory)
    if address is None:
        return False
    os.kill(address.pid, signal.SIGTERM)
    deadline = monotonic() + wait_s
    while home.owned():
        if monotonic() > deadline:
            raise OperationError(f"the embedded engine of {home.directory} does not stop; see {home.log}")
        time.sleep(POLL_S)
    return True


def _start(home: Home, *options: str) -> subprocess.Popen[bytes]:
    try:
        home.create()
        with home.log.open("ab") as log:
            # A session of its own: Ctrl-C in the terminal of a command must not end everybody's engine.
            return subprocess.Popen(
                [sys.executable, "-m", "streams.engine", str(home.directory), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
    except OSError as error:
        raise OperationError(
            f"cannot use {home.directory} for the embedded engine: {error.strerror}"
        ) from error
