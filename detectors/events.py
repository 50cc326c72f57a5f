"""One customer event as the detectors see it: decoded, checked, pseudonymous.

Field meanings are those of the event contract (``docs/events.md``); ``decode.py`` makes these from bytes, the
fold reads them and never changes them.
"""

from __future__ import annotations

from typing import Any, Final

from mypy_extensions import mypyc_attr

from detectors.rare import NONE, Rare
from detectors.records import Activation, Rejected, Tick

__all__ = ["Activation", "Event", "Rejected", "Tick", "from_list", "key_of", "to_tuple"]


# Where :func:`to_tuple` has what is in :class:`~detectors.rare.Rare`, and what that is of most events.
_RARE_AT: Final = (
    15,
    16,
    17,
    22,
    24,
    26,
    27,
    28,
    29,
    30,
    31,
    32,
    33,
    34,
    35,
    36,
    37,
    38,
    39,
    40,
    41,
    42,
    44,
    45,
    46,
    47,
    48,
)
_NOTHING: Final[list[Any]] = [*[""] * 14, *[None] * 13]


@mypyc_attr(acyclic=True)
class Event:
    """One accepted event. Times are integer milliseconds since the epoch; ``customer`` is a pseudonym;
    ``engagement`` is the mean of what was said of it, 0..1.
    """

    def __init__(
        self,
        tenant: str,
        customer: str,
        key: bytes,
        id: str,
        source: str,
        type: str,
        time: int,
        anonymous: bool,
        channel: str,
        journey: str,
        actor: str,
        direction: str,
        step: str,
        intent: str,
        case_id: str,
        session: str,
        conversation: str,
        device: str,
        release: str,
        language: str,
        segment: str,
        field: str,
        queue: str,
        result: str,
        first_time: bool | None,
        engagement: float | None,
        attributes: str,
        rare: Rare,
    ) -> None:
        self.tenant = tenant
        self.customer = customer
        # Of its customer's record.
        self.key = key
        self.id = id
        self.source = source
        self.type = type
        self.time = time
        self.anonymous = anonymous
        self.channel = channel
        self.journey = journey
        self.actor = actor
        self.direction = direction
        self.step = step
        self.intent = intent
        self.case_id = case_id
        self.session = session
        self.conversation = conversation
        self.device = device
        self.release = release
        self.language = language
        self.segment = segment
        self.field = field
        self.queue = queue
        self.result = result
        self.first_time = first_time
        self.engagement = engagement
        self.attributes = attributes
        self.rare = rare
        # Where the record lay; provenance only, never an input to a decision.
        self.partition = -1
        self.offset = -1
        # Its fact id, once somebody asked; whether it came too late to be scored; its size as it was sent.
        self.fact = ""
        # Of its type: where it stands among events of one moment, and whether the vocabulary has it.
        self.rank = 60
        self.known = True
        self.late = False
        self.size = 0

    # What few events say.

    @property
    def agent_id(self) -> str:
        return self.rare.agent_id

    @property
    def alert_id(self) -> str:
        return self.rare.alert_id

    @property
    def team(self) -> str:
        return self.rare.team

    @property
    def where(self) -> str:
        return self.rare.where

    @property
    def reason(self) -> str:
        return self.rare.reason

    @property
    def kind(self) -> str:
        return self.rare.kind

    @property
    def to_channel(self) -> str:
        return self.rare.to_channel

    @property
    def from_team(self) -> str:
        return self.rare.from_team

    @property
    def to_team(self) -> str:
        return self.rare.to_team

    @property
    def priority(self) -> str:
        return self.rare.priority

    @property
    def prefers(self) -> str:
        return self.rare.prefers

    @property
    def metric(self) -> str:
        return self.rare.metric

    @property
    def version(self) -> str:
        return self.rare.version

    @property
    def scale(self) -> str:
        return self.rare.scale

    @property
    def wait_s(self) -> float | None:
        return self.rare.wait_s

    @property
    def announced_wait_s(self) -> float | None:
        return self.rare.announced_wait_s

    @property
    def talk_s(self) -> float | None:
        return self.rare.talk_s

    @property
    def amount(self) -> float | None:
        return self.rare.amount

    @property
    def results(self) -> float | None:
        return self.rare.results

    @property
    def score(self) -> float | None:
        return self.rare.score

    @property
    def risk(self) -> float | None:
        return self.rare.risk

    @property
    def emotion(self) -> float | None:
        return self.rare.emotion

    @property
    def problem(self) -> bool | None:
        return self.rare.problem

    @property
    def last_contact(self) -> bool | None:
        return self.rare.last_contact

    @property
    def vulnerable(self) -> bool | None:
        return self.rare.vulnerable

    @property
    def profiling(self) -> bool | None:
        return self.rare.profiling

    @property
    def contact(self) -> bool | None:
        return self.rare.contact


def key_of(tenant: str, customer: str) -> bytes:
    """The key of a customer's record."""
    return f"{tenant}\x1f{customer}".encode()


def to_tuple(e: Event) -> tuple[object, ...]:
    """What ``ring.py`` keeps of an event; tenant and customer are those of the state around it."""
    return (
        e.id,
        e.source,
        e.type,
        e.time,
        e.anonymous,
        e.channel,
        e.journey,
        e.actor,
        e.direction,
        e.step,
        e.intent,
        e.case_id,
        e.session,
        e.conversation,
        e.device,
        e.agent_id,
        e.alert_id,
        e.team,
        e.release,
        e.language,
        e.segment,
        e.queue,
        e.where,
        e.field,
        e.reason,
        e.result,
        e.kind,
        e.to_channel,
        e.from_team,
        e.to_team,
        e.priority,
        e.prefers,
        e.metric,
        e.version,
        e.scale,
        e.wait_s,
        e.announced_wait_s,
        e.talk_s,
        e.amount,
        e.results,
        e.score,
        e.risk,
        e.emotion,
        e.first_time,
        e.problem,
        e.last_contact,
        e.vulnerable,
        e.profiling,
        e.contact,
        e.engagement,
        e.attributes,
        e.partition,
        e.offset,
        e.late,
        e.size,
        e.rank,
        e.known,
    )


def from_list(r: list[Any], tenant: str, customer: str) -> Event:
    """Back from :func:`to_tuple`."""
    said = [r[place] for place in _RARE_AT]
    e = Event(
        tenant,
        customer,
        key_of(tenant, customer),
        r[0],
        r[1],
        r[2],
        r[3],
        r[4],
        r[5],
        r[6],
        r[7],
        r[8],
        r[9],
        r[10],
        r[11],
        r[12],
        r[13],
        r[14],
        r[18],
        r[19],
        r[20],
        r[23],
        r[21],
        r[25],
        r[43],
        r[49],
        r[50],
        NONE if said == _NOTHING else Rare(*said),
    )
    e.partition, e.offset, e.late, e.size, e.rank, e.known = r[51:]
    return e
