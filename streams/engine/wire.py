"""Bytes on the wire of ClickHouse's native protocol: integers, strings and compressed frames.

Little-endian integers; lengths and packet types are LEB128 varints; a compressed frame is a CityHash128, a
method byte, two sizes (with this 9-byte header, and uncompressed) and the payload
(ClickHouse ``src/Compression/CompressedReadBufferBase.cpp``).
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable

# Neither ships type information; both come with clickhouse-driver[lz4], the peer we talk to.
from clickhouse_cityhash.cityhash import CityHash128  # type: ignore[import-untyped]
from lz4 import block as lz4

__all__ = ["ProtocolError", "Source", "compress", "from_frames", "from_socket", "text", "varint"]

# How much to ask the kernel for at once: a 10,000-row insert is a few MB.
RECEIVE_BYTES = 256 * 1024
# A block of this size cannot be a checkpoint's rows; it is a client gone wrong, or not a client at all.
MAX_BLOCK_BYTES = 1 << 30
# Names, settings and queries: longer means that the stream is out of step.
MAX_TEXT_BYTES = 64 << 20

METHOD_NONE, METHOD_LZ4 = 0x02, 0x82
FRAME_HEADER = struct.Struct("<BII")
HASH = struct.Struct("<QQ")
LOW_64 = (1 << 64) - 1


class ProtocolError(Exception):
    """The bytes make no sense as the native protocol; the connection cannot go on."""


class Source:
    """A reader that keeps what it has read until :meth:`forget`, so that a block can be cut out whole."""

    def __init__(self, fill: Callable[[], bytes]) -> None:
        """``fill`` returns more bytes, at least one, and raises EOFError at the end."""
        self.data = bytearray()
        self.pos = 0
        self._fill = fill

    def forget(self) -> None:
        """Drop what has been read."""
        del self.data[: self.pos]
        self.pos = 0

    @property
    def buffered(self) -> int:
        """Bytes received and not read yet."""
        return len(self.data) - self.pos

    def reach(self, position: int) -> None:
        """Receive until ``position`` (from the last :meth:`forget`) is there.

        Raises ProtocolError beyond the limit of a block, EOFError when the peer ends first.
        """
        if position > MAX_BLOCK_BYTES:
            raise ProtocolError(f"a block of more than {MAX_BLOCK_BYTES >> 20} MiB")
        while len(self.data) < position:
            self.data += self._fill()

    def skip(self, count: int) -> None:
        """Step over ``count`` bytes."""
        self.pos += count
        self.reach(self.pos)

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        start = self.pos
        self.skip(count)
        return bytes(self.data[start : self.pos])

    def byte(self) -> int:
        """The next byte."""
        self.reach(self.pos + 1)
        self.pos += 1
        return self.data[self.pos - 1]

    def varint(self) -> int:
        """The next LEB128 number."""
        result = shift = 0
        while True:
            part = self.byte()
            result |= (part & 0x7F) << shift
            if part < 0x80:
                return result
            shift += 7
            if shift > 63:
                raise ProtocolError("a varint of more than 64 bits")

    def text(self) -> str:
        """The next length-prefixed string, read as UTF-8."""
        length = self.varint()
        if length > MAX_TEXT_BYTES:
            raise ProtocolError("a name or query of impossible length")
        return self.take(length).decode("utf-8", "replace")


def from_socket(sock: socket.socket) -> Source:
    """Read a socket as it comes."""

    def fill() -> bytes:
        received = sock.recv(RECEIVE_BYTES)
        if not received:
            raise EOFError
        return received

    return Source(fill)


def from_frames(raw: Source) -> Source:
    """Read the content of compressed frames; checks each frame's hash."""

    def fill() -> bytes:
        # Frames are consumed one after another: what was read of the raw stream is not needed again.
        raw.forget()
        high, low = HASH.unpack(raw.take(HASH.size))
        start = raw.pos
        method, size, plain_size = FRAME_HEADER.unpack(raw.take(FRAME_HEADER.size))
        if size < FRAME_HEADER.size or plain_size > MAX_BLOCK_BYTES:
            raise ProtocolError("a compressed frame of impossible size")
        payload = raw.take(size - FRAME_HEADER.size)
        if CityHash128(bytes(raw.data[start : raw.pos])) != (high << 64) + low:
            raise ProtocolError("a compressed frame whose checksum does not match")
        if method == METHOD_NONE:
            return payload
        if method != METHOD_LZ4:
            raise ProtocolError(f"compression method 0x{method:02x} (LZ4 is the one understood)")
        try:
            plain: bytes = lz4.decompress(payload, uncompressed_size=plain_size)
        except lz4.LZ4BlockError:
            raise ProtocolError("a compressed frame that does not decompress") from None
        return plain

    return Source(fill)


def compress(plain: bytes) -> bytes:
    """One LZ4 frame around ``plain``."""
    payload = lz4.compress(plain, store_size=False)
    frame: bytes = FRAME_HEADER.pack(METHOD_LZ4, FRAME_HEADER.size + len(payload), len(plain)) + payload
    digest: int = CityHash128(frame)
    return HASH.pack(digest >> 64, digest & LOW_64) + frame


def varint(number: int) -> bytes:
    """``number`` as LEB128.

    >>> varint(300).hex()
    'ac02'
    """
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def text(value: str) -> bytes:
    """A length-prefixed UTF-8 string."""
    raw = value.encode()
    return varint(len(raw)) + raw
