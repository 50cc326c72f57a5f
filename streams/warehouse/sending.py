"""An insert whose rows are packed already: the driver's statement, our bytes.

``clickhouse-driver`` asks the server for the columns of the insert and hears its answers; only the blocks
between are written here. The protocol's revision is held at what the embedded engine speaks, too: before
54454 a column has no serialization byte, and before 54456 the server sends nothing between blocks, which
would have to be waited for block by block.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Sequence
from typing import Any

from clickhouse_driver import Client
from clickhouse_driver.protocol import ServerPacketTypes

from detectors.tables import CLICKHOUSE_TYPES, Table
from streams.engine.wire import compress
from streams.warehouse.packing import Piece

__all__ = ["REVISION", "ColumnsDifferError", "PieceClient"]

REVISION = 54449
# A data packet without a table's name; a block's info (not an overflow, no bucket); a block that ends it all.
DATA, INFO, END = b"\x02\x00", b"\x01\x00\x02\xff\xff\xff\xff\x00", b"\x00\x00"
# The time-out of a socket is for one call. A slow line gets it for each of these, and for what the kernel
# holds at the end (which would be megabytes).
SLICE, HELD_BY_KERNEL = 64 * 1024, 256 * 1024
# What a server that hangs up has said before can be read at once, or not at all.
LAST_WORD_S = 1.0


class ColumnsDifferError(Exception):
    """The table's columns are not of the types that the pieces were packed for."""


class PieceClient(Client):  # type: ignore[misc] # the driver has no types
    """``execute("INSERT INTO t (...) VALUES", pieces)``; all pieces have the same table and names.

    Raises what the driver raises, and ColumnsDifferError before anything is sent.
    """

    table: Table

    def send_data(
        self, sample_block: Any, data: Sequence[Piece], types_check: bool = False, columnar: bool = False
    ) -> int:
        """Called by the driver between the server's columns and the end of the insert; the rows sent."""
        kinds = {column.name: CLICKHOUSE_TYPES[column.kind] for column in self.table.columns}
        if sample_block.columns_with_types != [(name, kinds[name]) for name in data[0].names]:
            raise ColumnsDifferError
        self.connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, HELD_BY_KERNEL)
        try:
            for piece in data:
                self._send(piece.body)
                self._hear()
            self._send(END)
        except OSError:
            self._last_word()
            raise
        return sum(piece.rows for piece in data)

    def _send(self, body: bytes) -> None:
        block = INFO + body
        packet = memoryview(DATA + (compress(block) if self.connection.compression else block))
        for start in range(0, len(packet), SLICE):
            self.connection.socket.sendall(packet[start : start + SLICE])

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
