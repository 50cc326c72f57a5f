"""A candidate as the desk is told it, and an alert event as a row of ``alerts``."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from detectors.ids import fact_id
from detectors.moment import VERSIONS
from detectors.tables import Row

__all__ = ["SOURCE", "Candidate", "Step", "alert_row"]

SOURCE = "rehuman/desk"
_encode = msgspec.json.Encoder().encode


class Step(msgspec.Struct):
    """What had been said of a candidate: its type, how often before, and when."""

    type: str
    ver: Annotated[int, msgspec.Meta(ge=1, lt=VERSIONS)]
    time: int


class Candidate(msgspec.Struct, kw_only=True):
    """One message of the events lanes; ``data`` is the brief, absent on a completion."""

    type: str
    # Key and value of a state record.
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    ver: Annotated[int, msgspec.Meta(ge=1, lt=2**32)]
    time: int
    tenant: str
    customer: str
    partition: int = -1
    offset: int = -1
    outcome: str = ""
    data: dict[str, Any] | None = None
    # Of an amendment: what had been said, and all that holds instead.
    before: list[Step] = []
    after: list[Candidate] = []


def alert_row(candidate: Candidate, name: str, brief: dict[str, Any], *, retracted: bool = False) -> Row:
    """One alert event as a row of ``alerts``; lists are JSON.

    Its id is of the alert, of what happened and of how often: a candidate that is told anew after something
    came out of order ("epoch") replaces its rows, and retracts those of what did not happen after all.
    """
    epoch, ver = divmod(candidate.ver, VERSIONS)
    trigger = brief.get("trigger_event", {})

    def text(field: str) -> str:
        return str(brief.get(field) or "")

    def json(field: str) -> str:
        return _encode(brief.get(field) or []).decode()

    return (
        candidate.tenant,
        candidate.customer,
        fact_id("alert-event", candidate.id, name, str(ver)),
        candidate.time,
        f"{candidate.id}/{ver}",
        SOURCE,
        int(retracted),
        0,
        2 * epoch + (0 if retracted else 1),
        brief.get("policy_version", 0),
        candidate.partition,
        candidate.offset,
        name,
        candidate.id,
        text("team"),
        text("level"),
        text("customer_ref"),
        json("refs"),
        json("links"),
        text("journey"),
        text("step"),
        text("intent"),
        text("language"),
        brief.get("effort"),
        brief.get("effort_customer"),
        brief.get("ces"),
        brief.get("coverage", 0.0),
        brief.get("base", 0.0),
        brief.get("human_need", 0.0),
        text("cause"),
        text("override"),
        json("contributions"),
        json("factors"),
        json("tried"),
        json("do_not_ask"),
        text("recommended_channel"),
        brief.get("opened_at", candidate.time),
        text_of(trigger, "source"),
        text_of(trigger, "id"),
        "",
        "",
        "",
        text("outcome"),
    )


def text_of(found: dict[str, Any], field: str) -> str:
    """A string out of a nested object, empty where there is none."""
    return str(found.get(field) or "")
