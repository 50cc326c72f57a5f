"""Complaints to the Dutch employee insurance agency UWV (BPI Challenge 2016): one row a complaint.

Only the day of contact is known: noon stands for it, the moment that is least wrong for a day. Age and gender
are protected and offices are nobody's journey: those columns are never read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from streams.sources.api import EPOCH, RefField, SourceCounts, SourceEvent, cloud_event
from streams.sources.files import RejectError, ordered, table

__all__ = ["Bpi2016ComplaintsSource"]

NAME = "bpi2016-complaints"
COLUMNS = (
    "CustomerID",
    "ComplaintDossierID",
    "ComplaintID",
    "ContactDate",
    "ComplaintTheme_EN",
    "ComplaintSubtheme_EN",
    "ComplaintTopic_EN",
)
NOON = timedelta(hours=12)
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
NOT_GIVEN = ("n-a", "")


class Bpi2016ComplaintsSource:
    """Adapter ``bpi2016-complaints``. The row id (``source_ref``) is the dossier, ``ComplaintDossierID``."""

    name = NAME
    ref: RefField = "case_id"

    def read(self, paths: Sequence[Path], counts: SourceCounts) -> Iterator[SourceEvent]:
        """See :class:`streams.sources.api.Source`; dates are noon UTC of their day."""
        seen: set[str] = set()
        events: list[SourceEvent] = []
        for path in paths:
            for place, fields in table(path, COLUMNS, counts, delimiter=";", encoding="latin-1"):
                try:
                    event = _event(fields, seen)
                except RejectError as reason:
                    counts.reject(str(reason), place)
                    continue
                if not fields[0]:
                    counts.clean("anonymous_customer", place)
                counts.gave("complaint.opened")
                events.append(event)
        yield from ordered(events)


def _event(fields: Sequence[str], seen: set[str]) -> SourceEvent:
    customer, dossier, complaint, date, theme, subtheme, topic = fields
    if not complaint or not dossier:
        raise RejectError("no_complaint_id")
    if complaint in seen:
        raise RejectError("repeated_complaint")
    at = _noon(date)
    seen.add(complaint)
    data: dict[str, object] = {
        # ContactChannelID is a number whose meaning the data set does not give.
        "channel": "other",
        "journey": "complaints",
        "intent": _slug(theme),
        "case_id": dossier,
        "conversation_id": None if customer else complaint,
        "kind": _slug(subtheme),
        "reason": _slug(topic),
    }
    return cloud_event("complaint.opened", at, NAME, f"{complaint}/opened", customer or None, data)


def _noon(date: str) -> int:
    if not _DATE.fullmatch(date):
        raise RejectError("bad_date")
    try:
        day = datetime.fromisoformat(date).replace(tzinfo=UTC)
    except ValueError:
        raise RejectError("bad_date") from None
    return (day + NOON - EPOCH) // timedelta(milliseconds=1)


def _slug(text: str) -> str | None:
    slug = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return None if slug in NOT_GIVEN else slug
