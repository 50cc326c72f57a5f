"""Back-test: the worker's own fold over files, without a broker, and what it would have found.

The same events, the same ticks, the same code: scores equal the worker's to the last digit and findings have
the same ids, whatever the number of partitions.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from detectors.events import Rejected
from detectors.log import LogFold
from detectors.moment import Findings
from detectors.policy import Policy
from detectors.tables import TABLES, Row
from streams import policies
from streams.clock import monotonic, wall_ms
from streams.identity import Pseudonyms
from streams.settings import Settings
from streams.sources.api import Source, SourceCounts, SourceEvent, get_source, rfc3339
from streams.sources.files import read_merged
from streams.ticks import TickAt, tick_record, under

__all__ = ["Found", "fold_events", "run"]

Progress = Callable[[int, int], None]
PROGRESS_EVERY = 2_000

SCORES = [
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
ALERTS = ["time", "source_ref", "customer", "journey", "level", "cause", "effort", "human_need"]
_EVENT = {name: place for place, name in enumerate(TABLES["events"].names)}
# The adapters' name of the field that holds the row id -> the column of events.
_REF = {"id": "event_id", "conversation": "conversation", "case_id": "case_id", "session": "session"}


class Found(msgspec.Struct):
    """What one record led to."""

    raw: SourceEvent | TickAt
    outcome: str | Rejected
    subject: str
    scored: bool
    findings: Findings


def fold_events(
    items: Iterable[SourceEvent | TickAt],
    policy: Policy,
    names: Pseudonyms,
    watch: frozenset[str] = frozenset(),
) -> Iterator[Found]:
    """Fold ``items`` as one partition's log and give what each led to.

    Of events of a type in ``watch`` the findings say what was known just after each was folded.
    """
    log = LogFold(0, policy, names.pseudonym, names.reference)
    stamp = wall_ms()
    for offset, item in enumerate(items):
        raw = tick_record(item.time) if isinstance(item, TickAt) else item.value
        findings = Findings(watch)
        before = log.fold.counts.scored
        outcome = log.record(raw, stamp, offset, findings)
        if isinstance(outcome, Rejected):
            log.reject("file", outcome, raw, stamp, offset, findings)
        subject = "" if isinstance(item, TickAt) else item.key.decode("utf-8", "replace")
        yield Found(item, outcome, subject, log.fold.counts.scored > before, findings)


def run(
    settings: Settings,
    source: str | Source,
    files: Sequence[Path],
    *,
    start: int | None = None,
    until: int | None = None,
    scores_out: Path | None = None,
    alerts_out: Path | None = None,
    report_out: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Fold all of ``files``; report events from ``start`` to before ``until`` (ms). Returns the report.

    Raises SettingError for a wrong policy or file and OperationError for a file that cannot be read.
    """
    adapter = get_source(source) if isinstance(source, str) else source
    policy = policies.configured(settings)
    names = Pseudonyms.of(settings)
    counts = SourceCounts()
    began = monotonic()
    events = list(read_merged(adapter, files, counts))
    timed = under(policy, events, now_ms=wall_ms())
    report = _Report(adapter, start, until)
    with ExitStack() as stack:
        if scores_out is not None:
            report.scores = _table(stack, scores_out, SCORES)
        if alerts_out is not None:
            report.alerts = _table(stack, alerts_out, ALERTS)
        done = 0
        for found in fold_events(timed, policy, names):
            report.take(found)
            if isinstance(found.raw, SourceEvent):
                done += 1
                if progress and done % PROGRESS_EVERY == 0:
                    progress(done, len(events))
    if progress:
        progress(done, len(events))
    summary = report.summary(counts, policy, monotonic() - began)
    if report_out is not None:
        report_out.write_bytes(msgspec.json.format(msgspec.json.encode(summary)) + b"\n")
    return summary


def _table(stack: ExitStack, path: Path, columns: Sequence[str]) -> Callable[[Sequence[Any]], Any]:
    stream = stack.enter_context(path.open("w", newline="", encoding="utf-8"))
    writer = csv.writer(stream)
    writer.writerow(columns)
    return writer.writerow


class _Report:
    """Counts and tables of a back-test, bounded by a span of event time."""

    def __init__(self, source: Source, start: int | None, until: int | None) -> None:
        self._start = start if start is not None else -(2**62)
        self._until = until if until is not None else 2**62
        self._ref = _EVENT[_REF[source.ref]]
        self._subjects: dict[str, str] = {}
        self._refs: dict[tuple[str, str], str] = {}
        self._final: dict[str, dict[str, Row]] = {"abandonments": {}, "channel_switches": {}}
        self._count: dict[str, Counter[str]] = {}
        self._span: list[int] = []
        self.scores: Callable[[Sequence[Any]], Any] = lambda row: None
        self.alerts: Callable[[Sequence[Any]], Any] = lambda row: None

    def take(self, found: Found) -> None:
        """One record's findings."""
        for table, rows in found.findings.rows.items():
            for row in rows:
                if table == "events":
                    self._event(found, row)
                elif table in self._final:
                    if self._inside(row[3]):
                        # A higher version of the same fact comes later.
                        self._final[table][str(row[2])] = row
                elif table == "signals" and self._inside(row[3]):
                    self._add("signals", str(row[12]))
                elif table == "dead_letters":
                    self._add("rejected_events", str(row[12]))
        for message in found.findings.desk:
            self._alert(message)

    def _event(self, found: Found, row: Row) -> None:
        ref = str(row[self._ref])
        customer = str(row[1])
        self._refs[str(row[0]), customer] = ref
        subject = "" if found.subject.startswith("anon:") else found.subject
        self._subjects[customer] = subject
        time = row[3]
        if not self._inside(time):
            return
        self._add("events", "scored" if found.scored else "late" if row[7] else "unscored")
        self._span = [min([time, *self._span]), max([time, *self._span])]  # type: ignore[type-var, list-item]
        if found.scored:
            at = _EVENT
            self.scores(
                [
                    rfc3339(time),  # type: ignore[arg-type]  # ms by the catalogue
                    ref,
                    subject,
                    row[at["journey"]],
                    row[at["type"]],
                    *("" if row[at[name]] is None else row[at[name]] for name in SCORES[5:]),
                ]
            )

    def _alert(self, message: dict[str, Any]) -> None:
        if not self._inside(message["time"]):
            return
        self._add("desk", message["type"])
        if message["type"] != "candidate.raised":
            return
        brief = message["data"]
        customer = message["customer"]
        self._add("alerts", f"{brief['level']}/{brief['cause']}")
        self.alerts(
            [
                rfc3339(message["time"]),
                self._refs.get((message["tenant"], customer), ""),
                self._subjects.get(customer, ""),
                brief["journey"],
                brief["level"],
                brief["cause"],
                brief["effort"],
                brief["human_need"],
            ]
        )

    def _inside(self, time: object) -> bool:
        return self._start <= time < self._until  # type: ignore[operator]  # ms by the catalogue

    def _add(self, group: str, name: str) -> None:
        self._count.setdefault(group, Counter())[name] += 1

    def summary(self, counts: SourceCounts, policy: Policy, seconds: float) -> dict[str, Any]:
        """The report as plain data."""
        kinds = {
            table: dict(sorted(Counter(str(row[12]) for row in rows.values()).items()))
            for table, rows in self._final.items()
        }
        return {
            "rows": counts.rows,
            "rows_used": counts.used,
            "rows_rejected": {name: tally.count for name, tally in sorted(counts.rejected.items())},
            "rows_cleaned": {name: tally.count for name, tally in sorted(counts.cleaned.items())},
            "from": rfc3339(self._span[0]) if self._span else None,
            "until": rfc3339(self._span[1]) if self._span else None,
            "policy_version": policy.version,
            **{group: dict(sorted(found.items())) for group, found in sorted(self._count.items())},
            **kinds,
            "seconds": round(seconds, 3),
        }
