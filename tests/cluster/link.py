"""A link to a broker that can hold back what a client sends, from a chosen request on: a network's delay."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

__all__ = ["Link", "is_produce_to"]

PRODUCE = 0


def is_produce_to(topic: str) -> Callable[[bytes], bool]:
    """Whether a request writes to a topic; a request begins with its api's number."""
    return lambda request: int.from_bytes(request[:2], "big") == PRODUCE and topic.encode() in request


class Link:
    """Listens on a port and passes everything on to another, request by request."""

    def __init__(self, port: int, to_port: int) -> None:
        self._to_port = to_port
        self._server = socket.create_server(("127.0.0.1", port))
        self._sockets: list[socket.socket] = []
        self._hold_from: Callable[[bytes], bool] | None = None
        self.held = threading.Event()
        self._flows = threading.Event()
        self._flows.set()
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def hold_from(self, request: Callable[[bytes], bool]) -> None:
        """From the first such request on nothing of any connection gets through; :attr:`held` tells."""
        self._hold_from = request

    def release(self) -> None:
        """Let everything through that waits, in order."""
        self._hold_from = None
        self._flows.set()

    def close(self) -> None:
        """End all connections."""
        self.release()
        for each in (self._server, *self._sockets):
            with suppress(OSError):
                each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                broker = socket.create_connection(("127.0.0.1", self._to_port))
                self._sockets += [client, broker]
                threading.Thread(target=self._requests, args=(client, broker), daemon=True).start()
                threading.Thread(target=self._answers, args=(broker, client), daemon=True).start()

    def _requests(self, client: socket.socket, broker: socket.socket) -> None:
        with suppress(OSError):
            while size := _exactly(client, 4):
                request = _exactly(client, int.from_bytes(size, "big"))
                with self._lock:
                    if self._hold_from is not None and self._hold_from(request):
                        self._hold_from = None
                        self._flows.clear()
                        self.held.set()
                self._flows.wait()
                broker.sendall(size + request)
            broker.shutdown(socket.SHUT_WR)

    def _answers(self, broker: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while data := broker.recv(65536):
                client.sendall(data)
            client.shutdown(socket.SHUT_WR)


def _exactly(source: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = source.recv(count - len(data))
        if not part:
            return b""
        data += part
    return data
