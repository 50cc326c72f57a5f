"""Counts and tables of a back-test, bounded by a span of event time."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from detectors.event_row import EventRow, as_row, offset_of
from detectors.events import key_of
from detectors.moment import Findings
from detectors.policy import Policy
from detectors.tables import TABLES, Row
from streams.sources.api import Source, SourceCounts, SourceEvent, rfc3339
from streams.ticks import TickAt

__all__ = ["Report", "table"]

SCORES: Final = [
    "time",
    "source_ref",
    "customer",
    "journey",
    "type",
    "effort",
    "effort_customer",
    "effort_acute",
    "effort_chronic",
    "ces",
    "human_need",
]
ALERTS: Final = ["time", "source_ref", "customer", "journey", "level", "cause", "effort", "human_need"]
_EVENT: Final = {name: place for place, name in enumerate(TABLES["events"].names)}
# The adapters' name of the field that holds the row id -> the column of events.
_REF: Final = {"id": "event_id", "conversation": "conversation", "case_id": "case_id", "session": "session"}
_SCORED: Final = [_EVENT[name] for name in SCORES[5:]]
_KIND: Final = 12  # the first column of its own of a table other than events
_FACT: Final = TABLES["surveys"].names.index("fact_id")
# Facts of which a later row of a higher version replaces an earlier one.
_FINAL: Final = ("abandonments", "channel_switches", "surveys")
Write = Callable[[Sequence[Any]], Any]


def table(stack: ExitStack, path: Path | None, columns: Sequence[str]) -> Write | None:
    """A CSV file with its header, open until ``stack`` closes; the function that writes a row."""
    if path is None:
        return None
    stream = stack.enter_context(path.open("w", newline="", encoding="utf-8"))
    writer = csv.writer(stream)
    writer.writerow(columns)
    return writer.writerow


class Report:
    """What the findings of all records come to. ``scores`` and ``alerts`` write a row of their tables."""

    def __init__(
        self,
        source: Source,
        items: Sequence[SourceEvent | TickAt],
        span: tuple[int, int],
        scores: Write | None = None,
        alerts: Write | None = None,
    ) -> None:
        self._items = items
        self._from, self._until = span
        self._ref = source.ref
        self._scores, self._alerts = scores, alerts
        self._plain = scores is None and alerts is None
        # Each customer's last event, to name an alert by.
        self._last: dict[bytes, Any] = {}
        self._final: dict[str, dict[str, Row]] = {name: {} for name in _FINAL}
        self._count: dict[str, Counter[str]] = {}
        self._events: dict[str, int] = {"scored": 0, "late": 0, "unscored": 0}
        self._least, self._most = 2**62, -(2**62)

    def take(self, findings: Findings) -> None:
        """What some records led to, in their order."""
        desk, told = findings.desk, 0
        rows = findings.found.get("events", ())
        if self._plain:
            self._count_events(rows)
            rows = ()
        for found in rows:
            if desk:
                # An alert is named by the last event before it.
                offset: Any = offset_of(found)
                while told < len(desk) and desk[told]["offset"] < offset:
                    self._alert(desk[told])
                    told += 1
            self._event(found)
        for message in desk[told:]:
            self._alert(message)
        for name, rows in findings.found.items():
            if name == "signals":
                for row in rows:
                    if self._inside(row[3]):
                        self._add("signals", row[_KIND])
            elif name in self._final:
                for row in rows:
                    if self._inside(row[3]):
                        # A higher version of the same fact comes later.
                        self._final[name][row[_FACT]] = row
            elif name == "dead_letters":
                for row in rows:
                    self._add("rejected_events", row[_KIND])

    def _count_events(self, rows: Sequence[Any]) -> None:
        """As :meth:`_event`, where no table is written."""
        scored = late = inside = 0
        least, most = self._least, self._most
        start, end = self._from, self._until
        for found in rows:
            if not isinstance(found, EventRow):
                self._event(found)
                continue
            time = found.e.time
            if not start <= time < end:
                continue
            inside += 1
            if found.late:
                late += 1
            elif found.coverage > 0.0 or found.human_need > 0.0:
                scored += 1
            if time < least:
                least = time
            if time > most:
                most = time
        self._least, self._most = min(least, self._least), max(most, self._most)
        self._events["scored"] += scored
        self._events["late"] += late
        self._events["unscored"] += inside - scored - late

    def _event(self, found: Any) -> None:
        if isinstance(found, EventRow):
            e = found.e
            time, late, key = e.time, found.late, e.key
            scored = not late and (found.coverage > 0.0 or found.human_need > 0.0)
        else:
            time, late, key = found[3], found[7], key_of(found[0], found[1])
            scored = not late and (found[_EVENT["coverage"]] > 0.0 or found[_EVENT["human_need"]] > 0.0)
        if self._alerts is not None:
            self._last[key] = found
        if not self._from <= time < self._until:
            return
        if time < self._least:
            self._least = time
        if time > self._most:
            self._most = time
        self._events["scored" if scored else "late" if late else "unscored"] += 1
        if scored and self._scores is not None:
            row = as_row(found)
            self._scores(
                [
                    rfc3339(time),
                    row[_EVENT[_REF[self._ref]]],
                    self._subject(row),
                    row[_EVENT["journey"]],
                    row[_EVENT["type"]],
                    *("" if row[place] is None else row[place] for place in _SCORED),
                ]
            )

    def _alert(self, message: dict[str, Any]) -> None:
        if not self._inside(message["time"]):
            return
        self._add("desk", message["type"])
        if message["type"] != "candidate.raised":
            return
        brief = message["data"]
        self._add("alerts", f"{brief['level']}/{brief['cause']}")
        if self._alerts is None:
            return
        last = self._last.get(key_of(message["tenant"], message["customer"]))
        row = None if last is None else as_row(last)
        self._alerts(
            [
                rfc3339(message["time"]),
                "" if row is None else row[_EVENT[_REF[self._ref]]],
                "" if row is None else self._subject(row),
                brief["journey"],
                brief["level"],
                brief["cause"],
                brief["effort"],
                brief["human_need"],
            ]
        )

    def _subject(self, row: Row) -> str:
        """The customer as the file has it, of a row of events; empty for an anonymous one."""
        place: Any = row[_EVENT["offset"]]
        item = self._items[place]
        subject = item.key.decode("utf-8", "replace") if isinstance(item, SourceEvent) else ""
        return "" if subject.startswith("anon:") else subject

    def _inside(self, time: Any) -> bool:
        return bool(self._from <= time < self._until)

    def _add(self, group: str, name: str) -> None:
        self._count.setdefault(group, Counter())[name] += 1

    @property
    def surveys(self) -> list[Row]:
        """Declared answers, as the table of that name has them."""
        return list(self._final["surveys"].values())

    def summary(self, counts: SourceCounts, policy: Policy) -> dict[str, Any]:
        """The report as plain data."""
        events = Counter({name: count for name, count in self._events.items() if count})
        groups = {"events": events, **self._count} if events else self._count
        kinds = {
            name: dict(sorted(Counter(str(row[_KIND]) for row in self._final[name].values()).items()))
            for name in ("abandonments", "channel_switches")
        }
        any_event = self._least <= self._most
        return {
            "rows": counts.rows,
            "rows_used": counts.used,
            "rows_rejected": {name: tally.count for name, tally in sorted(counts.rejected.items())},
            "rows_cleaned": {name: tally.count for name, tally in sorted(counts.cleaned.items())},
            "from": rfc3339(self._least) if any_event else None,
            "until": rfc3339(self._most) if any_event else None,
            "policy_version": policy.version,
            **{group: dict(sorted(found.items())) for group, found in sorted(groups.items())},
            **kinds,
        }
