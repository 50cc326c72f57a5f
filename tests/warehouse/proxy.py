"""A line between a client and a server that a test can cut, freeze and slow down."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["Line", "line"]

# Small enough that a slow line is slow from the first bytes on.
PART = 16 * 1024
# Closing with this makes a reset of it, as a host that dies does.
RESET = struct.pack("ii", 1, 0)


class Line:
    """Listens on a port of its own and passes everything on to ``server_port`` of this machine."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open = threading.Event()
        self._open.set()
        self._flows = threading.Event()
        self._flows.set()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self.bytes_per_s = 0.0
        self.sent = 0
        self.accepted = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Reset every connection, and every new one at once."""
        self._open.clear()
        for pair in self._pairs:
            for end in pair:
                _reset(end)
        self._pairs.clear()

    def mend(self) -> None:
        """Take connections again."""
        self._open.set()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Pass nothing on inside the block; connections stay open, and new ones are taken."""
        self._flows.clear()
        try:
            yield
        finally:
            self._flows.set()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            if not self._open.is_set():
                _reset(client)
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self._server_port), timeout=10)
            except OSError:
                _reset(client)
                continue
            server.settimeout(None)
            # Otherwise the kernel would take megabytes at once from whoever sends.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * PART)
            self._pairs.append((client, server))
            for source, target, limited in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._pass, args=(source, target, limited), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, limited: bool) -> None:
        with suppress(OSError):
            while part := source.recv(PART):
                self._flows.wait()
                target.sendall(part)
                if limited:
                    self.sent += len(part)
                    if self.bytes_per_s:
                        time.sleep(len(part) / self.bytes_per_s)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End it all."""
        self._flows.set()
        self._listener.close()
        self.cut()


def _reset(end: socket.socket) -> None:
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        end.close()


@contextmanager
def line(server_port: int) -> Iterator[Line]:
    """A :class:`Line` for the block."""
    found = Line(server_port)
    try:
        yield found
    finally:
        found.close()
