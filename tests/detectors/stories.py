"""Stories of customers as logs: the same events in canonical order, or as they might arrive."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from detectors.examples import MONDAY
from detectors.log import LogFold
from detectors.moment import VERSIONS, Findings
from detectors.policy import Policy, default
from detectors.tables import PROVENANCE, TABLES, Row
from detectors.vocabulary import TICK, TYPES
from streams.desk_lane import DeskFold
from streams.lanes.api import Record
from streams.topics import TopicNames
from tests.detectors.traffic import rfc3339, some_data

__all__ = [
    "LATENESS",
    "STORIES",
    "Known",
    "Sent",
    "alerts_of",
    "arrivals",
    "canonical",
    "differences",
    "final",
    "final_candidates",
    "folded",
    "log_fold",
    "random_story",
    "sent",
    "tick",
]

SECOND = 1_000
MINUTE = 60_000
LATENESS = 60_000
FAR = MONDAY + 4_000 * 86_400_000
POLICY = default()
TOPICS = TopicNames("test")
LOAN: dict[str, Any] = {"journey": "loan", "step": "income", "channel": "web", "session_id": "s"}
ORDER: dict[str, Any] = {"journey": "order", "step": "pay", "channel": "web", "session_id": "s"}
CALL: dict[str, Any] = {"journey": "order", "channel": "phone", "conversation_id": "c1"}
CHAT: dict[str, Any] = {"journey": "order", "channel": "chat", "conversation_id": "c2"}
BOT: dict[str, Any] = {"journey": "loan", "channel": "bot", "conversation_id": "c3"}
Told = tuple[float, str, str, dict[str, Any]]  # seconds from its begin, source, type, data


class Sent(NamedTuple):
    """One record: what canonical order goes by, and its bytes."""

    time: int
    rank: int
    source: str
    id: str
    raw: bytes


# Each is full of events a few seconds apart, whose order matters to what is found.
STORIES: dict[str, list[Told]] = {
    "a form given up, finished after all": [
        (0, "web", "page_view", LOAN),
        (4, "web", "form_start", LOAN),
        (9, "web", "form_error", LOAN | {"field": "name"}),
        (11, "web", "rage_click", LOAN),
        (2_400, "web", "form_start", LOAN | {"step": "address"}),
        (2_410, "web", "form_submit", LOAN),
        (2_412, "web", "form_submit", LOAN | {"step": "address"}),
    ],
    "checkout fails, so to the telephone": [
        (0, "web", "session.start", ORDER | {"release": "r7", "device": "phone"}),
        (3, "web", "checkout_step", ORDER),
        (8, "web", "step.failed", ORDER | {"release": "r7"}),
        (12, "web", "help.offered", ORDER),
        (20, "web", "step.failed", ORDER),
        (31, "phone", "ivr.enter", CALL),
        (38, "phone", "ivr.exit", CALL | {"result": "queue"}),
        (40, "phone", "call.queued", CALL | {"announced_wait_s": 30}),
        (70, "phone", "call.abandoned", CALL | {"where": "queue"}),
        (75, "web", "page_view", ORDER),
        (90, "phone", "call.queued", CALL | {"conversation_id": "c9"}),
        (110, "phone", "call.connected", CALL | {"conversation_id": "c9"}),
        (130, "phone", "call.held", CALL | {"conversation_id": "c9", "wait_s": 12}),
        (150, "phone", "call.ended", CALL | {"conversation_id": "c9", "result": "resolved", "talk_s": 40}),
        (160, "web", "purchase", ORDER | {"amount": 9.5}),
    ],
    "asks for a person until there is an alert": [
        (0, "bot", "bot.message", BOT | {"first_time": True, "engagement": {"financial": 0.9}}),
        (2, "bot", "bot.fallback", BOT),
        (6, "bot", "human.requested", BOT),
        (9, "bot", "bot.fallback", BOT),
        (12, "bot", "human.requested", BOT | {"emotion": -0.4, "problem": True}),
        (19, "bot", "bot.ended", BOT | {"result": "left"}),
        (24, "bot", "human.requested", BOT | {"emotion": -0.8, "risk": 0.9}),
        (40, "web", "step.failed", LOAN),
        (55, "web", "purchase", LOAN | {"step": "sign"}),
        (58, "web", "human.requested", LOAN | {"prefers": "human"}),
    ],
    "a reply that comes too late": [
        (0, "chat", "message.sent", CHAT | {"intent": "refund"}),
        (14, "chat", "message.sent", CHAT),
        (400, "chat", "message.received", CHAT | {"actor": "company"}),
        (403, "chat", "conversation.ended", CHAT),
        (3_000, "chat", "message.sent", CHAT),
        (3_020, "chat", "message.received", CHAT | {"actor": "company"}),
    ],
    "a ticket, solved, opened again": [
        (0, "crm", "ticket.created", {"channel": "ticket", "case_id": "K1", "journey": "claim"}),
        (30, "crm", "ticket.updated", {"case_id": "K1", "journey": "claim"}),
        (60, "crm", "ticket.solved", {"case_id": "K1", "journey": "claim"}),
        (66, "crm", "ticket.reopened", {"case_id": "K1", "journey": "claim"}),
        (90, "crm", "complaint.opened", {"channel": "email", "case_id": "K1", "journey": "claim"}),
        (95, "crm", "survey.response", {"journey": "claim", "metric": "ces", "version": "2.0", "score": 2}),
    ],
    "leave taken back and given": [
        (0, "web", "page_view", ORDER),
        (5, "web", "form_start", ORDER),
        (9, "web", "page_view", ORDER | {"consent": {"profiling": False}}),
        (12, "web", "rage_click", ORDER),
        (20, "web", "page_view", ORDER | {"consent": {"profiling": True, "contact": False}}),
        (25, "web", "human.requested", ORDER | {"emotion": -1}),
        (30, "web", "page_view", ORDER | {"consent": {"contact": True}}),
        (33, "web", "human.requested", ORDER | {"emotion": -1}),
    ],
    "many of one moment": [
        (0, "web", "step.entered", LOAN),
        (10, "web", "step.failed", LOAN),
        (10, "phone", "call.queued", CALL),
        (10, "web", "step.completed", LOAN),
        (10, "web", "page_view", LOAN),
        (10, "phone", "call.abandoned", CALL | {"wait_s": 3}),
        (11, "own", "nobody.knows.this", {}),
    ],
}


def random_story(rng: random.Random, events: int, spread: float) -> list[Told]:
    """Any types with any fields, ``spread`` seconds apart in the mean."""
    found: list[Told] = []
    at = 0.0
    for _ in range(events):
        kind = rng.choice([*TYPES, "own.type"])
        found.append((round(at, 3), rng.choice(["web", "crm", "phone"]), kind, some_data(rng, kind)))
        at += rng.expovariate(1 / spread) if rng.random() < 0.8 else 0.0
    return found


def sent(told: Iterable[tuple[str, float, list[Told]]]) -> list[Sent]:
    """Records of stories, each of (customer, seconds after Monday nine o'clock, story)."""
    found = []
    for number, (customer, begin, story) in enumerate(told):
        for place, (at, source, kind, data) in enumerate(story):
            time = MONDAY + round((begin + at) * SECOND)
            event = {
                "specversion": "1.0",
                "id": f"{number}.{place}",
                "source": source,
                "type": kind,
                "time": rfc3339(time),
                "subject": customer,
                "data": data,
            }
            rank = TYPES[kind].rank if kind in TYPES else 60
            found.append(Sent(time, rank, source, f"{number}.{place}", json.dumps(event).encode()))
    return found


def tick(time: int, stale: Sequence[str] = ()) -> Sent:
    """Time itself; after all events of its moment."""
    data: dict[str, Any] = {"stale": list(stale)} if stale else {"fresh": "all"}
    raw = {"specversion": "1.0", "id": f"t{time}", "source": "t", "type": TICK, "time": rfc3339(time)}
    return Sent(time, 100, "", "", json.dumps(raw | {"data": data}).encode())


def canonical(records: Iterable[Sent]) -> list[Sent]:
    """The order in which everything happened."""
    return sorted(records, key=lambda one: one[:4])


def arrivals(
    records: Sequence[Sent], ticks: Iterable[Sent], delay: Callable[[], int], twice: Callable[[], bool]
) -> list[Sent]:
    """Each record after its own delay (ms), some of them twice; ticks are in time."""
    found = [(one.time + delay(), one) for one in records]
    found += [(one.time + delay(), one) for one in records if twice()]
    return [one for _, one in sorted([*found, *((one.time, one) for one in ticks)], key=lambda p: p[0])]


def log_fold(policy: Policy = POLICY) -> LogFold:
    return LogFold(0, policy, lambda _, subject: f"p-{subject}", lambda *_: "sealed")


def folded(
    records: Iterable[Sent],
    policy: Policy = POLICY,
    *,
    restart: Callable[[], bool] = lambda: False,
) -> tuple[Findings, LogFold]:
    """Fold records; before each of them the process may end and begin again with what it had kept."""
    log, out = log_fold(policy), Findings()
    kept: dict[bytes, bytes] = {}
    for offset, one in enumerate(records):
        if restart():
            for key, value in log.fold.changed():
                if value is None:
                    kept.pop(key, None)
                else:
                    kept[key] = value
            log = log_fold(policy)
            for key, value in kept.items():
                log.fold.load(key, value)
        outcome = log.record(one.raw, FAR, offset, out)
        assert isinstance(outcome, str), outcome
    return out, log


Known = dict[tuple[str, str], dict[str, Any]]
_NOT_SAID = frozenset(PROVENANCE)


def _latest(table: str, rows: Iterable[Row], found: Known) -> None:
    names = TABLES[table].names
    for values in rows:
        row = dict(zip(names, values, strict=True))
        key = table, str(row["fact_id"])
        known = found.get(key)
        assert known is None or known["ver"] != row["ver"], f"{key} is said twice with ver {row['ver']}"
        if known is None or row["ver"] > known["ver"]:
            found[key] = row


def final(out: Findings) -> Known:
    """What is left in the tables: of each fact the row of its highest version, unless it is retracted."""
    found: Known = {}
    for table, rows in out.rows.items():
        _latest(table, rows, found)
    return _said(found)


def _said(found: Known) -> Known:
    return {
        key: {name: value for name, value in row.items() if name not in _NOT_SAID}
        for key, row in found.items()
        if not row["retracted"]
    }


def final_candidates(out: Findings) -> dict[tuple[str, str, int], Any]:
    """What is left of the candidates: each step by (id, type, how often before), without its epoch."""
    found: dict[tuple[str, str, int], Any] = {}
    highest: dict[str, int] = {}
    for message in out.desk:
        ident = message["id"]
        if message["ver"] <= highest.get(ident, 0):
            continue  # as the desk does: raised, forgotten and raised in one moment it is one
        highest[ident] = message["ver"]
        if message["type"] in ("candidate.amended", "candidate.withdrawn"):
            for step in message["before"]:
                found.pop((ident, step["type"], step["ver"]), None)
            steps = message["after"]
        else:
            steps = [message]
        for step in steps:
            bare = {name: value for name, value in step.items() if name not in ("ver", "partition", "offset")}
            found[ident, step["type"], step["ver"] % VERSIONS] = bare
    return found


def alerts_of(out: Findings) -> Known:
    """What the desk leaves in ``alerts``."""
    desk = DeskFold(0, TOPICS)
    values = [msgspec.json.encode(message) for message in out.desk]
    letters = [
        output
        for output in desk.apply([Record(offset, 0, b"default", raw) for offset, raw in enumerate(values)])
        if output.topic != TOPICS.alerts
    ]
    assert letters == []
    found: Known = {}
    _latest("alerts", desk._rows, found)
    return _said(found)


def differences(one: dict[Any, Any], other: dict[Any, Any]) -> list[str]:
    """The first few, in words."""
    found = [f"only in one: {one[key]}" for key in one.keys() - other.keys()]
    found += [f"only in the other: {other[key]}" for key in other.keys() - one.keys()]
    for key in one.keys() & other.keys():
        if one[key] != other[key]:
            names = [name for name in one[key] if one[key][name] != other[key].get(name)]
            found += [f"{key} {name}: {one[key][name]!r}, {other[key].get(name)!r}" for name in names]
    return sorted(found)[:12]
