"""Sessions of a booking site's visitors over their devices: one row a session.

The file says what was done in a session, not when: by convention a search is at its start, a message to a
host half-way, a booking request at its end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from streams.sources.api import EPOCH, RefField, SourceCounts, SourceEvent, cloud_event
from streams.sources.files import RejectError, ordered, table

__all__ = ["AirbnbSessionsSource"]

NAME = "airbnb-sessions"
COLUMNS = (
    "id_visitor",
    "id_session",
    "dim_device_app_combo",
    "ts_min",
    "ts_max",
    "did_search",
    "sent_message",
    "sent_booking_request",
)
# The second half of the device column. Everything else in it is a browser, but for "Other".
NATIVE = ("iOS", "Android")
TIME = "%Y-%m-%d %H:%M:%S"
MISSING = ("", "NULL")


class AirbnbSessionsSource:
    """Adapter ``airbnb-sessions``. The row id (``source_ref``) is ``id_session``."""

    name = NAME
    ref: RefField = "session"

    def read(self, paths: Sequence[Path], counts: SourceCounts) -> Iterator[SourceEvent]:
        """See :class:`streams.sources.api.Source`; naive times are UTC."""
        seen: set[str] = set()
        events: list[SourceEvent] = []
        for path in paths:
            for place, fields in table(path, COLUMNS, counts, delimiter="|"):
                fixes: list[str] = []
                try:
                    if fields[1] in seen:
                        raise RejectError("repeated_session")
                    given = _events(fields, fixes)
                except RejectError as reason:
                    counts.reject(str(reason), place)
                    continue
                seen.add(fields[1])
                for fix in fixes:
                    counts.clean(fix, place)
                counts.gave(*[name for name, _ in given])
                events.extend(event for _, event in given)
        yield from ordered(events)


def _events(fields: Sequence[str], fixes: list[str]) -> list[tuple[str, SourceEvent]]:
    visitor, session, device, first, last, *flags = ("" if text in MISSING else text for text in fields)
    if not session:
        raise RejectError("no_session")
    searched, wrote, booked = (_flag(text, fixes) for text in flags)
    start = _time(first)
    end = _time(last) if last else start
    if not last:
        fixes.append("no_end")
    if end < start:
        fixes.append("ends_before_it_starts")
        end = start
    if not visitor:
        fixes.append("anonymous_visitor")
    about: dict[str, object] = {
        "channel": _channel(device),
        "journey": "booking",
        "session_id": session,
        "device": device,
    }
    told: list[tuple[str, str, int, dict[str, object]]] = [("start", "session.start", start, {})]
    if searched:
        told.append(("search", "search", start, {}))
    if wrote:
        # A message to a host is no contact with the company: nobody there owes an answer to it.
        told.append(("message", "button_click", (start + end) // 2, {"field": "message-host"}))
    if booked:
        told.append(("booking", "purchase", end, {}))
    if len(told) == 1:
        told.append(("view", "page_view", start, {}))
    told.append(("end", "session.end", end, {}))
    return [
        (name, cloud_event(name, at, NAME, f"{session}/{suffix}", visitor or None, about | data))
        for suffix, name, at, data in told
    ]


def _channel(device: str) -> str:
    _, _, app = device.partition(" - ")
    if app in NATIVE:
        return "app"
    return "other" if app in ("Other", "") else "web"


def _flag(text: str, fixes: list[str]) -> bool:
    if text not in ("0", "1"):
        if text:
            raise RejectError("bad_flag")
        fixes.append("no_flag")
    return text == "1"


def _time(text: str) -> int:
    try:
        moment = datetime.strptime(text, TIME).replace(tzinfo=UTC)
    except ValueError:
        raise RejectError("bad_time") from None
    return (moment - EPOCH) // timedelta(milliseconds=1)
