"""The desk lane: what the folds propose becomes alerts. For now every candidate is raised as it comes.

State is one record an alert: the highest version said so far, so that a candidate computed again after a
crash says nothing new; and its briefs, so that its resolution can repeat the last one. Of those that ended,
too: something out of order may move the end, or take back what was said before it. So many of either are
remembered, those of which something was said last: most customers who need somebody never say that they do
not any more, and what is kept of each is kilobytes.

No record ends the worker: a candidate that cannot be read, whose alert could not be stored, or that raises
goes to the dead letters, and nothing of it stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from detectors.moment import VERSIONS
from detectors.policy import LEVELS
from detectors.tables import Row
from streams import metrics
from streams.alert_rows import SOURCE, Candidate, Step, alert_row
from streams.dead_letters import FOLD_FAILED, NOT_FOR_THE_DESK, dead_letter, where
from streams.fits import misfit
from streams.lanes.api import Output, Record
from streams.row_blocks import row_blocks
from streams.sources.api import rfc3339
from streams.topics import TopicNames

__all__ = ["DeskFold"]

# A brief is a few KiB. Its state must stay far below what a changelog takes, however its numbers are written.
MOST_BYTES = 64 * 1024
# Alerts that are remembered, of each partition. An end can only move within the lateness, a minute or so, and
# candidates are computed again from the last checkpoint, a second or two.
MOST_OPEN, MOST_ENDED = 20_000, 10_000
_SAYS = {
    "candidate.raised": "alert.raised",
    "candidate.updated": "alert.updated",
    "candidate.completed": "alert.resolved",
}
_AMENDS = ("candidate.amended", "candidate.withdrawn")
_KNOWN_LEVELS = (*LEVELS[1:], "none")
_encode = msgspec.json.Encoder().encode


class Said(msgspec.Struct, array_like=True):
    """What is kept of one alert."""

    ver: int
    brief: bytes = b""
    # Event time (ms) of its end; 0 while it is open.
    ended: int = 0
    # How often something had been said of it before ``brief``; and the briefs before that one, by the same.
    step: int = 0
    earlier: dict[int, bytes] = {}
    # Offset of the candidate that was the last to say something of it.
    offset: int = 0

    @property
    def over(self) -> bool:
        """Whether it ended, or was taken back."""
        return self.ended > 0 or not self.brief

    def without(self, steps: Iterable[int]) -> Said:
        """As it was before these steps had been said."""
        briefs = {**self.earlier, self.step: self.brief}
        left = {step: brief for step, brief in briefs.items() if step not in steps and brief}
        last = max(left, default=0)
        return Said(self.ver, left.pop(last, b""), 0, last, left)


_decoder = msgspec.json.Decoder(Candidate)
_said = msgspec.msgpack.Decoder(Said)


class DeskFold:
    """A :class:`streams.lanes.api.Fold` over candidates."""

    def __init__(self, partition: int, topics: TopicNames) -> None:
        self._partition = partition
        self._topics = topics
        self._alerts: dict[str, Said] = {}
        self._changed: set[str] = set()
        # Of which something was said last stand last.
        self._open: dict[str, None] = {}
        self._ended: dict[str, None] = {}
        self._rows: list[Row] = []
        # Alerts that were forgotten further on than where the lane began, and where.
        self._forgotten: dict[str, int] = {}
        self._restored = False

    def load(self, key: bytes, value: bytes) -> None:
        """See :class:`streams.lanes.api.Fold`."""
        self._alerts[key.decode()] = _said.decode(value)

    def gone(self, key: bytes, position: int) -> None:
        """See :class:`streams.lanes.api.Fold`."""
        self._forgotten[key.decode()] = position

    def ready(self) -> None:
        """State is complete; the first record tells how much of it is ahead."""
        self._restored = True

    def apply(self, records: Sequence[Record]) -> list[Output]:
        """Alerts for candidates that say something new; what is no candidate goes to the dead letters."""
        outputs: list[Output] = []
        if self._restored and records:
            self._restored = False
            self._place(records[0].offset)
        for record in records:
            try:
                candidate = _candidate(record.value)
                if record.offset < self._forgotten.get(candidate.id, 0):
                    continue  # said before it was forgotten
                output = self._alert(candidate)
            except _RefusedError as refused:
                output = self._dead_letter(record, NOT_FOR_THE_DESK, refused.field)
            except MemoryError:
                raise  # the process', not a record's
            except Exception as error:
                output = self._dead_letter(record, FOLD_FAILED, where(error))
            else:
                if output is not None:
                    self._alerts[candidate.id].offset = record.offset
                said = self._alerts.get(candidate.id)
                # Or it was ahead, and has reached its place.
                if said is not None and said.offset == record.offset:
                    self._remember(candidate.id)
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
            said = self._alerts.get(alert)
            yield alert.encode(), None if said is None else msgspec.msgpack.encode(said)

    def _alert(self, candidate: Candidate) -> Output | None:
        said = self._alerts.get(candidate.id)
        if said is not None and candidate.ver <= said.ver:
            return None
        if candidate.type in _AMENDS:
            return self._amended(candidate, said)
        name = _SAYS[candidate.type]
        brief, kept = _brief(candidate, said), _kept(candidate, said)
        row = _fitting(alert_row(candidate, name, brief))
        output = self._event(candidate, name, brief)
        # Only now, when nothing more can fail.
        self._keep(candidate, kept, [row], name, brief)
        return output

    def _amended(self, candidate: Candidate, said: Said | None) -> Output:
        """Something came out of order: what holds now takes the place of what had been said."""
        rows: list[Row] = []
        brief: dict[str, Any] = {}
        kept, name = Said(candidate.ver), "alert.retracted"
        left = None if said is None else said.without([step.ver for step in candidate.before])
        if candidate.after:
            said = left
        for told in candidate.after:
            name = _SAYS[told.type]
            told.partition, told.offset = candidate.partition, candidate.offset
            brief, said = _brief(told, said), _kept(told, said)
            kept = said
            rows.append(_fitting(alert_row(told, name, brief)))
        holds = {(told.type, told.ver % VERSIONS) for told in candidate.after}
        rows += [
            _fitting(_retracted(candidate, step))
            for step in candidate.before
            if (step.type, step.ver) not in holds
        ]
        if not candidate.after and left is not None and left.brief:
            # What had been said before that is settled, and holds again.
            brief, name, kept = _brief(candidate, left), "alert.updated", left
        elif not candidate.after:
            brief = _brief(candidate, said)
            # Nothing is left of it but that it was: for who looks at every row, not for who counts alerts.
            rows.append(_fitting(alert_row(candidate, name, brief, retracted=True)))
        elif name == "alert.raised":
            name = "alert.updated"  # to who has seen it raised
        output = self._event(candidate, name, brief)
        self._keep(candidate, kept, rows, name, brief)
        return output

    def _event(self, candidate: Candidate, name: str, brief: dict[str, Any]) -> Output:
        event = {
            "specversion": "1.0",
            "id": f"{candidate.id}/{candidate.ver}",
            "source": SOURCE,
            "type": name,
            "time": rfc3339(candidate.time),
            "data": brief,
        }
        return Output(self._topics.alerts, None, candidate.id.encode(), _encode(event))

    def _keep(
        self, candidate: Candidate, kept: Said, rows: Sequence[Row], name: str, brief: dict[str, Any]
    ) -> None:
        kept.ver = candidate.ver
        self._alerts[candidate.id] = kept
        self._changed.add(candidate.id)
        self._rows += rows
        level = brief.get("level", "none")
        metrics.ALERTS.labels(name, level if level in _KNOWN_LEVELS else "other").inc()

    def _place(self, start: int) -> None:
        """See of which alerts something was said last; what is ahead of ``start`` comes to its place."""
        for offset, alert in sorted((said.offset, alert) for alert, said in self._alerts.items()):
            if offset < start:
                self._remember(alert)

    def _remember(self, alert: str) -> None:
        """Of this one something was said last; forget the one for which there is no room any more."""
        self._open.pop(alert, None)
        self._ended.pop(alert, None)
        over = self._alerts[alert].over
        among, most = (self._ended, MOST_ENDED) if over else (self._open, MOST_OPEN)
        among[alert] = None
        if len(among) > most:
            oldest = next(iter(among))
            del among[oldest], self._alerts[oldest]
            self._changed.add(oldest)
            if not over:
                metrics.ALERTS_FORGOTTEN.inc()

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
    if candidate.type not in _SAYS and candidate.type not in _AMENDS:
        raise _RefusedError("type")
    if any(told.type not in _SAYS or told.after or told.before for told in candidate.after):
        raise _RefusedError("after")
    if any(step.type not in _SAYS for step in candidate.before):
        raise _RefusedError("before")
    return candidate


def _brief(candidate: Candidate, said: Said | None) -> dict[str, Any]:
    """What an alert event says: an end repeats the last brief."""
    if candidate.data is not None:
        brief = candidate.data
    else:
        brief = msgspec.json.decode(said.brief) if said is not None and said.brief else {}
        bare = {"alert_id": candidate.id, "tenant": candidate.tenant, "customer": candidate.customer}
        brief = bare | brief
    return brief | {"outcome": candidate.outcome} if candidate.outcome else brief


def _kept(candidate: Candidate, said: Said | None) -> Said:
    """What is kept of an alert after this."""
    before = Said(0) if said is None else said
    if candidate.data is None:
        return Said(candidate.ver, before.brief, max(candidate.time, 1), before.step, before.earlier)
    earlier = {**before.earlier, before.step: before.brief} if before.brief else {}
    return Said(candidate.ver, _encode(candidate.data), 0, candidate.ver % VERSIONS, earlier)


def _retracted(candidate: Candidate, step: Step) -> Row:
    """The row of something that has not happened after all."""
    ver = candidate.ver // VERSIONS * VERSIONS + step.ver
    was = msgspec.structs.replace(candidate, ver=ver, time=step.time)
    return alert_row(was, _SAYS[step.type], {}, retracted=True)


def _fitting(row: Row) -> Row:
    if column := misfit("alerts", row):
        raise _RefusedError(column)
    return row


def _unpackable(row: object, error: Exception) -> None:
    raise error  # every value was found to fit before its row was taken
