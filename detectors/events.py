"""One customer event as the detectors see it: decoded, checked, pseudonymous.

Field meanings are those of the event contract (``docs/events.md``); ``decode.py`` makes these from bytes, the
fold reads them and never changes them.
"""

from __future__ import annotations

from typing import Any

from detectors.records import Activation, Rejected, Tick

__all__ = ["Activation", "Event", "Rejected", "Tick", "from_list", "key_of", "to_tuple"]


class Event:
    """One accepted event. Times are integer milliseconds since the epoch; ``customer`` is a pseudonym;
    ``engagement`` is the mean of what was said of it, 0..1.
    """

    def __init__(
        self,
        tenant: str,
        customer: str,
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
        agent_id: str,
        alert_id: str,
        team: str,
        release: str,
        language: str,
        segment: str,
        queue: str,
        where: str,
        field: str,
        reason: str,
        result: str,
        kind: str,
        to_channel: str,
        from_team: str,
        to_team: str,
        priority: str,
        prefers: str,
        metric: str,
        version: str,
        scale: str,
        wait_s: float | None,
        announced_wait_s: float | None,
        talk_s: float | None,
        amount: float | None,
        results: float | None,
        score: float | None,
        risk: float | None,
        emotion: float | None,
        first_time: bool | None,
        problem: bool | None,
        last_contact: bool | None,
        vulnerable: bool | None,
        profiling: bool | None,
        contact: bool | None,
        engagement: float | None,
        attributes: str,
        key: bytes,
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
        self.agent_id = agent_id
        self.alert_id = alert_id
        self.team = team
        self.release = release
        self.language = language
        self.segment = segment
        self.queue = queue
        self.where = where
        self.field = field
        self.reason = reason
        self.result = result
        self.kind = kind
        self.to_channel = to_channel
        self.from_team = from_team
        self.to_team = to_team
        self.priority = priority
        self.prefers = prefers
        self.metric = metric
        self.version = version
        self.scale = scale
        self.wait_s = wait_s
        self.announced_wait_s = announced_wait_s
        self.talk_s = talk_s
        self.amount = amount
        self.results = results
        self.score = score
        self.risk = risk
        self.emotion = emotion
        self.first_time = first_time
        self.problem = problem
        self.last_contact = last_contact
        self.vulnerable = vulnerable
        self.profiling = profiling
        self.contact = contact
        self.engagement = engagement
        self.attributes = attributes
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
    e = Event(
        tenant,
        customer,
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
        r[15],
        r[16],
        r[17],
        r[18],
        r[19],
        r[20],
        r[21],
        r[22],
        r[23],
        r[24],
        r[25],
        r[26],
        r[27],
        r[28],
        r[29],
        r[30],
        r[31],
        r[32],
        r[33],
        r[34],
        r[35],
        r[36],
        r[37],
        r[38],
        r[39],
        r[40],
        r[41],
        r[42],
        r[43],
        r[44],
        r[45],
        r[46],
        r[47],
        r[48],
        r[49],
        r[50],
        key_of(tenant, customer),
    )
    e.partition, e.offset, e.late, e.size, e.rank, e.known = r[51:]
    return e
