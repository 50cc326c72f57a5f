"""Bytes to events: pure, total, and the same in the worker and in a back-test.

A record is an :class:`Event`, a :class:`Tick`, a policy activation, or :class:`Rejected` with a reason from
:data:`REASONS`. No record raises: what cannot be read is rejected, whatever it is.

>>> decoder = Decoder(lambda tenant, subject: "p" + subject, floor=0, ahead=60_000)
>>> event = decoder.decode(
...     b'{"specversion":"1.0","id":"1","source":"web","type":"$rageclick","time":"1970-01-01T00:00:01Z",'
...     b'"subject":"jane","data":{"step":"pay","basket":{"items":3}}}', stamp=2_000)
>>> decoder.subject, event.customer, event.type, event.time, event.step, event.attributes
('jane', 'pjane', 'rage_click', 1000, 'pay', '{"basket":{"items":3}}')
>>> decoder.decode(b'{"specversion":"1.0"}', stamp=2_000)
Rejected(reason='missing_field', field='id')
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from detectors import made, quick
from detectors.envelope import Data, Envelope, Extras, OpenEnvelope, OwnRecord
from detectors.events import Activation, Event, Rejected, Tick, key_of
from detectors.labels import identifier
from detectors.rare import NONE, Rare
from detectors.scrub import attributes, scrub, written
from detectors.vocabulary import ACTIVATION, CHANNELS, TICK

__all__ = ["REASONS", "Activation", "Decoder", "resolve_subject"]

# Every reason a record can be rejected for: the values of the dead letters' header and of a metric's label.
REASONS: Final = (
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
    "fold_failed",
)

MAX_BYTES: Final = 64 * 1024
# The one record that may be larger: a policy's text is 32 KiB at most, and JSON may write each byte as two.
_MAX_POLICY: Final = 66 * 1024
MAX_DEPTH: Final = 32
_MOST_NAMES: Final = 65_536
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_0: Final = _EPOCH.toordinal()
_MS: Final = timedelta(milliseconds=1)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_AT: Final = re.compile(r" - at `\$\.?(.*)`$")

_scan: Final = quick.scan
quick.prepare(
    made.event(made.in_order(("", "", "", "") + (None,) * 4, (None,) * 44, 0, "", True), ("", b""), ""),
    CHANNELS,
    Rare,
    NONE,
    made.mean,
    attributes,
    made.resolved,
)
_strict: Final = msgspec.json.Decoder(Envelope).decode
_open: Final = msgspec.json.Decoder(OpenEnvelope).decode
_extras: Final = msgspec.json.Decoder(Extras).decode
_own_records: Final = msgspec.json.Decoder(OwnRecord).decode
_astuple: Final = msgspec.structs.astuple
_KNOWN: Final = frozenset(Data.__struct_fields__)
_NO_DATA: Final = Data()


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
        self._names: dict[str, tuple[str, bytes]] = {}
        #: The raw subject of the event that was decoded last.
        self.subject = ""

    def decode(self, raw: bytes | None, stamp: int) -> Event | Tick | Activation | Rejected:
        """One record's value with the broker's stamp in ms. :attr:`subject` is an event's raw subject."""
        if not raw:
            return Rejected("empty")
        if len(raw) > MAX_BYTES:
            return self._policy(raw) or Rejected("too_large")
        event: Event | None = _scan(raw)
        if event is None:
            return self._any(raw, stamp)
        if rejected := self._untimely(event.time, stamp):
            return rejected
        self.subject = subject = event.customer
        name = self._name(event.tenant, subject)
        event.customer, event.key = name
        return event

    def _untimely(self, time: int, stamp: int) -> Rejected | None:
        if time < self._floor:
            return Rejected("time_before_floor", "time")
        if stamp >= 0 and time > stamp + self._ahead:
            return Rejected("time_ahead_of_broker", "time")
        return None

    def _any(self, raw: bytes, stamp: int) -> Event | Tick | Activation | Rejected:
        """Any record: complete, and slower."""
        ascii = raw.isascii()
        if not ascii:
            try:
                raw.decode("utf-8")
            except UnicodeDecodeError:
                return Rejected("bad_utf8")
        own: dict[str, msgspec.Raw] = {}
        try:
            envelope = _strict(raw)
        except msgspec.ValidationError as error:
            # What is known nests three levels deep; only what is not can be a bomb.
            if _depth(raw) > MAX_DEPTH:
                return Rejected("too_deep")
            if raw.find(b'"io.rehuman.') >= 0 and (record := self._own(raw)) is not None:
                return record
            if not str(error).startswith("Object contains unknown field"):
                return _reason(str(error))
            opened = self._opened(raw)
            if isinstance(opened, Rejected):
                return opened
            envelope, own = opened
        except (msgspec.DecodeError, ValueError, RecursionError):
            return Rejected("too_deep" if _depth(raw) > MAX_DEPTH else "not_json")
        # specversion, id, source, type, time, subject, tenant, data
        fields = _astuple(envelope)
        kind: str = fields[3]
        if kind in (TICK, ACTIVATION):
            return self._own(raw) or Rejected("bad_tick" if kind == TICK else "bad_policy")
        time = _millis(fields[4])
        if rejected := self._untimely(time, stamp):
            return rejected
        data: Data = _NO_DATA if fields[7] is None else fields[7]
        raw_id: str = fields[5] or ""
        subject = raw_id or resolve_subject(None, data)
        if not subject:
            return Rejected("no_subject", "subject")
        tenant: str = fields[6] or "default"
        escaped = raw.find(b"\\") >= 0
        if escaped and (found := _CONTROL.search(f"{fields[1]}{fields[2]}{tenant}")):
            # CloudEvents forbids control characters; ids are told apart by one.
            return Rejected("wrong_value", "id" if found[0] in fields[1] else "source")
        name = self._name(tenant, subject)
        customer = name[0]
        extras = ""
        if raw_id and (escaped or raw.count(written(raw_id)) > 1):
            scrub(envelope, data, raw_id, customer)
            fields = _astuple(envelope)
            kind = fields[3]
            extras = attributes(own, raw_id, customer) if own else ""
        elif own:
            extras = attributes(own)
        event = made.event(
            made.in_order(fields, _astuple(data), time, tenant, ascii and not escaped), name, extras
        )
        event.anonymous = not raw_id or raw_id.startswith("anon:")
        event.size = len(raw)
        self.subject = subject
        return event

    def _name(self, tenant: str, subject: str) -> tuple[str, bytes]:
        """The pseudonym, and the key of its record; those of the default tenant are remembered."""
        if tenant != "default":
            customer = self._pseudonym(tenant, subject)
            return customer, key_of(tenant, customer)
        known = self._names.get(subject)
        if known is None:
            if len(self._names) >= _MOST_NAMES:
                self._names.clear()
            customer = self._pseudonym(tenant, subject)
            known = self._names[subject] = (customer, key_of(tenant, customer))
        return known

    def _opened(self, raw: bytes) -> tuple[Envelope, dict[str, msgspec.Raw]] | Rejected:
        """An event with fields of its own, and those fields as they were written."""
        try:
            envelope = _open(raw)
            own = _extras(raw).data or {}
        except msgspec.ValidationError as error:
            return _reason(str(error))
        except (msgspec.DecodeError, ValueError, RecursionError):
            return Rejected("not_json")
        return envelope, {name: value for name, value in own.items() if name not in _KNOWN}

    def _policy(self, raw: bytes) -> Activation | None:
        """An activation that is larger than any event may be."""
        if len(raw) > _MAX_POLICY or raw.find(b'"io.rehuman.policy"') < 0:
            return None
        found = self._own(raw)
        return found if isinstance(found, Activation) else None

    def _own(self, raw: bytes) -> Tick | Activation | Rejected | None:
        """A tick or an activation; None where the record is neither."""
        try:
            record = _own_records(raw)
        except (msgspec.DecodeError, ValueError, RecursionError):
            return None
        if record.type == TICK:
            return Tick(_millis(record.time), tuple(record.data.stale))
        if record.type == ACTIVATION:
            if not record.data.policy or record.data.version < 1:
                return Rejected("bad_policy")
            return Activation(_millis(record.time), record.data.version, record.data.policy)
        return None


def _millis(moment: datetime) -> int:
    """Milliseconds since the epoch, rounded down."""
    if moment.tzinfo is not UTC:
        return (moment - _EPOCH) // _MS
    seconds = (moment.hour * 60 + moment.minute) * 60 + moment.second
    return (moment.toordinal() - _DAY_0) * 86_400_000 + seconds * 1000 + moment.microsecond // 1000


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
    """How deep brackets nest outside strings; 0 where there are too few to tell."""
    if raw.count(b"[") + raw.count(b"{") <= MAX_DEPTH:
        return 0
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
