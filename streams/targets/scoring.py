"""The score at each event at which a target is scored, and what the report says of it.

A policy is folded once; where one target has a section of its own and another has none, once more, as the
second's human need is then the main section's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from detectors.event_row import EventRow
from detectors.events import Event
from detectors.moment import Findings
from detectors.need import logistic
from detectors.policy import Policy
from detectors.tables import TABLES, Row
from detectors.targets import logit
from streams.clock import wall_ms
from streams.folding import Progress, fold_chunks
from streams.identity import Pseudonyms
from streams.sources.api import Source, SourceEvent
from streams.targets import declared
from streams.targets.labels import KINDS, Label, labelled, told
from streams.targets.references import Counts, references
from streams.targets.report import Decision, measured
from streams.targets.spec import TargetSpec
from streams.ticks import TickAt, under

__all__ = ["Asked", "Decisions"]

Ref = tuple[str, str]
Items = Sequence[SourceEvent | TickAt]
_EVENT = {name: place for place, name in enumerate(TABLES["events"].names)}


class Asked(msgspec.Struct, frozen=True):
    """What a report is to say: of which targets, beside which other policy, by which fields of the events."""

    targets: tuple[TargetSpec, ...]
    compare: Policy | None = None
    by: tuple[str, ...] = ()


class Scored(NamedTuple):
    """Scores just after an event; those that were not told yet are 0. ``place`` is its place in the log."""

    human_need: float
    effort: float
    effort_customer: float
    place: int


class Scores:
    """One policy's scores at the events that have a label."""

    def __init__(
        self,
        policy: Policy,
        specs: Sequence[TargetSpec],
        labels: dict[str, dict[Ref, Label]],
        items: Items,
    ) -> None:
        first = specs[0]
        own = [spec for spec in specs if spec.name in policy.targets]
        self._main = policy
        self._labels = labels
        self._items = items
        #: The policy to fold: human need is the first target's section.
        self.policy = policy.shows(first.name)
        # Read off the rows: the first target, and all that have no section where the first has none either.
        self._rows = [
            spec for spec in specs if spec.name == first.name or (first not in own and spec not in own)
        ]
        self._sections = [spec for spec in own if spec not in self._rows]
        self._left = [spec for spec in specs if spec not in self._rows and spec not in self._sections]
        self.watch = frozenset[str]().union(*(KINDS[spec.name] for spec in self._sections))
        self.found: dict[str, dict[Ref, Scored]] = {spec.text: {} for spec in specs}

    def take(self, findings: Findings) -> None:
        """What some records led to."""
        self._take(findings, self._rows)
        for seen in findings.watched:
            ref = self._ref(seen.e)
            for spec in self._sections:
                if ref in self._labels[spec.text]:
                    need = logistic(logit(self._main.targets[spec.name], seen.numbers, seen.labels))
                    self.found[spec.text][ref] = Scored(need, 0.0, 0.0, seen.e.offset)
        if findings.watched:
            self._take(findings, self._sections, need=False)

    def _take(self, findings: Findings, specs: Sequence[TargetSpec], need: bool = True) -> None:
        kinds = [(spec.text, KINDS[spec.name], self._labels[spec.text]) for spec in specs]
        for row in findings.found.get("events", ()):
            if not isinstance(row, EventRow):
                continue
            for text, types, labels in kinds:
                if row.e.type not in types:
                    continue
                ref = self._ref(row.e)
                if ref not in labels:
                    continue
                if row.late or not (row.coverage > 0.0 or row.human_need > 0.0):
                    continue
                human_need = row.human_need
                if not need:
                    human_need = self.found[text][ref].human_need
                effort = row.effort if row.scored else 0.0
                self.found[text][ref] = Scored(human_need, effort, row.effort_customer, row.e.offset)

    def _ref(self, e: Event) -> Ref:
        """By the record's place: the fold takes the customer's own id out of an event's."""
        item = self._items[e.offset]
        return (item.source, item.id) if isinstance(item, SourceEvent) else ("", "")

    def fold_again(self, names: Pseudonyms, progress: Progress | None) -> None:
        """Those that have no section beside a first that has one."""
        if self._left:
            for findings in fold_chunks(self._items, self._main, names, progress=progress):
                self._take(findings, self._left)


class Decisions:
    """All that is asked of the targets, on the way through one back-test."""

    def __init__(
        self,
        asked: Asked,
        policy: Policy,
        events: Sequence[SourceEvent],
        items: Items,
        source: Source,
        span: tuple[int, int],
    ) -> None:
        self._asked = asked
        self._events, self._items = events, items
        self._from, self._until = span
        known = list(told(events, None, any(spec.name != "reopen" for spec in asked.targets)))
        zone = getattr(source, "zone", "UTC")
        self._labels = {spec.text: labelled(spec, known, None, zone) for spec in asked.targets}
        self._counts: dict[str, dict[str, Counts]] = {
            spec.text: references(spec, known) for spec in asked.targets
        }
        self._policy = policy
        self._scores = Scores(policy, asked.targets, self._labels, items)
        self._other: Scores | None = None

    @property
    def policy(self) -> Policy:
        """The policy to fold."""
        return self._scores.policy

    @property
    def watch(self) -> frozenset[str]:
        """Types of event of which the fold is to say what was known."""
        return self._scores.watch

    def take(self, findings: Findings) -> None:
        """What some records led to."""
        self._scores.take(findings)

    def fold_again(self, names: Pseudonyms, progress: Progress | None) -> None:
        """Whatever needs another fold: targets without a section, and the policy to compare with."""
        self._scores.fold_again(names, progress)
        if self._asked.compare is not None:
            items = list(under(self._asked.compare, self._events, now_ms=wall_ms()))
            self._other = Scores(self._asked.compare, self._asked.targets, self._labels, items)
            other = self._other
            for findings in fold_chunks(items, other.policy, names, watch=other.watch, progress=progress):
                other.take(findings)
            other.fold_again(names, progress)

    def measured(self, surveys: Sequence[Row]) -> dict[str, Any]:
        """The parts of the report that speak of targets and of declared answers."""
        found = {spec.text: self._of(spec) for spec in self._asked.targets}
        return {"targets": found, "declared": declared.beside(surveys)}

    def _of(self, spec: TargetSpec) -> dict[str, Any]:
        scores = self._scores.found[spec.text]
        other = None if self._other is None else self._other.found[spec.text]
        rows, not_scored = [], 0
        for ref, label in self._labels[spec.text].items():
            scored = scores.get(ref)
            if scored is None or (other is not None and ref not in other):
                not_scored += 1
                continue
            item = self._items[scored.place]
            if not isinstance(item, SourceEvent) or not self._from <= item.time < self._until:
                continue
            beside = {"effort": scored.effort, "effort_customer": scored.effort_customer}
            beside |= {name: counts[ref] for name, counts in self._counts[spec.text].items()}
            compared = None if other is None else other[ref].human_need
            rows.append(Decision(item.time, item.value, label, scored.human_need, beside, compared))
        found = measured(rows, self._policy, self._asked.by)
        said = {"name": spec.name, "seconds": spec.seconds, "max": spec.most}
        section = spec.name in self._policy.targets
        said |= {"section": f"targets.{spec.name}" if section else "need", "not_scored": not_scored}
        if self._asked.compare is not None:
            found["compare"]["policy_version"] = self._asked.compare.version
        return said | found
