"""What came of it: for each event at which a target is scored, whether the bad outcome followed.

Read from the source's own events and from nothing the fold found, so that a score cannot prove itself. A row
is labelled only where its whole window lies before the end of what is known: what has not had the time to
happen is not a good outcome.

>>> from streams.sources.api import cloud_event
>>> from streams.targets.spec import parse
>>> def call(n, start, end):
...     about = {"conversation_id": f"call{n}"}
...     yield cloud_event("ivr.enter", start * 1000, "acd", f"{n}/enter", "jane", about)
...     yield cloud_event("call.abandoned", end * 1000, "acd", f"{n}/end", "jane", about)
>>> events = [*call(1, 0, 60), *call(2, 600, 660), *call(3, 9_000, 9_060)]
>>> found = labels(parse("recontact=3600"), events)
>>> [(event_id, label.positive, label.lead) for (_, event_id), label in found.items()]
[('1/end', True, 540000), ('2/end', False, None)]
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from detectors import surveys
from detectors.vocabulary import HUMAN_CHANNELS, TYPES, UNKNOWN, canonical
from streams.sources.api import SourceEvent
from streams.targets.spec import TargetSpec

__all__ = ["GIVEN_UP", "KINDS", "Label", "Told", "labelled", "labels", "told"]

_CALL_ENDS: Final = frozenset(["call.ended", "call.abandoned"])
_CONVERSATION_ENDS: Final = frozenset(["conversation.ended", "conversation.abandoned"])
_ENDS: Final = _CALL_ENDS | _CONVERSATION_ENDS
#: Types of event at which each target is scored.
KINDS: Final[dict[str, frozenset[str]]] = {
    "recontact": _ENDS,
    "reopen": frozenset(["ticket.solved"]),
    "survey": frozenset(["survey.response"]),
    "abandon": frozenset(["call.queued", "conversation.enqueued"]),
}
#: Types of event that say that the customer did not wait.
GIVEN_UP: Final = frozenset(["call.abandoned", "conversation.abandoned"])
# What ends a wait in another way.
_SERVED: Final = frozenset(
    [*("call.connected", "call.ended", "call.voicemail"), *("conversation.assigned", "conversation.ended")]
)
# A normalised answer below the middle of its scale is a bad one.
BAD_ANSWER: Final = 0.5
# An event without an id of its contact goes on with the last one on its channel up to this much later.
_VISIT_GAP_MS: Final = 30 * 60_000
# What opens a contact whatever went before it has this rank in the vocabulary.
_FIRST_RANK: Final = 10


class Label(NamedTuple):
    """``lead`` is how long before the bad outcome the event was, in ms; None where none followed."""

    positive: bool
    lead: int | None
    customer: str


class _Data(msgspec.Struct, gc=False):
    channel: str | None = None
    case_id: str | None = None
    session_id: str | None = None
    conversation_id: str | None = None
    direction: str | None = None
    actor: str | None = None
    alert_id: str | None = None
    metric: str | None = None
    version: str | None = None
    scale: str | None = None
    score: float | None = None


class _Envelope(msgspec.Struct, gc=False):
    type: str
    tenant: str | None = None
    data: _Data | None = None


_decode: Final = msgspec.json.Decoder(_Envelope).decode
_NOTHING: Final = _Data()
# The customer, the channel, and what the source calls the contact there.
Contact = tuple[str, str, str]
_NO_CONTACT: Final = ("", "", "")


class Told(msgspec.Struct, gc=False):
    """What labels need of one event; ``begins`` where it begins a contact with people."""

    time: int
    ref: tuple[str, str]  # source and id
    type: str
    customer: str
    anonymous: bool
    tenant: str
    data: _Data
    contact: Contact = _NO_CONTACT
    begins: bool = False


class _Kind(msgspec.Struct, frozen=True, gc=False):
    """What the vocabulary says of a type, as contacts ask for it."""

    type: str
    channel: str
    direction: str
    actor: str
    opens: bool
    connects: bool
    first: bool  # it opens a contact whatever went before
    ends: bool


def _kind(name: str) -> _Kind:
    spec = TYPES.get(name, UNKNOWN)
    opens = spec.opens or name == "conversation.enqueued"
    connects, first = name == "call.connected", spec.rank == _FIRST_RANK
    return _Kind(name, spec.channel, spec.direction, spec.actor, opens, connects, first, name in _ENDS)


_KNOWN: Final = {name: _kind(name) for name in TYPES}


def told(events: Sequence[SourceEvent], until: int | None = None, contacts: bool = True) -> Iterator[Told]:
    """The events before ``until`` that can be read, each (source, id) once, as the fold takes them.

    ``contacts``: whether anybody asks which contacts they belong to.
    """
    seen: set[tuple[str, str]] = set()
    known = _Contacts()
    for event in events:
        time, _, source, event_id, key, value = event
        if (until is not None and time >= until) or not key:
            continue
        try:
            found = _decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue  # the fold rejects it
        ref = (source, event_id)
        if ref in seen:
            continue
        seen.add(ref)
        customer = key.decode("utf-8", "replace")
        anonymous = customer.startswith("anon:")
        tenant = found.tenant or "default"
        if tenant != "default":
            customer = f"{tenant}\x1f{customer}"
        kind = _KNOWN.get(found.type) or _kind(canonical(found.type))
        data = found.data or _NOTHING
        contact, begins = known.take(time, customer, kind, data) if contacts else (_NO_CONTACT, False)
        yield Told(time, ref, kind.type, customer, anonymous, tenant, data, contact, begins)


def labels(
    spec: TargetSpec, events: Sequence[SourceEvent], until: int | None = None, *, zone: str = "UTC"
) -> dict[tuple[str, str], Label]:
    """Labels by (source, id) of the event that is scored, of events in the order of their times.

    Nothing at or after ``until`` (ms) is looked at, and rows whose window is not over by then, or by the last
    event, are left out. ``zone`` is the one whose calendar months ``max`` counts in.
    """
    return labelled(spec, list(told(events, until, spec.name == "recontact")), until, zone)


def labelled(
    spec: TargetSpec, known: Sequence[Told], until: int | None = None, zone: str = "UTC"
) -> dict[tuple[str, str], Label]:
    """As :func:`labels`, of what :func:`told` gave, with contacts where the target asks for them."""
    if not known:
        return {}
    end = known[-1].time if until is None else min(until - 1, known[-1].time)
    if spec.name == "recontact":
        return _recontact(spec, known, end, zone)
    if spec.name == "reopen":
        return _reopen(known)
    if spec.name == "survey":
        return _survey(known)
    return _abandon(spec, known, end)


class _Contacts:
    """Which events begin a contact with people, of the customer's own making."""

    def __init__(self) -> None:
        self._names: set[Contact] = set()
        self._over: set[Contact] = set()
        self._last: dict[Contact, int] = {}  # of contacts without an id

    def take(self, time: int, customer: str, kind: _Kind, data: _Data) -> tuple[Contact, bool]:
        """The contact of an event, and whether it begins it; to be told all events, in their order."""
        channel = data.channel or kind.channel
        name = data.conversation_id or data.session_id
        if not name and channel in ("ticket", "email"):
            name = data.case_id
        here = (customer, channel, name or "")
        direction = data.direction or kind.direction
        opens = (
            kind.opens
            and direction == "inbound"
            and channel in HUMAN_CHANNELS
            and not data.alert_id
            and (kind.connects or (data.actor or kind.actor) == "customer")
        )
        begins = False
        if name:
            # The same thread may be opened again once it is over, but thanks in it are no new contact.
            if opens:
                begins = here not in self._names or (kind.first and here in self._over)
        else:
            last = self._last.get(here)
            self._last[here] = time
            if opens:
                gone = last is None or time - last > _VISIT_GAP_MS
                begins = gone or kind.first or here in self._over
        if begins or direction == "outbound":
            self._names.add(here)
        if kind.ends:
            self._over.add(here)
        elif begins:
            self._over.discard(here)
        return here, begins


class _Begun(NamedTuple):
    time: int
    place: int  # among all events
    contact: Contact


def _recontact(spec: TargetSpec, known: Sequence[Told], end: int, zone: str) -> dict[tuple[str, str], Label]:
    window = (spec.seconds or 0) * 1000
    month = _months(zone)
    begun: dict[str, list[_Begun]] = {}
    many: Counter[tuple[str, int]] = Counter()
    for place, one in enumerate(known):
        if one.begins and not one.anonymous:
            begun.setdefault(one.customer, []).append(_Begun(one.time, place, one.contact))
            if spec.most is not None:
                many[one.customer, month(one.time)] += 1
    found: dict[tuple[str, str], Label] = {}
    for place, one in enumerate(known):
        if one.type not in _ENDS or one.anonymous or one.time + window > end:
            continue
        if spec.most is not None and many[one.customer, month(one.time)] > spec.most:
            continue
        lead = _next(begun.get(one.customer, []), one, place)
        positive = lead is not None and lead <= window
        found[one.ref] = Label(positive, lead if positive else None, one.customer)
    return found


def _next(begun: list[_Begun], one: Told, place: int) -> int | None:
    """How long after ``one`` the next contact begins; the one that ends there may have begun at its end."""
    for at in range(bisect_left(begun, (one.time,)), len(begun)):
        start = begun[at]
        if start.contact != one.contact or start.place > place:
            return start.time - one.time
    return None


def _reopen(known: Sequence[Told]) -> dict[tuple[str, str], Label]:
    first: dict[tuple[str, str], Told] = {}
    again: dict[tuple[str, str], int] = {}
    for one in known:
        if not one.data.case_id:
            continue
        case = (one.tenant, one.data.case_id)
        if one.type == "ticket.solved":
            first.setdefault(case, one)
        elif one.type == "ticket.reopened" and case in first:
            again.setdefault(case, one.time)
    return {
        one.ref: Label(case in again, again[case] - one.time if case in again else None, one.customer)
        for case, one in first.items()
    }


def _survey(known: Sequence[Told]) -> dict[tuple[str, str], Label]:
    found: dict[tuple[str, str], Label] = {}
    for one in known:
        data = one.data
        if one.type != "survey.response" or data.score is None:
            continue
        value = surveys.value(data.metric or "", data.version or "", data.scale or "", data.score)
        if value is not None:
            bad = value < BAD_ANSWER
            found[one.ref] = Label(bad, 0 if bad else None, one.customer)
    return found


def _abandon(spec: TargetSpec, known: Sequence[Told], end: int) -> dict[tuple[str, str], Label]:
    window = (spec.seconds or 0) * 1000
    waiting: dict[tuple[str, str], Told] = {}
    found: dict[tuple[str, str], Label] = {}
    for one in known:
        place = (one.customer, one.data.conversation_id or one.data.session_id or "")
        if one.type in KINDS["abandon"]:
            waiting[place] = one
            if one.time + window <= end:
                found[one.ref] = Label(False, None, one.customer)
        elif one.type in GIVEN_UP or one.type in _SERVED:
            began = waiting.pop(place, None)
            if began is None or began.ref not in found or one.type in _SERVED:
                continue
            lead = one.time - began.time
            if lead <= window:
                found[began.ref] = Label(True, lead, one.customer)
    return found


def _months(zone: str) -> Callable[[int], int]:
    """The calendar month of a moment (ms), remembered by the hour."""
    place = UTC if zone == "UTC" else ZoneInfo(zone)
    hours: dict[int, int] = {}

    def month(time: int) -> int:
        hour = time // 3_600_000
        found = hours.get(hour)
        if found is None:
            moment = datetime.fromtimestamp(hour * 3600, place)
            found = hours[hour] = moment.year * 12 + moment.month
        return found

    return month
