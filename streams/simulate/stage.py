"""A customer's clock, and the events said by it; one that is muted lets time pass in the same way, silently.

Two events of a customer are never at the same millisecond, so that their order is no question.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache

import msgspec

__all__ = ["SOURCES", "Stage", "rfc3339"]

# Who reports what happens on a channel: one source a system, as a company would have it.
SOURCES = {
    "web": "web/site",
    "app": "app/mobile",
    "bot": "bot/assistant",
    "chat": "desk/chat",
    "phone": "acd/main",
    "email": "desk/mail",
    "store": "store/pos",
    "ticket": "tickets/main",
    "survey": "survey/panel",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400_000
_encode = msgspec.json.Encoder().encode


@lru_cache(maxsize=64)
def _date(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).date().isoformat()


def rfc3339(ms: int) -> str:
    """Milliseconds since the epoch as RFC 3339 in UTC.

    >>> rfc3339(86_400_000 + 3_723_004)
    '1970-01-02T01:02:03.004Z'
    """
    day, left = divmod(ms, _DAY)
    seconds, millis = divmod(left, 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{_date(day)}T{hour:02d}:{minute:02d}:{second:02d}.{millis:03d}Z"


class Stage:
    """``now`` in ms since the epoch; ``said`` has (time, JSON) of each event, None where it is muted."""

    __slots__ = ("count", "last", "now", "said", "subject")

    def __init__(self, subject: str, now: int) -> None:
        self.subject = subject
        self.now = now
        self.last = now - 1
        self.count = 0
        self.said: list[tuple[int, bytes]] | None = []

    def muted(self) -> Stage:
        """The same moment, without a voice."""
        other = Stage(self.subject, self.now)
        other.last = self.last
        other.count = self.count
        other.said = None
        return other

    def tick(self, taken: bool = False) -> None:
        """Go on to a moment that no event has; ``taken`` where one takes it."""
        if self.now <= self.last:
            self.now = self.last + 1
        if taken:
            self.last = self.now

    def say(self, kind: str, channel: str, data: dict[str, object]) -> str:
        """An event at the present moment; its id."""
        self.tick(taken=True)
        return self._add(kind, channel, self.now, data)

    def later(self, kind: str, channel: str, time: int, data: dict[str, object]) -> str:
        """An event that comes at ``time`` by itself, whatever the customer does meanwhile; its id."""
        return self._add(kind, channel, max(time, self.last + 1), data)

    def next_id(self) -> str:
        """The id that the next event will have."""
        return f"{self.subject}-{self.count + 1:03d}"

    def _add(self, kind: str, channel: str, time: int, data: dict[str, object]) -> str:
        self.count += 1
        event_id = f"{self.subject}-{self.count:03d}"
        if self.said is not None:
            record = {
                "specversion": "1.0",
                "id": event_id,
                "source": SOURCES[channel],
                "type": kind,
                "time": rfc3339(time),
                "subject": self.subject,
                "data": data,
            }
            self.said.append((time, _encode(record)))
        return event_id
