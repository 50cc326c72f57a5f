"""The engine process: accepts clients on the loopback address until a signal, or until nobody came for long.

How it ends: (1) it accepts nobody, (2) idle clients are hung up on, (3) running statements get
``GRACE_S`` seconds to finish and are killed then, (4) chdb closes, (5) ``engine.json`` goes, the lock last.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import uuid
from collections.abc import Callable

from streams.clock import monotonic
from streams.engine.connection import Connection, Identity
from streams.engine.home import HOST, Address, Home
from streams.engine.session import EngineError, Session
from streams.engine.watch import Watch

__all__ = ["serve"]

log = logging.getLogger(__name__)

# A checkpoint's insert takes well under a second; compose and Kubernetes wait 10 s or more before they kill.
GRACE_S = 8.0
# After a kill chdb needs to come to its next block.
KILLED_GRACE_S = 2.0
# How often idleness is looked at; a signal wakes the loop at once.
ROUND_S = 0.5
BACKLOG = 128


def serve(
    home: Home, *, port: int = 0, idle_exit_s: float = 0.0, clock: Callable[[], float] = monotonic
) -> None:
    """Own ``home`` and serve until SIGTERM, SIGINT or ``idle_exit_s`` without a client (0: never).

    Raises AlreadyOwnedError, OSError (port in use, directory not writable), EngineError (chdb cannot open).
    """
    home.create()
    with home.own():
        home.clear()
        listener = socket.create_server((HOST, port), backlog=BACKLOG)
        # Kept open to the end: the first connection starts the engine inside chdb and the last one ends it.
        root = Session(str(home.database))
        engine = _Engine(home, listener, root, idle_exit_s, clock)
        try:
            engine.run()
        finally:
            home.withdraw()


class _Engine:
    def __init__(
        self,
        home: Home,
        listener: socket.socket,
        root: Session,
        idle_exit_s: float,
        clock: Callable[[], float],
    ) -> None:
        self._home = home
        self._listener = listener
        self._root = root
        self._idle_exit_s = idle_exit_s
        self._clock = clock
        self._kill_lock = threading.Lock()
        self._watch = Watch(self._kill)
        self._threads: dict[threading.Thread, Connection] = {}
        self._stop = False

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        identity = self._identity()
        self._watch.start()
        self._listener.settimeout(ROUND_S)
        port = self._listener.getsockname()[1]
        self._home.publish(Address(port, os.getpid(), identity.name))
        log.info("ready on %s:%d", HOST, port)
        last_client = self._clock()
        while not self._stop:
            try:
                sock, _ = self._listener.accept()
            except TimeoutError:
                sock = None
            if sock is not None:
                self._serve(sock, identity)
            self._threads = {thread: peer for thread, peer in self._threads.items() if thread.is_alive()}
            if self._threads:
                last_client = self._clock()
            elif self._idle_exit_s and self._clock() - last_client > self._idle_exit_s:
                log.info("no client for %.0f s", self._idle_exit_s)
                break
        self._end()

    def _on_signal(self, number: int, frame: object) -> None:
        # accept() returns only after its time-out, at most ROUND_S: PEP 475 resumes it after a handler.
        self._stop = True

    def _identity(self) -> Identity:
        ((version, timezone),) = self._root.rows("SELECT version(), timezone()")
        major, minor, patch = (int(part) for part in version.split(".")[:3])
        return Identity((major, minor, patch), timezone, f"rehuman-engine-{uuid.uuid4().hex}")

    def _serve(self, sock: socket.socket, identity: Identity) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer = Connection(sock, self._home, identity, self._watch)
        # A daemon, so that a statement that never ends cannot keep the process alive for ever.
        thread = threading.Thread(target=peer.serve, name="client", daemon=True)
        self._threads[thread] = peer
        thread.start()

    def _kill(self, mark: str) -> None:
        with self._kill_lock:
            try:
                self._root.kill(mark)
            except EngineError as fault:
                log.warning("a query could not be stopped: code %d", fault.code)

    def _end(self) -> None:
        self._listener.close()
        for peer in self._threads.values():
            peer.hang_up()
        if not self._join(GRACE_S):
            self._watch.interrupt_all()
            if not self._join(KILLED_GRACE_S):
                log.warning("statements still running; leaving without them")
                self._home.withdraw()
                # A thread inside chdb would crash the interpreter's orderly exit.
                os._exit(1)
        self._watch.stop()
        self._root.close()
        log.info("stopped")

    def _join(self, seconds: float) -> bool:
        deadline = self._clock() + seconds
        for thread in self._threads:
            thread.join(timeout=max(0.0, deadline - self._clock()))
        return not any(thread.is_alive() for thread in self._threads)
