"""Which policy holds when: the one the program was started with, and those that the log activated.

An activation holds for events at or after its time, and only for records after its own: a log that is read
again finds it where it stood. The same one twice is one.

>>> from detectors.policy import DEFAULT_TEXT, default
>>> timeline = Timeline(default())
>>> second = DEFAULT_TEXT.replace("version = 1", "version = 2")
>>> timeline.activate(7, 1_000, second), timeline.activate(9, 1_000, second)
(True, False)
>>> [timeline.policy(time, offset).version for time, offset in ((999, 8), (1_000, 8), (1_000, 7))]
[1, 2, 1]
>>> again = Timeline(default())
>>> again.load(timeline.pack()); again.policy(1_000, 8).version
2
"""

from __future__ import annotations

from typing import Final

import msgspec

from detectors.policy import Policy, parse

__all__ = ["Timeline"]

# The record of them all stays far below a message's limit; nobody changes policy so often that more matter.
_MOST: Final = 16
_Kept = list[tuple[int, int, str]]
_decode: Final = msgspec.msgpack.Decoder(_Kept).decode


class Timeline:
    """Policies by (time from which they hold, offset of their activation)."""

    def __init__(self, base: Policy) -> None:
        self._base = base
        self._activated: list[tuple[int, int, Policy]] = []

    def load(self, raw: bytes) -> None:
        """Take back :meth:`pack`. Raises PolicyError where a policy is not valid any more."""
        self._activated = [(time, offset, parse(text)) for time, offset, text in _decode(raw)]

    def pack(self) -> bytes:
        """What a changelog keeps."""
        kept: _Kept = [(time, offset, policy.text) for time, offset, policy in self._activated]
        return msgspec.msgpack.encode(kept)

    def activate(self, offset: int, time: int, text: str) -> bool:
        """Add one; False where it was here before. Raises PolicyError, and then nothing has changed."""
        if any((since, policy.text) == (time, text) for since, _, policy in self._activated):
            return False
        found = [*self._activated, (time, offset, parse(text))]
        self._activated = sorted(found, key=lambda entry: entry[:2])[-_MOST:]
        return True

    def policy(self, time: int, offset: int) -> Policy:
        """The one that holds for ``time`` in the record at ``offset``."""
        for since, at, policy in reversed(self._activated):
            if since <= time and at < offset:
                return policy
        return self._base

    def turn(self, time: int) -> int:
        """When the next one after ``time`` begins to hold; 0 where none does."""
        return min((since for since, _, _ in self._activated if since > time), default=0)
