"""One customer event as the detectors see it: decoded, checked, pseudonymous.

Field meanings are those of the event contract (``docs/events.md``); ``decode.py`` makes these structs from
bytes, the fold reads them and never changes them.
"""

from __future__ import annotations

from msgspec import Struct

__all__ = ["Engagement", "Event", "Rejected", "Tick"]


class Engagement(Struct, frozen=True, gc=False, array_like=True):
    """How engaging the product is for this customer, each 0..1 or None where nobody said."""

    financial: float | None = None
    sentimental: float | None = None
    expertise: float | None = None
    temporal: float | None = None


class Event(Struct, gc=False):
    """One accepted event. Times are integer milliseconds since the epoch; ``customer`` is a pseudonym."""

    id: str
    source: str
    type: str
    time: int
    tenant: str
    customer: str
    anonymous: bool
    channel: str
    journey: str
    actor: str
    direction: str
    step: str = ""
    intent: str = ""
    case_id: str = ""
    session: str = ""
    conversation: str = ""
    device: str = ""
    agent_id: str = ""
    alert_id: str = ""
    team: str = ""
    release: str = ""
    language: str = ""
    segment: str = ""
    queue: str = ""
    where: str = ""
    field: str = ""
    reason: str = ""
    result: str = ""
    kind: str = ""
    to_channel: str = ""
    from_team: str = ""
    to_team: str = ""
    priority: str = ""
    prefers: str = ""
    metric: str = ""
    version: str = ""
    scale: str = ""
    wait_s: float | None = None
    announced_wait_s: float | None = None
    talk_s: float | None = None
    amount: float | None = None
    results: float | None = None
    score: float | None = None
    risk: float | None = None
    emotion: float | None = None
    first_time: bool | None = None
    problem: bool | None = None
    last_contact: bool | None = None
    vulnerable: bool | None = None
    profiling: bool | None = None
    contact: bool | None = None
    engagement: Engagement | None = None
    attributes: str = ""
    # Where the record lay; provenance only, never an input to a decision.
    partition: int = -1
    offset: int = -1


class Tick(Struct, frozen=True, gc=False):
    """Time passing, as a record of the log: ``time`` in ms; ``stale`` names the sources that are silent."""

    time: int
    stale: tuple[str, ...] = ()


class Rejected(Struct, frozen=True, gc=False):
    """Why a record cannot be an event: ``reason`` from a bounded set, ``field`` a contract name or empty.

    Neither ever holds a value of the record: reasons end up in labels, headers and logs.
    """

    reason: str
    field: str = ""
