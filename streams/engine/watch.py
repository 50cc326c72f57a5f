"""Hears a client that interrupts its running query: a cancel packet, or the end of the connection.

While a query runs its thread is inside chdb and cannot read; a client has nothing to send then but a cancel,
so a readable socket means that nobody wants the result any more.
"""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["Watch"]

# How soon a cancel is noticed; nothing is polled while no query runs.
INTERVAL_S = 0.1


class Watch:
    """One thread that looks at the sockets of all running queries."""

    def __init__(self, kill: Callable[[str], None]) -> None:
        """``kill`` is called with the mark of a query that was interrupted, from the watching thread."""
        self._kill = kill
        self._running: dict[int, tuple[str, threading.Event]] = {}
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._look, name="watch", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._thread.join(timeout=5)

    @contextmanager
    def over(self, sock: socket.socket, mark: str) -> Iterator[threading.Event]:
        """Watch ``sock`` while the query ``mark`` runs; the event is set when it was interrupted."""
        interrupted = threading.Event()
        descriptor = sock.fileno()
        with self._changed:
            self._running[descriptor] = (mark, interrupted)
            self._changed.notify()
        try:
            yield interrupted
        finally:
            with self._changed:
                self._running.pop(descriptor, None)

    def interrupt_all(self) -> None:
        """Stop every running query: the engine must end."""
        with self._changed:
            running = list(self._running.values())
        for mark, interrupted in running:
            interrupted.set()
            self._kill(mark)

    def _look(self) -> None:
        while True:
            with self._changed:
                while not self._running and not self._ended:
                    self._changed.wait()
                if self._ended:
                    return
                watched = dict(self._running)
            for mark, interrupted in self._heard(watched):
                interrupted.set()
                self._kill(mark)

    def _heard(self, watched: dict[int, tuple[str, threading.Event]]) -> list[tuple[str, threading.Event]]:
        poller = select.poll()
        for descriptor in watched:
            poller.register(descriptor, select.POLLIN)
        heard = [descriptor for descriptor, _ in poller.poll(INTERVAL_S * 1000)]
        with self._changed:
            # What was heard may be the client's next query: only the query that was watched is meant.
            return [
                self._running.pop(descriptor)
                for descriptor in heard
                if self._running.get(descriptor) == watched[descriptor]
            ]
