"""The desk lane: what the folds propose becomes alerts. For now every candidate is raised as it comes.

State is one record an alert: the highest version said so far, so that a candidate computed again after a
crash says nothing new; and the brief of an open one, so that its resolution can repeat it.

No record ends the worker: a candidate that cannot be read, whose alert could not be stored, or that raises
goes to the dead letters, and nothing of it stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import msgspec

from detectors.ids import fact_id
from detectors.policy import LEVELS
from detectors.tables import Row
from streams import metrics
from streams.dead_letters import FOLD_FAILED, NOT_FOR_THE_DESK, dead_letter, where
from streams.fits import misfit
from streams.lanes.api import Output, Record
from streams.row_blocks import row_blocks
from streams.sources.api import rfc3339
from streams.topics import TopicNames

__all__ = ["DeskFold", "alert_row"]

SOURCE = "rehuman/desk"
# A brief is a few KiB. Its state must stay far below what a changelog takes, however its numbers are written.
MOST_BYTES = 64 * 1024
_SAYS = {
    "candidate.raised": "alert.raised",
    "candidate.updated": "alert.updated",
    "candidate.completed": "alert.resolved",
}
_KNOWN_LEVELS = (*LEVELS[1:], "none")
_encode = msgspec.json.Encoder().encode


class Candidate(msgspec.Struct):
    """One message of the events lanes; ``data`` is the brief, absent on a completion."""

    type: str
    # Key and value of a state record.
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    ver: Annotated[int, msgspec.Meta(ge=1, lt=2**32)]
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
                output = self._alert(_candidate(record.value))
            except _RefusedError as refused:
                output = self._dead_letter(record, NOT_FOR_THE_DESK, refused.field)
            except MemoryError:
                raise  # the process', not a record's
            except Exception as error:
                output = self._dead_letter(record, FOLD_FAILED, where(error))
            if output is not None:
                outputs.append(output)
        return outputs

    def flush(self) -> list[Output]:
        """The alerts' rows since the last checkpoint."""
        rows, self._rows = self._rows, []
        return [
            Output(self._topics.facts, self._partition, None, raw)
            for raw in row_blocks("alerts", rows, self._partition, _unpackable)
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
        row = alert_row(candidate, name, brief)
        if column := misfit("alerts", row):
            raise _RefusedError(column)
        event = {
            "specversion": "1.0",
            "id": f"{candidate.id}/{candidate.ver}",
            "source": SOURCE,
            "type": name,
            "time": rfc3339(candidate.time),
            "data": brief,
        }
        output = Output(self._topics.alerts, None, candidate.id.encode(), _encode(event))
        # Only now, when nothing more can fail.
        self._alerts[candidate.id] = Said(candidate.ver, kept)
        self._changed.add(candidate.id)
        self._rows.append(row)
        level = brief.get("level", "none")
        metrics.ALERTS.labels(name, level if level in _KNOWN_LEVELS else "other").inc()
        return output

    def _dead_letter(self, record: Record, reason: str, field: str) -> Output:
        metrics.DEAD_LETTERS.labels(reason).inc()
        topics = self._topics
        said = f"{reason}:{field}" if field else reason
        return dead_letter(topics, topics.desk, self._partition, record, said)


class _RefusedError(Exception):
    """A record that is no candidate; ``field`` is the part to blame, where one is."""

    def __init__(self, field: str = "") -> None:
        super().__init__(field)
        self.field = field


def _candidate(raw: bytes | None) -> Candidate:
    if not raw or len(raw) > MOST_BYTES:
        raise _RefusedError
    try:
        candidate = _decoder.decode(raw)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise _RefusedError from None
    if candidate.type not in _SAYS:
        raise _RefusedError("type")
    return candidate


def _unpackable(row: Row, error: Exception) -> None:
    raise error  # every value was found to fit before its row was taken


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
