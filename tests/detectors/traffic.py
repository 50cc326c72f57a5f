"""Random traffic of many customers: every type, every field, out of order, twice, late."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from detectors.examples import MONDAY
from detectors.policy import DEFAULT_TEXT
from detectors.vocabulary import ACTIVATION, TICK, TYPES

__all__ = ["Item", "log_of", "policy_text", "some_data"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = 60_000


class Item(NamedTuple):
    """One record of the log and whose it is; "" for everybody's."""

    subject: str
    raw: bytes
    time: int


def rfc3339(time: int) -> str:
    return (_EPOCH + timedelta(milliseconds=time)).isoformat()


def policy_text(version: int, **changes: str) -> str:
    """The default policy with some values replaced."""
    text = DEFAULT_TEXT.replace("version = 1\n", f"version = {version}\n")
    for key, value in changes.items():
        text = "\n".join(
            f"{key} = {value}" if line.split(" = ")[0].strip() == key else line for line in text.split("\n")
        )
    return text


def some_data(rng: random.Random, kind: str) -> dict[str, Any]:
    """Fields that an event of this type may come with."""
    data: dict[str, Any] = {"journey": rng.choice(["order", "loan", "claim", "default", "move"])}

    def may(chance: float, **fields: Any) -> None:
        if rng.random() < chance:
            data.update(fields)

    may(0.5, step=rng.choice(["a", "b", "pay", "cancel"]))
    may(0.4, intent=rng.choice(["refund", "explain_invoice"]))
    may(0.4, case_id=f"K{rng.randrange(3)}")
    may(0.5, session_id=f"s{rng.randrange(3)}")
    may(0.5, conversation_id=f"c{rng.randrange(4)}")
    may(0.3, device=rng.choice(["phone", "tablet"]))
    may(0.3, channel=rng.choice(["web", "app", "bot", "chat", "messaging", "phone", "email", "store"]))
    may(0.1, actor=rng.choice(["customer", "company", "machine"]))
    may(0.1, direction=rng.choice(["inbound", "outbound"]))
    may(0.4, wait_s=rng.choice([0, 3, 30, 400]), announced_wait_s=rng.choice([10, 60]))
    may(0.2, talk_s=rng.choice([0, 60]))
    may(0.3, where=rng.choice(["queue", "ivr", "form", "cart", "bot", "step"]))
    may(0.5, result=rng.choice(["resolved", "left", "handed_over", "queue"]))
    may(0.5, kind=rng.choice(["blind", "warm", "consult"]))
    may(0.2, release=rng.choice(["r1", "r2"]), segment=rng.choice(["x", "y"]), priority=rng.randrange(3))
    may(0.2, field=rng.choice(["name", "pin", "street"]), to_channel=rng.choice(["phone", "chat"]))
    may(0.1, emotion=rng.choice([-1, -0.5, 0.5]), prefers=rng.choice(["human", "web"]))
    may(0.1, first_time=True, risk=0.7, problem=True, engagement={"financial": 0.9})
    may(0.03, vulnerable=rng.random() < 0.7)
    may(0.03, consent={"profiling": rng.random() < 0.7, "contact": rng.random() < 0.7})
    may(0.1, from_team="a", to_team="b", language="en")
    may(0.05, alert_id="a1")
    if kind == "survey.response":
        data |= {"metric": "ces", "version": "2.0", "score": rng.randrange(1, 8)}
    return data


def log_of(seed: int, events: int, customers: int, *, span: int = 2_880 * MINUTE) -> list[Item]:
    """A log over ``span`` ms: nearly sorted, 3 % twice, 3 % late; ticks, and two policies."""
    rng = random.Random(seed)
    kinds = [*TYPES, "own.type"]
    made: list[tuple[int, Item]] = []
    for number in range(events):
        time = MONDAY + rng.randrange(span)
        kind = rng.choice(kinds)
        subject = f"customer-{rng.randrange(customers)}"
        event = {
            "specversion": "1.0",
            "id": f"e{number}",
            "source": rng.choice(["web", "crm"]),
            "type": kind,
            "time": rfc3339(time),
            "subject": subject,
            "data": some_data(rng, kind),
        }
        item = Item(subject, json.dumps(event).encode(), time)
        late = 90 * MINUTE if rng.random() < 0.03 else 0
        made.append((time + late + rng.randrange(30_000), item))
        if rng.random() < 0.03:
            made.append((time + rng.randrange(120 * MINUTE), item))
    for time in range(MONDAY, MONDAY + span + 15 * MINUTE, 15 * MINUTE):
        raw = {"specversion": "1.0", "id": f"t{time}", "source": "t", "type": TICK, "time": rfc3339(time)}
        made.append((time + 30_000, Item("", json.dumps(raw | {"data": {"fresh": "all"}}).encode(), time)))
    for version, at in ((2, span // 3), (3, 2 * span // 3)):
        since = MONDAY + at + 10 * MINUTE
        text = policy_text(version, lateness='"90s"', rage_click=str(3.0 + version), queue='"40min"')
        data = {"version": version, "policy": text}
        raw = {
            "specversion": "1.0",
            "id": f"p{version}",
            "source": "t",
            "type": ACTIVATION,
            "time": rfc3339(since),
        }
        item = Item("", json.dumps(raw | {"data": data}).encode(), since)
        # Ahead of its time, and told twice, as a retry would.
        made += [(MONDAY + at, item), (MONDAY + at + MINUTE, item)]
    last = MONDAY + span + 40 * 1_440 * MINUTE
    raw = {"specversion": "1.0", "id": "last", "source": "t", "type": TICK, "time": rfc3339(last)}
    made.append((last, Item("", json.dumps(raw | {"data": {"fresh": "all"}}).encode(), last)))
    return [item for _, item in sorted(made, key=lambda pair: pair[0])]
