"""Bytes to events: pure, total, and the same in the worker and in a back-test.

A record is an :class:`Event`, a :class:`Tick`, a policy activation, or :class:`Rejected` with a reason from
:data:`REASONS`. No record raises: what cannot be read is rejected, whatever it is.

>>> decoder = Decoder(lambda tenant, subject: "p" + subject, floor=0, ahead=60_000)
>>> event, subject = decoder.decode(
...     b'{"specversion":"1.0","id":"1","source":"web","type":"$rageclick","time":"1970-01-01T00:00:01Z",'
...     b'"subject":"jane","data":{"step":"pay","basket":{"items":3}}}', stamp=2_000)
>>> subject, event.customer, event.type, event.time, event.step, event.attributes
('jane', 'pjane', 'rage_click', 1000, 'pay', '{"basket":{"items":3}}')
>>> decoder.decode(b'{"specversion":"1.0"}', stamp=2_000)
Rejected(reason='missing_field', field='id')
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec

from detectors.envelope import Data, Envelope, Extras, OpenEnvelope
from detectors.events import Engagement, Event, Rejected, Tick
from detectors.labels import identifier, label
from detectors.scrub import attributes, repeats, scrub
from detectors.vocabulary import ACTIVATION, CHANNELS, TICK, TYPES, UNKNOWN, canonical

__all__ = ["REASONS", "Activation", "Decoder", "resolve_subject"]

# Every reason a record can be rejected for: the values of the dead letters' header and of a metric's label.
REASONS = (
    "too_large",
    "empty",
    "bad_utf8",
    "not_json",
    "not_an_object",
    "too_deep",
    "missing_field",
    "wrong_type",
    "wrong_value",
    "bad_time",
    "time_before_floor",
    "time_ahead_of_broker",
    "no_subject",
    "bad_tick",
    "bad_policy",
)

MAX_BYTES = 64 * 1024
MAX_DEPTH = 32
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_AT = re.compile(r" - at `\$\.?(.*)`$")

_strict = msgspec.json.Decoder(Envelope)
_open = msgspec.json.Decoder(OpenEnvelope)
_extras = msgspec.json.Decoder(Extras)
_KNOWN = frozenset(Data.__struct_fields__)
_NO_DATA = Data()


class Activation(msgspec.Struct, frozen=True):
    """A policy becomes the one for events at or after ``time`` (ms); ``text`` is the whole policy."""

    time: int
    version: int
    text: str


def resolve_subject(subject: str | None, data: Data) -> str:
    """The customer an event belongs to: its subject, else its anonymous session or conversation, else ""."""
    if subject:
        return subject
    anonymous = data.session_id or data.conversation_id
    # Cut as ids are: pseudonyms and partitions are remembered by the subject, many thousands of them.
    return f"anon:{identifier(anonymous)}" if anonymous else ""


class Decoder:
    """Turns records into events under one set of limits."""

    def __init__(self, pseudonym: Callable[[str, str], str], floor: int, ahead: int) -> None:
        """``pseudonym(tenant, subject)``; ``floor`` in ms since the epoch, ``ahead`` in ms."""
        self._pseudonym = pseudonym
        self._floor = floor
        self._ahead = ahead

    def decode(self, raw: bytes | None, stamp: int) -> tuple[Event, str] | Tick | Activation | Rejected:
        """One record's value with the broker's time stamp in ms: an event comes with its raw subject."""
        if not raw:
            return Rejected("empty")
        if len(raw) > MAX_BYTES:
            # The one record of ours that may be larger is a policy, and it is not a customer's to send.
            return Rejected("too_large")
        if not raw.isascii():
            try:
                raw.decode("utf-8")
            except UnicodeDecodeError:
                return Rejected("bad_utf8")
        if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and _depth(raw) > MAX_DEPTH:
            return Rejected("too_deep")
        own: dict[str, msgspec.Raw] = {}
        envelope: Envelope
        try:
            envelope = _strict.decode(raw)
            data = envelope.data or _NO_DATA
        except msgspec.ValidationError as error:
            if b'"io.rehuman.' in raw and (record := self._own(raw)) is not None:
                return record
            if not str(error).startswith("Object contains unknown field"):
                return _reason(str(error))
            opened = self._opened(raw)
            if isinstance(opened, Rejected):
                return opened
            envelope, own = opened
            data = envelope.data or _NO_DATA
        except (msgspec.DecodeError, ValueError, RecursionError):
            return Rejected("not_json")
        if envelope.type == TICK or envelope.type == ACTIVATION:
            return self._own(raw) or Rejected("bad_tick" if envelope.type == TICK else "bad_policy")
        time = (envelope.time - _EPOCH) // _MS
        if time < self._floor:
            return Rejected("time_before_floor", "time")
        if stamp >= 0 and time > stamp + self._ahead:
            return Rejected("time_ahead_of_broker", "time")
        subject = resolve_subject(envelope.subject, data)
        if not subject:
            return Rejected("no_subject", "subject")
        tenant = envelope.tenant or "default"
        if b"\\" in raw and (found := _CONTROL.search(f"{envelope.id}{envelope.source}{tenant}")):
            # CloudEvents forbids control characters; ids are told apart by one.
            return Rejected("wrong_value", "id" if found[0] in envelope.id else "source")
        customer = self._pseudonym(tenant, subject)
        raw_id = envelope.subject or ""
        if raw_id and repeats(raw, raw_id):
            scrub(envelope, data, raw_id, customer)
            extras = attributes(own, raw_id, customer) if own else ""
        else:
            extras = attributes(own) if own else ""
        event = _event(envelope, data, time, tenant, customer, extras)
        event.anonymous = not raw_id or raw_id.startswith("anon:")
        return event, subject

    def _opened(self, raw: bytes) -> tuple[Envelope, dict[str, msgspec.Raw]] | Rejected:
        """An event with fields of its own, and those fields as they were written."""
        try:
            envelope = _open.decode(raw)
            own = _extras.decode(raw).data or {}
        except msgspec.ValidationError as error:
            return _reason(str(error))
        except (msgspec.DecodeError, ValueError, RecursionError):
            return Rejected("not_json")
        return envelope, {name: value for name, value in own.items() if name not in _KNOWN}

    def _own(self, raw: bytes) -> Tick | Activation | Rejected | None:
        """A tick or an activation; None where the record is neither."""
        try:
            record = _own_records.decode(raw)
        except (msgspec.DecodeError, ValueError, RecursionError):
            return None
        if record.type == TICK:
            return Tick((record.time - _EPOCH) // _MS, tuple(record.data.stale))
        if record.type == ACTIVATION:
            if not record.data.policy or record.data.version < 1:
                return Rejected("bad_policy")
            return Activation((record.time - _EPOCH) // _MS, record.data.version, record.data.policy)
        return None


class _OwnData(msgspec.Struct):
    stale: list[str] = []
    version: int = 0
    policy: str = ""


class _OwnRecord(msgspec.Struct):
    type: str
    time: Annotated[datetime, msgspec.Meta(tz=True)]
    data: _OwnData


_own_records = msgspec.json.Decoder(_OwnRecord)


def _event(envelope: Envelope, data: Data, time: int, tenant: str, customer: str, extras: str) -> Event:
    kind = canonical(envelope.type)
    spec = TYPES.get(kind, UNKNOWN)
    channel = data.channel or spec.channel
    engagement = data.engagement
    consent = data.consent
    return Event(
        id=envelope.id,
        source=label(envelope.source),
        type=kind if spec is not UNKNOWN else label(kind),
        time=time,
        tenant=tenant,
        customer=customer,
        anonymous=False,
        channel=channel if channel in CHANNELS else "other",
        journey=label(data.journey or "default"),
        actor=data.actor or spec.actor,
        direction=data.direction or spec.direction,
        step=label(data.step) if data.step else "",
        intent=label(data.intent) if data.intent else "",
        case_id=identifier(data.case_id) if data.case_id else "",
        session=identifier(data.session_id) if data.session_id else "",
        conversation=identifier(data.conversation_id) if data.conversation_id else "",
        device=label(data.device) if data.device else "",
        agent_id=identifier(data.agent_id) if data.agent_id else "",
        alert_id=identifier(data.alert_id) if data.alert_id else "",
        team=label(data.team) if data.team else "",
        release=label(data.release) if data.release else "",
        language=label(data.language) if data.language else "",
        segment=label(data.segment) if data.segment else "",
        queue=label(data.queue) if data.queue else "",
        where=label(data.where) if data.where else "",
        field=label(data.field) if data.field else "",
        reason=label(data.reason) if data.reason else "",
        result=label(data.result) if data.result else "",
        kind=label(data.kind) if data.kind else "",
        to_channel=label(data.to_channel) if data.to_channel else "",
        from_team=label(data.from_team) if data.from_team else "",
        to_team=label(data.to_team) if data.to_team else "",
        priority="" if data.priority is None else label(str(data.priority)),
        prefers=label(data.prefers) if data.prefers else "",
        metric=data.metric or "",
        version=label(data.version) if data.version else "",
        scale=label(data.scale) if data.scale else "",
        wait_s=data.wait_s,
        announced_wait_s=data.announced_wait_s,
        talk_s=data.talk_s,
        amount=data.amount,
        results=data.results,
        score=data.score,
        risk=data.risk,
        emotion=data.emotion,
        first_time=data.first_time,
        problem=data.problem,
        last_contact=data.last_contact,
        vulnerable=data.vulnerable,
        profiling=None if consent is None else consent.profiling,
        contact=None if consent is None else consent.contact,
        engagement=None
        if engagement is None
        else Engagement(
            engagement.financial, engagement.sentimental, engagement.expertise, engagement.temporal
        ),
        attributes=extras,
    )


def _reason(message: str) -> Rejected:
    match = _AT.search(message)
    field = match[1] if match else ""
    if field.startswith("data.") and field.split(".")[1] not in _KNOWN:
        field = "data"
    if missing := re.match(r"Object missing required field `(\w+)`", message):
        return Rejected("missing_field", missing[1])
    if not field and message.startswith("Expected `object`"):
        return Rejected("not_an_object")
    if field == "time":
        return Rejected("wrong_type" if "got" in message else "bad_time", field)
    if "got `" in message:
        return Rejected("wrong_type", field)
    return Rejected("wrong_value", field)


def _depth(raw: bytes) -> int:
    """How deep brackets nest outside strings."""
    deepest = depth = 0
    # Strings go first, so that brackets in texts do not count. One without an end goes to the record's end:
    # else every quote in it would be tried as a beginning, and 64 KiB of them take a quarter of a minute.
    for byte in re.sub(rb'(?s)"(?:[^"\\]|\\.)*+"?', b"", raw):
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest
