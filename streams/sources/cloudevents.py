"""NDJSON of CloudEvents, the contract's own format: one event a line, passed on byte for byte.

Only what ordering and partitioning need is looked at. A line whose place in time is known but that is wrong
otherwise goes on as it is: the worker keeps its bytes in the dead-letter topic, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated

import msgspec

from detectors.vocabulary import ACTIVATION, TICK, TYPES, UNKNOWN, canonical
from streams.sources.api import EPOCH, RefField, SourceCounts, SourceEvent, partition_key
from streams.sources.files import RejectError, numbered, ordered

__all__ = ["CloudEventsSource"]

NAME = "cloudevents"
# What a broker takes in one record by default is 1 MiB with its overhead; the contract's own limit of 64 KiB
# is the worker's to enforce, with a dead letter.
MAX_RECORD = 1_000_000

# What may follow the minute, in ms.
_SECONDS = {f":{second:02}": second * 1000 for second in range(60)}
_RESTS = {"Z": 0, **{f".{ms:03}Z": ms for ms in range(1000)}}

_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class _Envelope(msgspec.Struct):
    """The envelope of anybody's JSON: nothing is taken for granted."""

    id: object = None
    source: object = None
    type: object = None
    time: object = None
    subject: object = None
    data: msgspec.Raw = msgspec.Raw()


class _Owner(msgspec.Struct):
    session_id: object = None
    conversation_id: object = None


_OTHER = ("unknown", UNKNOWN.rank)
_decode = msgspec.json.Decoder(_Envelope).decode
_decode_owner = msgspec.json.Decoder(_Owner).decode


class CloudEventsSource:
    """Adapter ``cloudevents``. The row id (``source_ref``) is the event's ``id``."""

    name = NAME
    ref: RefField = "id"

    def read(self, paths: Sequence[Path], counts: SourceCounts) -> Iterator[SourceEvent]:
        """See :class:`streams.sources.api.Source`. Sorted in memory: about 1 KB for each event."""
        events: list[SourceEvent] = []
        for path in paths:
            for number, raw in numbered(path):
                counts.row()
                try:
                    event, name = _event(raw)
                except RejectError as reason:
                    counts.reject(str(reason), f"{path.name}:{number}")
                else:
                    counts.gave(name)
                    events.append(event)
        yield from ordered(events)


def _event(raw: bytes) -> tuple[SourceEvent, str]:
    """The event and its type as the vocabulary has it, ``unknown`` for any other."""
    if len(raw) > MAX_RECORD:
        raise RejectError("too_large")
    try:
        envelope = _decode(raw)
    except msgspec.ValidationError:
        raise RejectError("not_an_object") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise RejectError("not_json") from None
    if not isinstance(envelope.id, str) or not envelope.id:
        raise RejectError("no_id")
    name, rank = _kind(envelope.type) if isinstance(envelope.type, str) else _OTHER
    if not name:
        # Time and policies are the replay's own to send; a dump of a topic holds old ones.
        raise RejectError("no_customer_event")
    source = envelope.source if isinstance(envelope.source, str) else ""
    return SourceEvent(_time(envelope.time), rank, source, envelope.id, _key(envelope), raw), name


@lru_cache(maxsize=4_096)
def _kind(name: str) -> tuple[str, int]:
    """A type as the vocabulary has it, and its rank; empty for what is no customer's event."""
    if name in (TICK, ACTIVATION):
        return "", 0
    found = canonical(name)
    return (found, TYPES[found].rank) if found in TYPES else _OTHER


def _time(found: object) -> int:
    if not isinstance(found, str):
        raise RejectError("no_time")
    # As nearly all write it, to the second or the millisecond in UTC: events of one minute lie together.
    second = _SECONDS.get(found[16:19])
    rest = _RESTS.get(found[19:])
    if second is None or rest is None:
        return _moment(found)
    return _minute(found[:16]) + second + rest


@lru_cache(maxsize=4_096)
def _minute(text: str) -> int:
    return _moment(text + ":00Z")


def _moment(text: str) -> int:
    try:
        return (msgspec.convert(text, _Moment) - EPOCH) // timedelta(milliseconds=1)
    except (msgspec.ValidationError, OverflowError):
        raise RejectError("bad_time") from None


def _key(envelope: _Envelope) -> bytes:
    if isinstance(envelope.subject, str) and envelope.subject:
        return envelope.subject.encode()
    try:
        owner = _decode_owner(envelope.data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return b""
    session, conversation = owner.session_id, owner.conversation_id
    return partition_key(
        None,
        session if isinstance(session, str) else None,
        conversation if isinstance(conversation, str) else None,
    )
