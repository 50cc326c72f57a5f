"""A dead letter as it is read back from its topic.

>>> letter = Letter(3, 17, 0, "wrong_type", "data.wait_s", "rehuman.events", 3, 991, 0, True, None, b"{}")
>>> letter.place, letter.said, letter.came_from
('3:17', 'wrong_type:data.wait_s', 'rehuman.events/3:991')
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, NamedTuple

from streams.dead_letters import IN_LOG
from streams.head import guess
from streams.sources.api import rfc3339

__all__ = ["UNKNOWN", "Letter", "read"]

# Of a record that no lane wrote.
UNKNOWN = "unknown"


class Letter(NamedTuple):
    """``stamp`` is when it was put aside, ``from_stamp`` when its record came; both the broker's, in ms.

    ``carried`` is false where the bytes are only where the record came from.
    """

    partition: int
    offset: int
    stamp: int
    reason: str
    field: str
    topic: str
    from_partition: int
    from_offset: int
    from_stamp: int
    carried: bool
    key: bytes | None
    value: bytes | None

    @property
    def place(self) -> str:
        """Where it lies, as the commands name it."""
        return f"{self.partition}:{self.offset}"

    @property
    def said(self) -> str:
        """The reason, with the field to blame or the exception's place."""
        return f"{self.reason}:{self.field}" if self.field else self.reason

    @property
    def came_from(self) -> str:
        """Where its record lay; empty where that is not known."""
        return f"{self.topic}/{self.from_partition}:{self.from_offset}" if self.topic else ""

    @property
    def size(self) -> int:
        """Bytes of the value; 0 where it is not carried."""
        return len(self.value or b"")

    def told(self) -> dict[str, str | int]:
        """All that may be shown; ``hash`` is the one in the table ``dead_letters``."""
        return {
            "place": self.place,
            "reason": self.reason,
            "field": self.field,
            "put_aside": rfc3339(self.stamp),
            "came_from": self.came_from,
            "came": rfc3339(self.from_stamp) if self.from_stamp >= 0 else "",
            "source": guess(self.value),
            "bytes": self.size if self.carried else "where it came from",
            "hash": blake2b(self.value or b"", digest_size=16).hexdigest() if self.carried else "",
        }


def read(record: Any) -> Letter:
    """A record of the topic, as kafka-python gives it."""
    headers = dict(record.headers)
    reason, _, field = _text(headers, "reason").partition(":")
    return Letter(
        record.partition,
        record.offset,
        record.timestamp,
        reason or UNKNOWN,
        field,
        _text(headers, "topic"),
        _number(headers, "partition"),
        _number(headers, "offset"),
        _number(headers, "time"),
        headers.get(IN_LOG[0]) != IN_LOG[1],
        record.key,
        record.value,
    )


def _text(headers: dict[str, bytes | None], name: str) -> str:
    return (headers.get(name) or b"").decode("utf-8", "replace")


def _number(headers: dict[str, bytes | None], name: str) -> int:
    try:
        return int(headers.get(name) or b"-1")
    except ValueError:
        return -1
