"""The event as it is written: CloudEvents 1.0 with rehuman's ``data``, and nothing computed.

Types here are the contract's; a value of another type is an error with the field's name.

>>> import msgspec
>>> msgspec.json.decode(b'{"risk": 0.5, "journey": null}', type=Data).risk
0.5
>>> msgspec.json.decode(b'{"risk": 2}', type=Data)
Traceback (most recent call last):
msgspec.ValidationError: Expected `float` <= 1.0 - at `$.risk`
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Raw, Struct

__all__ = ["Consent", "Data", "Envelope", "OpenEnvelope", "OwnRecord", "RawEngagement"]

Unit = Annotated[float, Meta(ge=0, le=1)]
# Ten thousand days: more is a broken clock, not a wait.
Seconds = Annotated[float, Meta(ge=0, le=864_000_000)]
Whole = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Finite = Annotated[float, Meta(ge=-1e15, le=1e15)]


class RawEngagement(Struct):
    """How engaging the product is, each 0..1."""

    financial: Unit | None = None
    sentimental: Unit | None = None
    expertise: Unit | None = None
    temporal: Unit | None = None


class Consent(Struct):
    """What the customer allowed; absent means allowed by the company's other grounds."""

    profiling: bool | None = None
    contact: bool | None = None


class Data(Struct, forbid_unknown_fields=True):
    """``data`` of an event; every field is optional and null is the same as absent."""

    channel: str | None = None
    journey: str | None = None
    step: str | None = None
    intent: str | None = None
    case_id: str | None = None
    session_id: str | None = None
    conversation_id: str | None = None
    device: str | None = None
    direction: Literal["inbound", "outbound"] | None = None
    actor: Literal["customer", "company", "machine"] | None = None
    agent_id: str | None = None
    alert_id: str | None = None
    team: str | None = None
    release: str | None = None
    language: str | None = None
    segment: str | None = None
    engagement: RawEngagement | None = None
    first_time: bool | None = None
    problem: bool | None = None
    last_contact: bool | None = None
    risk: Unit | None = None
    emotion: Annotated[float, Meta(ge=-1, le=1)] | None = None
    prefers: str | None = None
    vulnerable: bool | None = None
    consent: Consent | None = None
    wait_s: Seconds | None = None
    announced_wait_s: Seconds | None = None
    talk_s: Seconds | None = None
    # Systems name priorities by number or by word.
    priority: str | Whole | None = None
    queue: str | None = None
    where: str | None = None
    field: str | None = None
    reason: str | None = None
    result: str | None = None
    results: Finite | None = None
    amount: Finite | None = None
    to_channel: str | None = None
    from_team: str | None = None
    to_team: str | None = None
    kind: str | None = None
    metric: Literal["ces", "csat", "nps"] | None = None
    version: str | None = None
    scale: str | None = None
    score: Finite | None = None


class Envelope(Struct):
    """The CloudEvents attributes that are read; other extensions are allowed and ignored."""

    specversion: Literal["1.0"]
    id: Annotated[str, Meta(min_length=1, max_length=128)]
    source: Annotated[str, Meta(min_length=1, max_length=256)]
    type: Annotated[str, Meta(min_length=1, max_length=256)]
    time: Annotated[datetime, Meta(tz=True)]
    subject: Annotated[str, Meta(max_length=256)] | None = None
    tenant: Annotated[str, Meta(max_length=64)] | None = None
    data: Data | None = None


class OpenData(Data, forbid_unknown_fields=False):
    """The same, for events that carry fields of their own."""


class OpenEnvelope(Envelope):
    """An event with unknown fields in ``data``: decoded twice, once for what is known."""

    data: OpenData | None = None


class Extras(Struct):
    """Only ``data``, with everything in it as it was written."""

    data: dict[str, Raw] | None = None


class OwnData(Struct):
    """``data`` of the records that are not a customer's."""

    stale: list[str] = []
    version: int = 0
    policy: str = ""


class OwnRecord(Struct):
    """A tick or the activation of a policy."""

    type: str
    time: Annotated[datetime, Meta(tz=True)]
    data: OwnData
