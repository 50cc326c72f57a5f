"""A story in a few lines, folded by the real fold: what the examples of ``docs/`` are told in.

One event a line: time, type, channel, journey/step, and fields of ``data`` as name=value. The day is Monday,
2024-05-06, in UTC unless the time says otherwise. Web and app events share a session a channel, others a
conversation, unless they name their own.

>>> found = story('''
...     09:00:00 page_view web order/basket
...     09:00:30 form_error web order/address
... ''')
>>> [(row["signal"], row["points"], row["step"]) for row in found.rows("signals")]
[('form_error', 2.0, 'address')]
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from detectors.log import LogFold
from detectors.moment import Findings
from detectors.policy import Policy, default
from detectors.tables import TABLES
from streams.sources.api import cloud_event
from streams.ticks import tick_record

__all__ = ["Story", "story"]

DAY = "2024-05-06T"


class Story:
    """What the fold found: rows by table, and what went to the desk."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Rows of a table in the order of their first version, each as its highest version says."""
        names = TABLES[table].names
        latest: dict[object, dict[str, Any]] = {}
        for values in self._findings.rows.get(table, []):
            row = dict(zip(names, values, strict=True))
            if row["ver"] >= latest.get(row["fact_id"], row)["ver"]:
                latest[row["fact_id"]] = row
        return list(latest.values())

    @property
    def alerts(self) -> list[dict[str, Any]]:
        """The briefs of candidates, raised and updated, oldest first."""
        return [message["data"] for message in self._findings.desk if "data" in message]


def story(text: str, *, until: str = "", policy: Policy | None = None) -> Story:
    """Fold the story of one customer, and then let time pass ``until``."""
    log = LogFold(0, policy or default(), lambda tenant, subject: subject, lambda tenant, subject: "ref")
    findings = Findings()
    lines = [line.split() for line in text.strip().splitlines()]
    for number, (at, kind, channel, place, *fields) in enumerate(lines):
        journey, _, step = place.partition("/")
        handle = "session_id" if channel in ("web", "app") else "conversation_id"
        data = {"channel": channel, "journey": journey, "step": step, handle: f"{channel}-1"}
        for field in fields:
            name, _, value = field.partition("=")
            data[name] = _value(value)
        time = _moment(at)
        event = cloud_event(kind, time, "docs", str(number), "c-1", data)
        outcome = log.record(event.value, time, number, findings)
        assert outcome == "event", outcome
    if until:
        log.record(tick_record(_moment(until)), _moment(until), len(lines), findings)
    return Story(findings)


def _moment(text: str) -> int:
    when = text if "T" in text else DAY + text
    return round(datetime.fromisoformat(when + "+00:00").timestamp() * 1000)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
