"""An insert whose rows are packed already: the driver's statement, our bytes.

``clickhouse-driver`` asks the server for the columns of the insert and hears its answers; only the block
between is written here. The protocol's revision is held at what the embedded engine speaks, too: before
54454 a column has no serialization byte.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Sequence
from typing import Any

from clickhouse_driver.protocol import ServerPacketTypes

from detectors.tables import CLICKHOUSE_TYPES
from streams.engine.packets import BLOCK_INFO
from streams.engine.wire import compress
from streams.warehouse.client import LeanClient
from streams.warehouse.packing import Piece, body

__all__ = ["REVISION", "ColumnsDifferError", "PieceClient"]

REVISION = 54449
# A data packet without a table's name, and the block without columns that ends an insert.
DATA, END = b"\x02\x00", BLOCK_INFO + b"\x00\x00"
# Compressed frame by frame: neither held as a whole nor hashed in one go.
FRAME = 1024 * 1024
# The time-out of a socket is for one call. A slow line gets it for each of these, and for what the kernel
# holds at the end (which would be megabytes).
SLICE, HELD_BY_KERNEL = 64 * 1024, 256 * 1024
# What a server that hangs up has said before can be read at once, or not at all.
LAST_WORD_S = 1.0


class ColumnsDifferError(Exception):
    """The table's columns are not of the types that the pieces were packed for."""


class PieceClient(LeanClient):
    """``execute("INSERT INTO t (...) VALUES", pieces)``; all pieces have the same table and names.

    Raises what the driver raises, and ColumnsDifferError before anything is sent.
    """

    def send_data(
        self, sample_block: Any, data: Sequence[Piece], types_check: bool = False, columnar: bool = False
    ) -> int:
        """Called by the driver between the server's columns and the end of the insert; the rows sent."""
        kinds = {column.name: CLICKHOUSE_TYPES[column.kind] for column in data[0].table.columns}
        if sample_block.columns_with_types != [(name, kinds[name]) for name in data[0].names]:
            raise ColumnsDifferError
        self.connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, HELD_BY_KERNEL)
        try:
            self._send(body(data))
            self._send(END)
        except OSError:
            self._last_word()
            raise
        return sum(piece.rows for piece in data)

    def _send(self, block: bytes) -> None:
        whole = memoryview(block)
        self.connection.socket.sendall(DATA)
        for start in range(0, len(whole), FRAME):
            # Not after the last frame: what comes then is the answer, which the driver waits for.
            self._hear()
            frame = whole[start : start + FRAME]
            packed = memoryview(compress(bytes(frame))) if self.connection.compression else frame
            for at in range(0, len(packed), SLICE):
                self.connection.socket.sendall(packed[at : at + SLICE])

    def _hear(self) -> None:
        """Raise what the server says while we talk: it has refused the insert."""
        poller = select.poll()
        poller.register(self.connection.socket, select.POLLIN)
        while poller.poll(0):
            packet = self.connection.receive_packet()
            if packet.type == ServerPacketTypes.EXCEPTION:
                raise packet.exception

    def _last_word(self) -> None:
        """The server has hung up; it may have said why."""
        self.connection.socket.settimeout(LAST_WORD_S)
        try:
            self._hear()
        except (OSError, EOFError):
            return
