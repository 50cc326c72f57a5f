"""The desk lane: what the folds propose becomes alerts. For now every candidate is raised as it comes.

State is one record an alert: the highest version said so far, so that a candidate computed again after a
crash says nothing new; and the brief of an open one, so that its resolution can repeat it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from detectors.ids import fact_id
from detectors.tables import Row
from streams import metrics
from streams.dead_letters import dead_letter
from streams.events_lane import row_blocks
from streams.lanes.api import Output, Record
from streams.sources.api import rfc3339
from streams.topics import TopicNames

__all__ = ["DeskFold", "alert_row"]

SOURCE = "rehuman/desk"
NO_CANDIDATE = "not_for_the_desk"
_SAYS = {
    "candidate.raised": "alert.raised",
    "candidate.updated": "alert.updated",
    "candidate.completed": "alert.resolved",
}
_encode = msgspec.json.Encoder().encode


class Candidate(msgspec.Struct):
    """One message of the events lanes; ``data`` is the brief, absent on a completion."""

    type: str
    id: str
    ver: int
    time: int
    tenant: str
    customer: str
    partition: int
    offset: int
    outcome: str = ""
    data: dict[str, Any] | None = None


class Said(msgspec.Struct, array_like=True):
    """What is kept of one alert."""

    ver: int
    brief: bytes = b""


_decoder = msgspec.json.Decoder(Candidate)
_said = msgspec.msgpack.Decoder(Said)


class DeskFold:
    """A :class:`streams.lanes.api.Fold` over candidates."""

    def __init__(self, partition: int, topics: TopicNames) -> None:
        self._partition = partition
        self._topics = topics
        self._alerts: dict[str, Said] = {}
        self._changed: set[str] = set()
        self._rows: list[Row] = []

    def load(self, key: bytes, value: bytes) -> None:
        """See :class:`streams.lanes.api.Fold`."""
        self._alerts[key.decode()] = _said.decode(value)

    def ready(self) -> None:
        """Nothing more to do: state is complete as it was loaded."""

    def apply(self, records: Sequence[Record]) -> list[Output]:
        """Alerts for candidates that say something new; what is no candidate goes to the dead letters."""
        outputs: list[Output] = []
        for record in records:
            try:
                candidate = _decoder.decode(record.value or b"")
            except (msgspec.DecodeError, UnicodeDecodeError):
                candidate = None
            if candidate is None or candidate.type not in _SAYS:
                metrics.DEAD_LETTERS.labels(NO_CANDIDATE).inc()
                topics = self._topics
                outputs.append(dead_letter(topics, topics.desk, self._partition, record, NO_CANDIDATE))
                continue
            output = self._alert(candidate)
            if output is not None:
                outputs.append(output)
        return outputs

    def flush(self) -> list[Output]:
        """The alerts' rows since the last checkpoint."""
        rows, self._rows = self._rows, []
        return [
            Output(self._topics.facts, self._partition, None, raw)
            for raw in row_blocks("alerts", rows, self._partition)
        ]

    def changed(self) -> Iterable[tuple[bytes, bytes | None]]:
        """See :class:`streams.lanes.api.Fold`."""
        changed, self._changed = sorted(self._changed), set()
        for alert in changed:
            yield alert.encode(), msgspec.msgpack.encode(self._alerts[alert])

    def _alert(self, candidate: Candidate) -> Output | None:
        said = self._alerts.get(candidate.id)
        if said is not None and candidate.ver <= said.ver:
            return None
        name = _SAYS[candidate.type]
        if candidate.data is not None:
            brief = candidate.data
            kept = _encode(brief)
        else:
            brief = msgspec.json.decode(said.brief) if said is not None and said.brief else {}
            brief = {
                "alert_id": candidate.id,
                "tenant": candidate.tenant,
                "customer": candidate.customer,
            } | brief
            kept = b""
        if candidate.outcome:
            brief = brief | {"outcome": candidate.outcome}
        self._alerts[candidate.id] = Said(candidate.ver, kept)
        self._changed.add(candidate.id)
        self._rows.append(alert_row(candidate, name, brief))
        metrics.ALERTS.labels(name, brief.get("level", "none")).inc()
        event = {
            "specversion": "1.0",
            "id": f"{candidate.id}/{candidate.ver}",
            "source": SOURCE,
            "type": name,
            "time": rfc3339(candidate.time),
            "data": brief,
        }
        return Output(self._topics.alerts, None, candidate.id.encode(), _encode(event))


def alert_row(candidate: Candidate, name: str, brief: dict[str, Any]) -> Row:
    """One alert event as a row of ``alerts``; lists are JSON."""
    trigger = brief.get("trigger_event", {})

    def text(field: str) -> str:
        return str(brief.get(field) or "")

    def json(field: str) -> str:
        return _encode(brief.get(field) or []).decode()

    return (
        candidate.tenant,
        candidate.customer,
        fact_id("alert-event", candidate.id, name, str(candidate.ver)),
        candidate.time,
        f"{candidate.id}/{candidate.ver}",
        SOURCE,
        0,
        0,
        1,
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
