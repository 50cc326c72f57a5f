"""Packets of the native protocol at the one revision that the engine announces.

Field lists: ClickHouse ``src/Server/TCPHandler.cpp`` and ``src/Core/Protocol.h``. Both sides speak the lower
of their two revisions; ours is fixed, so older clients are refused and newer ones step down.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from streams.engine.wire import ProtocolError, Source, compress, text, varint

__all__ = [
    "CANCEL", "DATA", "HELLO", "PING", "QUERY", "REVISION", "Hello", "Query",
    "data", "end_of_stream", "exception", "hello", "pong", "progress", "read_hello", "read_query",
]  # fmt: skip

# The newest revision before 54453-54456, from where blocks carry a serialization byte per column (chdb's
# Native output has none) and every inserted block is answered with profile events.
REVISION = 54449
# Settings became strings at this revision; before it their types are not on the wire.
OLDEST_CLIENT = 54429

HELLO, QUERY, DATA, CANCEL, PING = 0, 1, 2, 3, 4
S_HELLO, S_DATA, S_EXCEPTION, S_PROGRESS, S_PONG, S_END = 0, 1, 2, 3, 4, 5
# Block info: not overflowed, bucket -1, end of fields.
BLOCK_INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"
INITIAL_QUERY, TCP = 1, 1


class Hello(NamedTuple):
    """What a client says first. The engine has no users: it listens on the loopback address only."""

    revision: int
    database: str


class Query(NamedTuple):
    """A query packet. ``settings`` maps a name to its value and whether not knowing it is an error."""

    id: str
    settings: dict[str, tuple[str, bool]]
    compressed: bool
    sql: str


def read_hello(source: Source) -> Hello:
    """The client's hello after its packet type; raises ProtocolError for a client that is too old."""
    source.text()
    source.varint()
    source.varint()
    revision = source.varint()
    database = source.text()
    source.text()
    source.text()
    if revision < OLDEST_CLIENT:
        raise ProtocolError(f"client revision {revision}; {OLDEST_CLIENT} or newer is understood")
    return Hello(revision, database)


def read_query(source: Source, revision: int) -> Query:
    """A query packet after its type, at the revision that both sides speak."""
    query_id = source.text()
    if source.byte() != 0:
        _skip_client_info(source, revision)
    settings: dict[str, tuple[str, bool]] = {}
    while name := source.text():
        important = bool(source.varint() & 1)
        settings[name] = (source.text(), important)
    if revision >= 54441:
        source.text()  # secret between servers
    source.varint()  # stage: always complete
    compressed = bool(source.varint())
    return Query(query_id, settings, compressed, source.text())


def _skip_client_info(source: Source, revision: int) -> None:
    for _ in range(3):  # initial user, query id, address
        source.text()
    if revision >= 54449:
        source.skip(8)
    if source.byte() != TCP:
        raise ProtocolError("a client that says it speaks HTTP")
    for _ in range(3):  # system user, host, client name
        source.text()
    for _ in range(3):  # version major, minor, revision
        source.varint()
    source.text()  # quota key
    if revision >= 54448:
        source.varint()
    source.varint()  # version patch
    if revision >= 54442 and source.byte():
        source.skip(16 + 8)
        source.text()
        source.skip(1)


def hello(version: tuple[int, int, int], timezone: str, name: str) -> bytes:
    """The server's hello; ``name`` is the display name, which tells one engine process from another."""
    major, minor, patch = version
    return (
        varint(S_HELLO) + text("ClickHouse") + varint(major) + varint(minor) + varint(REVISION)
        + text(timezone) + text(name) + varint(patch)
    )  # fmt: skip


def data(body: bytes, *, compressed: bool) -> bytes:
    """A block, ``body`` being its Native form."""
    block = BLOCK_INFO + body
    return varint(S_DATA) + text("") + (compress(block) if compressed else block)


def exception(code: int, message: str) -> bytes:
    """An error with ClickHouse's code; ends the query."""
    return (
        varint(S_EXCEPTION)
        + struct.pack("<i", code)
        + text("DB::Exception")
        + text(message)
        + text("")
        + b"\0"
    )


def progress(rows: int, size: int, written_rows: int = 0, written_bytes: int = 0) -> bytes:
    """Rows and bytes since the last progress packet."""
    return varint(S_PROGRESS) + b"".join(map(varint, (rows, size, 0, written_rows, written_bytes)))


def pong() -> bytes:
    """The answer to a ping."""
    return varint(S_PONG)


def end_of_stream() -> bytes:
    """The end of a query without error."""
    return varint(S_END)
