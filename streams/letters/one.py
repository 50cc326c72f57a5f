"""One dead letter: what is known of it, and its bytes for who asks for them."""

from __future__ import annotations

from streams.errors import OperationError
from streams.letters.ledger import is_mark
from streams.letters.letter import Letter, read
from streams.letters.reader import Reader
from streams.settings import Settings

__all__ = ["bytes_of", "one"]


def one(settings: Settings, partition: int, offset: int) -> Letter:
    """The letter at a place. Raises OperationError where there is none."""
    with Reader(settings) as reader:
        if partition >= len(reader.places):
            last = len(reader.places) - 1
            raise OperationError(f"{reader.topic} has no partition {partition}: they are 0 to {last}")
        record = reader.fetch(reader.topic, partition, offset)
        if record is None:
            first, end = reader.span(partition)
            there = f"it holds {first} to {end - 1}" if end > first else "it is empty"
            raise OperationError(f"no dead letter at {partition}:{offset}: of partition {partition}, {there}")
        if is_mark(record.headers):
            raise OperationError(f"at {partition}:{offset} lies the note of a resend, no dead letter")
        return read(record)


def bytes_of(settings: Settings, letter: Letter) -> bytes:
    """The record as it was sent. Raises OperationError where it is not kept any more."""
    if letter.carried:
        return letter.value or b""
    with Reader(settings) as reader:
        record = reader.fetch(letter.topic, letter.from_partition, letter.from_offset)
    if record is None:
        raise OperationError(f"the record at {letter.came_from} is not kept any more")
    return record.value or b""
