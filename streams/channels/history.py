"""The contacts of a history, as the fold itself tells them apart, and what came of each.

Files are folded once under the base policy, as a back-test does. After each record the contacts of those it
touched are looked at in their state, so that visits, matters and outcomes are the worker's own.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from detectors.contacts import related
from detectors.log import LogFold
from detectors.moment import Findings
from detectors.policy import Policy
from detectors.state import Contact, Customer
from detectors.tables import TABLES
from detectors.vocabulary import HUMAN_CHANNELS
from streams.clock import wall_ms
from streams.identity import Pseudonyms
from streams.sources.api import SourceEvent
from streams.ticks import TickAt, tick_record, under

__all__ = ["Settled", "Visit", "decided", "gather"]

Progress = Callable[[int, int], None]
EVERY: Final = 2_000
_EVENT: Final = {name: place for place, name in enumerate(TABLES["events"].names)}
# How a contact ends that leaves the matter where it was.
_UNSETTLED: Final = frozenset(["abandoned", "failed", "handed_over", "voicemail", "callback"])
# What the company itself says of it at the end.
_OPEN: Final = frozenset(["open", "unresolved"])

_Name = tuple[str, str, str, int]


class Visit:
    """One contact: what it was about, how it ended, and the journey's effort when it began and ended."""

    def __init__(self, customer: str, contact: Contact) -> None:
        self.customer = customer
        self.contact = contact
        self.result = ""
        self.begin: float | None = None
        self.end: float | None = None


class Settled:
    """A contact of which it is known whether it settled the matter."""

    def __init__(self, visit: Visit, settled: bool) -> None:
        self.customer = visit.customer
        self.intent = visit.contact.intent
        self.channel = visit.contact.channel
        self.start = visit.contact.start
        self.settled = settled
        self.effort = visit.end
        self.gained = None if visit.begin is None or visit.end is None else visit.end - visit.begin


def gather(
    events: Sequence[SourceEvent], policy: Policy, names: Pseudonyms, progress: Progress | None = None
) -> list[Visit]:
    """Fold ``events`` (in order) and give every contact of identified customers, in order of their begin."""
    log = LogFold(0, policy, names.pseudonym, names.reference)
    stamp = wall_ms()
    visits: dict[_Name, Visit] = {}
    done = 0
    timed: Iterable[SourceEvent | TickAt] = under(policy, events, now_ms=stamp)
    for offset, item in enumerate(timed):
        findings = Findings()
        raw = tick_record(item.time) if isinstance(item, TickAt) else item.value
        log.record(raw, stamp, offset, findings)
        _look(log, findings, visits)
        if isinstance(item, SourceEvent):
            done += 1
            if progress and done % EVERY == 0:
                progress(done, len(events))
    if progress:
        progress(done, len(events))
    return sorted(visits.values(), key=lambda visit: (visit.contact.start, visit.customer))


def _look(log: LogFold, findings: Findings, visits: dict[_Name, Visit]) -> None:
    """Take over what the record did to contacts: an event to its own, a time-out to any."""
    rows = findings.rows
    seen: dict[tuple[str, str], Customer | None] = {}
    # A time-out says of the contact under way that it was given up.
    for table in ("events", "abandonments"):
        for row in rows.get(table, ()):
            who = (str(row[0]), str(row[1]))
            if who not in seen:
                seen[who] = state = log.fold.customer(*who)
                if state is not None and not state.anonymous:
                    _take(state, visits)
    for row in rows.get("events", ()):
        state = seen[str(row[0]), str(row[1])]
        if state is None or state.anonymous:
            continue
        channel, time, effort = row[_EVENT["channel"]], row[3], row[_EVENT["effort"]]
        for contact in reversed(state.contacts):
            if contact.channel == channel and contact.last == time:
                visit = visits[_name(state, contact)]
                visit.result = str(row[_EVENT["result"]] or "") or visit.result
                if isinstance(effort, float):
                    visit.begin = effort if visit.begin is None else visit.begin
                    visit.end = effort
                break


def _name(state: Customer, contact: Contact) -> _Name:
    return state.tenant, state.customer, contact.channel, contact.start


def _take(state: Customer, visits: dict[_Name, Visit]) -> None:
    for contact in state.contacts:
        visit = visits.get(_name(state, contact))
        if visit is None:
            visits[_name(state, contact)] = Visit(f"{state.tenant}/{state.customer}", _copy(contact))
        elif _changed(visit.contact, contact):
            visit.contact = _copy(contact)


def _changed(a: Contact, b: Contact) -> bool:
    return a.last != b.last or a.outcome != b.outcome or a.intent != b.intent or a.case != b.case


def _copy(c: Contact) -> Contact:
    about = (c.channel, c.device, c.journey, c.intent, c.case, c.key)
    return Contact(*about, c.start, c.last, c.step, c.release, c.outcome)


def decided(visits: Sequence[Visit], window: int, until: int) -> list[Settled]:
    """Those whose ``window`` (ms) after their end is over by ``until``, and whether the matter was settled.

    It was where the contact did not fail, was not given up or passed on, its result does not say that the
    matter is open, and no further one about the same matter was begun within the window on a channel that
    reaches people. Nothing after ``until`` is looked at.
    """
    by_customer: dict[str, list[Contact]] = {}
    for visit in visits:
        if visit.contact.channel in HUMAN_CHANNELS:
            by_customer.setdefault(visit.customer, []).append(visit.contact)
    starts = {name: [contact.start for contact in found] for name, found in by_customer.items()}
    found = []
    for visit in visits:
        mine = visit.contact
        # Not even one that failed before the window is over: those that did not would be missing.
        if mine.last + window > until:
            continue
        settled = mine.outcome not in _UNSETTLED and visit.result not in _OPEN
        if settled and visit.customer in starts:
            later = by_customer[visit.customer]
            for other in later[bisect_right(starts[visit.customer], mine.start) :]:
                if other.start > mine.last + window:
                    break
                if related(mine, other):
                    settled = False
                    break
        found.append(Settled(visit, settled))
    return found
