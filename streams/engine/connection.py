"""One client connection: packets in, packets out, in a thread of its own."""

from __future__ import annotations

import logging
import socket
import uuid
from typing import NamedTuple

from streams.engine import native, packets, statements, wire
from streams.engine.home import Home
from streams.engine.incoming import Incoming
from streams.engine.session import NOT_IMPLEMENTED, EngineError, Session
from streams.engine.watch import Watch

__all__ = ["Connection", "Identity"]

log = logging.getLogger(__name__)

# Codes of ClickHouse: a client that sends what it must not, a disk that is full.
UNEXPECTED_PACKET, NOT_ENOUGH_SPACE = 101, 243


class Identity(NamedTuple):
    """What the engine says of itself in its hello."""

    version: tuple[int, int, int]
    timezone: str
    name: str


class Connection:
    """Serves one socket until the client leaves, breaks the protocol, or the engine stops."""

    def __init__(self, sock: socket.socket, home: Home, identity: Identity, watch: Watch) -> None:
        self._sock = sock
        self._home = home
        self._identity = identity
        self._watch = watch
        self._raw = wire.from_socket(sock)
        self._frames = wire.from_frames(self._raw)
        self._revision = packets.REVISION
        self.busy = False
        self.stopping = False

    def serve(self) -> None:
        """Answer until the end; closes the socket. Never raises."""
        try:
            session = self._greet()
            try:
                while not self.stopping and self._answer(session):
                    self._raw.forget()
            finally:
                session.close()
        except (EOFError, OSError):
            log.debug("client left")
        except EngineError as fault:
            self._last_word(fault.code, str(fault))
        except (wire.ProtocolError, native.UnsupportedTypeError) as error:
            log.warning("protocol error: %s", error)
            self._last_word(UNEXPECTED_PACKET, f"DB::Exception: {error}. (UNEXPECTED_PACKET_FROM_CLIENT)")
        finally:
            self._sock.close()

    def hang_up(self) -> None:
        """Make an idle connection end: its next read finds nothing. A busy one ends after its query."""
        self.stopping = True
        if not self.busy:
            try:
                self._sock.shutdown(socket.SHUT_RD)
            except OSError:
                log.debug("already closed")

    def _last_word(self, code: int, message: str) -> None:
        try:
            self._sock.sendall(packets.exception(code, message))
        except OSError:
            log.debug("client left before the error")

    def _greet(self) -> Session:
        if self._raw.varint() != packets.HELLO:
            raise wire.ProtocolError("no hello")
        hello = packets.read_hello(self._raw)
        self._revision = min(hello.revision, packets.REVISION)
        session = Session(str(self._home.database), hello.database)
        self._sock.sendall(packets.hello(*self._identity))
        return session

    def _answer(self, session: Session) -> bool:
        try:
            kind = self._raw.varint()
        except EOFError:
            return False
        if kind == packets.PING:
            self._sock.sendall(packets.pong())
        elif kind == packets.QUERY:
            self.busy = True
            try:
                self._query(session)
            finally:
                self.busy = False
        elif kind != packets.CANCEL:  # one that crossed the end of its query is nothing to answer
            raise wire.ProtocolError(f"unexpected packet type {kind}")
        return True

    def _query(self, session: Session) -> None:
        query = packets.read_query(self._raw, self._revision)
        outside = 0
        while rows := self._read_data(query.compressed).rows:
            outside += rows
        try:
            if outside:
                raise EngineError(
                    NOT_IMPLEMENTED,
                    "DB::Exception: external tables are not supported. (NOT_IMPLEMENTED)",
                )
            session.apply(query.settings)
            statement = statements.read(query.sql)
            if statement.insert:
                self._insert(session, statement.insert, query.compressed)
            else:
                self._run(session, statement, query.compressed)
        except EngineError as fault:
            self._sock.sendall(packets.exception(fault.code, str(fault)))

    def _run(self, session: Session, statement: statements.Statement, compressed: bool) -> None:
        mark = f"engine {uuid.uuid4().hex}"
        with self._watch.over(self._sock, mark) as interrupted:
            try:
                for block in session.run(statement, mark):
                    if interrupted.is_set():
                        break
                    packet = packets.data(block.body, compressed=compressed)
                    self._sock.sendall(packet + packets.progress(block.rows, len(block.body)))
            except EngineError:
                # The client asked for the end, so the end is not an error.
                if not interrupted.is_set():
                    raise
        self._sock.sendall(packets.end_of_stream())

    def _insert(self, session: Session, insert: statements.Insert, compressed: bool) -> None:
        self._sock.sendall(packets.data(session.columns(insert).body, compressed=compressed))
        with Incoming(self._home.incoming) as incoming:
            while (block := self._read_data(compressed)).rows:
                incoming.take(block.rows, block.body)
            if incoming.failure:
                raise EngineError(NOT_ENOUGH_SPACE, f"DB::Exception: {incoming.failure}. (NOT_ENOUGH_SPACE)")
            if incoming.rows:
                session.insert(insert, incoming.path)
        # Said when the file is gone, so that who is told of the end finds nothing left over.
        written = packets.progress(0, 0, incoming.rows, incoming.size)
        self._sock.sendall(written + packets.end_of_stream())

    def _read_data(self, compressed: bool) -> native.Block:
        kind = self._raw.varint()
        if kind == packets.CANCEL:
            raise EOFError
        if kind != packets.DATA:
            raise wire.ProtocolError(f"packet type {kind} where a block should be")
        self._raw.text()  # name of an external table
        return native.read_block(self._frames if compressed else self._raw, info=True)
