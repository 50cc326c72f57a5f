"""NDJSON of CloudEvents, the contract's own format: one event a line, passed on byte for byte.

Only what ordering and partitioning need is looked at. A line whose place in time is known but that is wrong
otherwise goes on as it is: the worker keeps its bytes in the dead-letter topic, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import msgspec

from detectors.vocabulary import ACTIVATION, TICK, TYPES, UNKNOWN, canonical
from streams.sources.api import EPOCH, RefField, SourceCounts, SourceEvent, partition_key
from streams.sources.files import RejectError, lines, ordered

__all__ = ["CloudEventsSource"]

NAME = "cloudevents"
# What a broker takes in one record by default is 1 MiB with its overhead; the contract's own limit of 64 KiB
# is the worker's to enforce, with a dead letter.
MAX_RECORD = 1_000_000

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
            for place, raw in lines(path):
                counts.row()
                try:
                    event, name = _event(raw)
                except RejectError as reason:
                    counts.reject(str(reason), place)
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
    kind = canonical(envelope.type) if isinstance(envelope.type, str) else ""
    if envelope.type in (TICK, ACTIVATION):
        # Time and policies are the replay's own to send; a dump of a topic holds old ones.
        raise RejectError("no_customer_event")
    source = envelope.source if isinstance(envelope.source, str) else ""
    rank = TYPES.get(kind, UNKNOWN).rank
    event = SourceEvent(_time(envelope.time), rank, source, envelope.id, _key(envelope), raw)
    return event, kind if kind in TYPES else "unknown"


def _time(found: object) -> int:
    if not isinstance(found, str):
        raise RejectError("no_time")
    try:
        return (msgspec.convert(found, _Moment) - EPOCH) // timedelta(milliseconds=1)
    except (msgspec.ValidationError, OverflowError):
        raise RejectError("bad_time") from None


def _key(envelope: _Envelope) -> bytes:
    if isinstance(envelope.subject, str) and envelope.subject:
        return partition_key(envelope.subject, None, None)
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
