"""The Technion "Anonymous Bank" call centre: one row a call, through voice menu, queue and agent.

Each call becomes ``ivr.enter``, ``ivr.exit``, ``call.queued`` where it waited, ``call.connected`` where an
agent took it, and exactly one ``call.ended`` (AGENT) or ``call.abandoned`` (HANG). What is put right on the
way is counted under the names in ``docs/sources.md``; durations on the events are always the file's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from streams.sources.api import Common, RefField, SourceCounts, SourceEvent, pseudonym
from streams.sources.calls import Clocks, LocalDay, clock_seconds, put_right
from streams.sources.files import RejectError, ordered, table

__all__ = ["AnonymousBankSource"]

NAME = "anonymous-bank"
ZONE = "Asia/Jerusalem"
# Meanings as the Technion's documentation of the data set gives them.
INTENTS = {
    "PS": "regular-activity",
    "PE": "regular-activity-in-english",
    "IN": "internet-consulting",
    "NE": "stock-exchange",
    "NW": "potential-customer",
    "TT": "message-call-back",
}
NOBODY = "NO_SERVER"


class _Call(NamedTuple):
    """A row as text, in the order of :data:`COLUMNS`."""

    line: str
    call_id: str
    customer: str
    priority: str
    type: str
    date: str
    vru_entry: str
    vru_exit: str
    q_start: str
    q_exit: str
    q_time: str
    outcome: str
    ser_start: str
    ser_exit: str
    ser_time: str
    server: str


COLUMNS = ("vru+line", "call_id", "customer_id", *_Call._fields[3:])


class AnonymousBankSource:
    """Adapter ``anonymous-bank``. The row id (``source_ref``) is ``vru+line:call_id``."""

    name = NAME
    ref: RefField = "conversation"
    #: Whose calendar the rows are of.
    zone = ZONE

    def read(self, paths: Sequence[Path], counts: SourceCounts) -> Iterator[SourceEvent]:
        """See :class:`streams.sources.api.Source`; naive times are the bank's own, Asia/Jerusalem."""
        day = LocalDay(ZONE)
        seen: set[str] = set()
        events: list[SourceEvent] = []
        for path in paths:
            for place, fields in table(path, COLUMNS, counts):
                fixes: list[str] = []
                try:
                    given = _events(_Call._make(fields), day, fixes)
                    if given[0][1].id in seen:
                        raise RejectError("repeated_call")
                except RejectError as reason:
                    counts.reject(str(reason), place)
                    continue
                seen.add(given[0][1].id)
                for fix in fixes:
                    counts.clean(fix, place)
                counts.gave(*[name for name, _ in given])
                events += [event for _, event in given]
        yield from ordered(events)


def _events(call: _Call, day: LocalDay, fixes: list[str]) -> list[tuple[str, SourceEvent]]:
    """The call's events with their types, in the order of their times."""
    if call.outcome == "PHANTOM":
        raise RejectError("phantom")
    if call.outcome not in ("AGENT", "HANG"):
        raise RejectError("unknown_outcome")
    if not call.line or not call.call_id:
        raise RejectError("no_call_id")
    served = call.outcome == "AGENT"
    wait, service = (
        _seconds(call.q_time, "negative_wait", fixes),
        _seconds(call.ser_time, "negative_service", fixes),
    )
    clocks = (call.vru_entry, call.vru_exit, call.q_start, call.q_exit, call.ser_start, call.ser_exit)
    row = Clocks(*map(clock_seconds, clocks))
    moments = put_right(row, wait=wait, service=service, served=served, fixes=fixes)
    subject = None if call.customer in ("0", "") else call.customer
    if subject and not subject.isdigit():
        # "6.02701E+11": a spreadsheet rounded it. Kept, as it is still the only name there is.
        fixes.append("rounded_customer_id")
    ref = f"{call.line}:{call.call_id}"
    about = Common(
        subject,
        {
            "channel": "phone",
            "journey": "banking",
            "intent": INTENTS.get(call.type, call.type.lower()),
            "conversation_id": ref,
            "language": "en" if call.type == "PE" else "he",
            "priority": call.priority,
        },
    )
    queue = {"queue": call.type} if wait else {}
    agent = {"agent_id": pseudonym(NAME, call.server)} if call.server not in (NOBODY, "") else {}
    # Call ids are counted per line; with the date they cannot meet again in another month's file.
    place, date = f"{ref}@{call.date}", call.date

    def told(
        name: str, suffix: str, at: int, data: dict[str, object] | None = None
    ) -> tuple[str, SourceEvent]:
        return name, about.event(name, day.at(date, at), NAME, f"{place}/{suffix}", data)

    left = "queue" if wait else "agent" if served else "left"
    events = [
        told("ivr.enter", "enter", moments.enter),
        told("ivr.exit", "exit", moments.exit, {"result": left}),
    ]
    if moments.queued is not None:
        events.append(told("call.queued", "queued", moments.queued, {**queue}))
    if moments.connected is not None:
        connected = {**queue, **agent, "wait_s": wait}
        events.append(told("call.connected", "connected", moments.connected, connected))
    ended: dict[str, object] = {**queue, "wait_s": wait, "talk_s": service}
    if served:
        events.append(told("call.ended", "end", moments.end, {**ended, **agent}))
    else:
        ended["where"] = "queue" if wait else "ivr"
        events.append(told("call.abandoned", "end", moments.end, ended))
    return events


def _seconds(text: str, negative: str, fixes: list[str]) -> int:
    try:
        seconds = int(text)
    except ValueError:
        raise RejectError("bad_number") from None
    if seconds < 0:
        fixes.append(negative)
    return max(seconds, 0)
