"""What a source adapter is, and how one is found by its name.

Adapters register under the entry-point group ``rehuman.sources``; a new one needs no change here.

>>> event = cloud_event("page_view", 1_700_000_000_123, "web/shop", "7", "c1", {"step": "basket", "team": ""})
>>> event.key, event.rank
(b'c1', 12)
>>> event.value.decode()[69:]
'"time":"2023-11-14T22:13:20.123Z","subject":"c1","data":{"step":"basket"}}'
>>> cloud_event("page_view", 0, "web/shop", "8", None, {"session_id": "s1"}).key
b'anon:s1'
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2s
from importlib.metadata import entry_points
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

import msgspec

from detectors.vocabulary import TYPES, UNKNOWN, canonical
from streams.errors import SettingError
from streams.sources.counts import SourceCounts

__all__ = [
    "GROUP",
    "Common",
    "RefField",
    "Source",
    "SourceCounts",
    "SourceEvent",
    "cloud_event",
    "get_source",
    "partition_key",
    "pseudonym",
    "rfc3339",
    "source_names",
]

GROUP = "rehuman.sources"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# The field of detectors.events.Event that carries the source's own row id (the contract's ``source_ref``).
RefField = Literal["id", "conversation", "case_id", "session"]

# How the seconds of a minute are written, before milliseconds and where there are none.
_SECONDS = [f"{second:02}." for second in range(60)]
_WHOLE = [f"{second}000Z" for second in _SECONDS]

_encode = msgspec.json.Encoder().encode


class SourceEvent(NamedTuple):
    """One CloudEvents record on its way out. Tuples sort as the contract orders: time, rank, source, id."""

    time: int  # ms since the epoch
    rank: int  # of its type, see detectors.vocabulary
    source: str
    id: str
    key: bytes  # the resolved subject; empty where there is none (the worker's dead letter)
    value: bytes  # CloudEvents JSON


class Source(Protocol):
    """One adapter: rows of files in, events out."""

    name: str
    ref: RefField

    def read(self, paths: Sequence[Path], counts: SourceCounts) -> Iterator[SourceEvent]:
        """Events of all files together, ordered by (time, rank, source, id); ``counts`` is filled on the way.

        Raises :class:`SettingError` for a file of another format, :class:`OperationError` for one that
        cannot be read. A bad row raises nothing: it is counted.
        """
        ...


def source_names() -> list[str]:
    """The names of all registered adapters, sorted."""
    return sorted({point.name for point in entry_points(group=GROUP)})


def get_source(name: str) -> Source:
    """The adapter called ``name``. Raises :class:`SettingError` naming those there are."""
    for point in entry_points(group=GROUP, name=name):
        source: Source = point.load()()
        return source
    raise SettingError("SOURCE", repr(name), f"one of {', '.join(source_names())}")


def rfc3339(ms: int) -> str:
    """Milliseconds since the epoch as RFC 3339 in UTC.

    >>> rfc3339(-1)
    '1969-12-31T23:59:59.999Z'
    """
    minute, rest = divmod(ms, 60_000)
    second, rest = divmod(rest, 1000)
    return _minute(minute) + (f"{_SECONDS[second]}{rest:03}Z" if rest else _WHOLE[second])


@lru_cache(maxsize=65_536)
def _minute(minute: int) -> str:
    """A minute since the epoch, up to where its seconds follow; events of one lie together."""
    return (EPOCH + timedelta(minutes=minute)).isoformat(timespec="minutes")[:-6] + ":"


@lru_cache(maxsize=4_096)
def _of_type(name: str, source: str) -> tuple[int, bytes]:
    """The rank of a type, and what stands between the id and the time of its events."""
    between = b',"source":%b,"type":%b,"time":"' % (_encode(source), _encode(name))
    return TYPES.get(canonical(name), UNKNOWN).rank, between


def partition_key(subject: str | None, session: str | None, conversation: str | None) -> bytes:
    """The record key: the subject, else ``anon:`` and the session or conversation, else empty.

    >>> partition_key(None, None, "AA0101:34536")
    b'anon:AA0101:34536'
    """
    if subject:
        return subject.encode()
    anonymous = session or conversation
    return f"anon:{anonymous}".encode() if anonymous else b""


@lru_cache(maxsize=65_536)
def pseudonym(kind: str, name: str) -> str:
    """A short name for an employee in a public data set: not secret, just not the name itself.

    >>> pseudonym("bank", "DORIT") == pseudonym("bank", "DORIT") != pseudonym("bank", "TOVA")
    True
    """
    return blake2s(f"{kind}:{name}".encode(), digest_size=5).hexdigest()


def cloud_event(
    name: str, time_ms: int, source: str, event_id: str, subject: str | None, data: Mapping[str, object]
) -> SourceEvent:
    """One event of type ``name``, its key and JSON made. What is None or empty in ``data`` is left out."""
    return Common(subject, data).event(name, time_ms, source, event_id)


class Common:
    """What several events of one customer say alike, made into JSON once: the subject, and their first data.

    >>> call = Common("c1", {"channel": "phone", "team": ""})
    >>> call.event("ivr.enter", 0, "acd", "7/enter", {"result": "queue"}).value.decode().partition("Z")[2]
    '","subject":"c1","data":{"channel":"phone","result":"queue"}}'
    """

    __slots__ = ("_key", "_text", "_whose")

    def __init__(self, subject: str | None, data: Mapping[str, object]) -> None:
        """Without a subject the session or conversation in ``data`` names the owner."""
        given = {field: value for field, value in data.items() if value is not None and value != ""}
        if subject:
            self._key = subject.encode()
            self._whose = b'","subject":' + _encode(subject)
        else:
            session, conversation = given.get("session_id"), given.get("conversation_id")
            self._key = partition_key(
                None,
                session if isinstance(session, str) else None,
                conversation if isinstance(conversation, str) else None,
            )
            self._whose = b'"'
        self._text = _encode(given)[1:-1]

    def event(
        self, name: str, time_ms: int, source: str, event_id: str, more: Mapping[str, object] | None = None
    ) -> SourceEvent:
        """One of them; ``more`` are data of its own, of other names."""
        text = self._text
        if more:
            own = _encode(
                {field: value for field, value in more.items() if value is not None and value != ""}
            )
            if len(own) > len(b"{}"):
                text = text + b"," + own[1:-1] if text else own[1:-1]
        rank, between = _of_type(name, source)
        value = b'{"specversion":"1.0","id":%b%b%b%b,"data":{%b}}' % (
            _encode(event_id),
            between,
            rfc3339(time_ms).encode(),
            self._whose,
            text,
        )
        return SourceEvent(time_ms, rank, source, event_id, self._key, value)
