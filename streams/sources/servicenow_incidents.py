"""The UCI "incident management process enriched event log": one row per update of an incident.

The rows of an incident, in the order of their times, tell what changed from one to the next: its team, its
priority, reopened, resolved. What the log only knows from the end (``made_sla``, ``closed_*``,
``resolved_*``) is never read, as no score in mid-ticket could have known it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from streams.sources.api import EPOCH, Common, RefField, SourceCounts, SourceEvent, cloud_event, pseudonym
from streams.sources.files import RejectError, ordered, table

__all__ = ["ServiceNowIncidentsSource"]

NAME = "servicenow-incidents"
COLUMNS = (
    "number",
    "ident_state",
    "reopen_count",
    "sys_mod_count",
    "caller_id",
    "opened_at",
    "sys_updated_by",
    "sys_updated_at",
    "contact_type",
    "category",
    "priority",
    "assignment_group",
)
CHANNELS = {
    "Phone": "phone",
    "IVR": "phone",
    "Email": "email",
    "Self service": "web",
    "Direct opening": "ticket",
}
_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)")


class _Update(NamedTuple):
    """One row, checked; missing texts are empty. Sorts by time, the log's own counter, place in the files."""

    time: int  # ms, of a whole minute
    mod_count: int
    order: int
    place: str
    number: str
    state: str
    reopens: int
    caller: str
    opened: int | None  # ms
    by: str
    contact: str
    category: str
    priority: str
    group: str


class ServiceNowIncidentsSource:
    """Adapter ``servicenow-incidents``. The row id (``source_ref``) is ``number``."""

    name = NAME
    ref: RefField = "case_id"

    def read(self, paths: Sequence[Path], counts: SourceCounts) -> Iterator[SourceEvent]:
        """See :class:`streams.sources.api.Source`; naive times are UTC."""
        incidents: defaultdict[str, list[_Update]] = defaultdict(list)
        order = 0
        for path in paths:
            for place, fields in table(path, COLUMNS, counts):
                order += 1
                try:
                    update = _update(fields, order, place)
                except RejectError as reason:
                    counts.reject(str(reason), place)
                else:
                    incidents[update.number].append(update)
        events: list[SourceEvent] = []
        for updates in incidents.values():
            updates.sort()
            events.extend(_incident(updates, counts))
        yield from ordered(events)


def _update(fields: Sequence[str], order: int, place: str) -> _Update:
    number, state, reopens, mods, caller, opened, by, updated, contact, category, priority, group = [
        "" if text == "?" else text for text in fields
    ]
    if not number:
        raise RejectError("no_number")
    if not state:
        raise RejectError("no_state")
    try:
        counted = int(reopens), int(mods)
    except ValueError:
        raise RejectError("bad_number") from None
    since = _minute(opened) if opened else None
    about = (caller, since, by, contact, category, priority, group)
    return _Update._make((_minute(updated), counted[1], order, place, number, state, counted[0], *about))


def _minute(text: str) -> int:
    date, _, clock = text.partition(" ")
    return _date(date) + _clock(clock)


@lru_cache(maxsize=65_536)
def _date(text: str) -> int:
    match = _DATE.fullmatch(text)
    if match is None:
        raise RejectError("bad_time")
    day, month, year = map(int, match.groups())
    try:
        return (datetime(year, month, day, tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)
    except ValueError:
        raise RejectError("bad_time") from None


@lru_cache(maxsize=65_536)
def _clock(text: str) -> int:
    match = _CLOCK.fullmatch(text)
    hour, minute = map(int, match.groups()) if match else (24, 0)
    if hour > 23 or minute > 59:
        raise RejectError("bad_time")
    return (hour * 60 + minute) * 60_000


def _incident(updates: list[_Update], counts: SourceCounts) -> Iterator[SourceEvent]:
    """The events of one incident's rows, in their order."""
    story = _Story()
    caller = updates[0].caller
    time = latest = -1
    about, said = Common(None, {}), ("", "", "", "", "?")
    for ordinal, row in enumerate(updates, start=1):
        if row.order < latest:
            counts.clean("out_of_order", row.place)
        latest = max(latest, row.order)
        if row.time <= time:
            # The log knows minutes. A millisecond a row keeps their order where every sort would see it.
            counts.clean("same_minute", row.place)
        time = max(row.time, time + 1)
        if not row.caller:
            counts.clean("anonymous_caller", row.place)
        elif row.caller != caller:
            counts.clean("caller_changed", row.place)
            caller = row.caller
        changes = story.turn(row)
        counts.gave(*[name for name, _ in changes])
        saying = (row.caller, row.category, row.group, row.by, row.priority)
        if saying != said:
            said = saying
            about = Common(row.caller, _about(row))
        for name, data in changes:
            event_id = f"{row.number}/{ordinal}/{name.removeprefix('ticket.')}"
            if name == "ticket.created":
                # Its channel is its own.
                at = _opened(row, counts)
                yield cloud_event(name, at, NAME, event_id, row.caller, {**_about(row), **data})
            else:
                yield about.event(name, time, NAME, event_id, data)


class _Story:
    """What the rows of one incident have said so far; a missing value says nothing new."""

    def __init__(self) -> None:
        self._begun = False
        self._solved = False
        self._reopens = 0
        self._group = ""
        self._priority = ""

    def turn(self, row: _Update) -> list[tuple[str, dict[str, object]]]:
        """The types and special data of the row's events: at least one."""
        told: list[tuple[str, dict[str, object]]] = []
        if self._begun and self._group and row.group and self._group != row.group:
            teams: dict[str, object] = {"from_team": _team(self._group), "to_team": _team(row.group)}
            told.append(("ticket.assignment_changed", teams))
        if self._begun and self._priority and row.priority and self._priority != row.priority:
            told.append(("ticket.priority_changed", {}))
        if self._begun and row.reopens > self._reopens:
            told.append(("ticket.reopened", {}))
            self._solved = False
        if row.state == "Resolved" and not self._solved:
            told.append(("ticket.solved", {}))
        self._solved = row.state == "Resolved" or (self._solved and row.state == "Closed")
        # The first row is the creation; where it says "New" it says nothing more.
        if not told and (self._begun or row.state != "New"):
            told.append(("ticket.updated", {"result": _slug(row.state)}))
        if not self._begun:
            told.insert(0, ("ticket.created", {"channel": CHANNELS.get(row.contact, "other")}))
        self._begun = True
        self._reopens = max(self._reopens, row.reopens)
        self._group = row.group or self._group
        self._priority = row.priority or self._priority
        return told


def _opened(row: _Update, counts: SourceCounts) -> int:
    """When the incident was created: never after what is first known of it."""
    if row.opened is None:
        counts.clean("no_opened_at", row.place)
        return row.time
    if row.opened > row.time:
        counts.clean("opened_after_first_update", row.place)
    return min(row.opened, row.time)


def _about(row: _Update) -> dict[str, object]:
    return {
        "channel": "ticket",
        "journey": "support",
        "intent": _intent(row.category) if row.category else None,
        "case_id": row.number,
        # Names the owner of an event without a caller; with one the case is enough.
        "conversation_id": None if row.caller else row.number,
        "team": _team(row.group) if row.group else None,
        "agent_id": pseudonym(NAME, row.by) if row.by else None,
        "priority": row.priority,
    }


@lru_cache(maxsize=4_096)
def _team(group: str) -> str:
    return f"group-{_slug(group)}"


@lru_cache(maxsize=4_096)
def _intent(category: str) -> str:
    return f"category-{_slug(category)}"


@lru_cache(maxsize=4_096)
def _slug(text: str) -> str:
    return text.strip().lower().replace(" ", "-")
