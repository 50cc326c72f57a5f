"""A few events of one customer, folded: what doctests and tests tell their stories with.

>>> found = fold(("rage_click", 0, {"step": "pay"}), ("form_error", 1_000, {"step": "pay"}))
>>> [(row["signal"], row["points"], row["from_step"]) for row in found.rows("signals")]
[('rage_click', 4.0, 'pay'), ('form_error', 2.0, 'pay')]
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from detectors.log import LogFold
from detectors.moment import Findings
from detectors.policy import Policy, default
from detectors.state import Customer
from detectors.tables import TABLES

__all__ = ["MONDAY", "Story", "fold", "hours", "minutes"]

# 2024-01-01, a Monday, 09:00 UTC: service hours begin. Times of the stories count from here.
MONDAY = 1_704_099_600_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DEFAULT = default()

Told = tuple[str, int, dict[str, Any]]


def minutes(count: float) -> int:
    """``count`` minutes in ms."""
    return round(count * 60_000)


def hours(count: float) -> int:
    """``count`` hours in ms."""
    return round(count * 3_600_000)


class Story:
    """One partition's fold over events told one by one."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.out = Findings()
        self.log = LogFold(0, policy or _DEFAULT, lambda _, subject: f"p-{subject}", lambda *_: "sealed")
        self._offset = 0

    def tell(self, kind: str, at: int, data: dict[str, Any] | None = None, **envelope: Any) -> Story:
        """One event ``at`` ms after Monday nine o'clock; ``envelope`` fields replace those made up."""
        data = data or {}
        event = {
            "specversion": "1.0",
            "id": str(self._offset),
            "source": "story",
            "type": kind,
            "time": (_EPOCH + timedelta(milliseconds=MONDAY + at)).isoformat(),
            "subject": "jane",
            "data": data,
        } | envelope
        outcome = self.log.record(json.dumps(event).encode(), MONDAY + at, self._offset, self.out)
        if not isinstance(outcome, str):
            raise ValueError(f"the story has a bad event: {outcome}")
        self._offset += 1
        return self

    def until(self, at: int) -> Story:
        """Let time pass: every timer that is due then or before fires."""
        return self.tell("io.rehuman.tick", at + _DEFAULT.document.time.lateness + 1)

    def rows(self, table: str, **where: object) -> list[dict[str, Any]]:
        """Final rows of a table, moments told from Monday nine o'clock."""
        columns = TABLES[table].columns
        latest: dict[str, dict[str, Any]] = {}
        for values in self.out.rows.get(table, []):
            row: dict[str, Any] = {}
            for column, value in zip(columns, values, strict=True):
                told = column.kind in ("ms", "msn") and isinstance(value, int)
                row[column.name] = value - MONDAY if told and isinstance(value, int) else value
            known = latest.get(row["fact_id"])
            if known is None or row["ver"] >= known["ver"]:
                latest[row["fact_id"]] = row
        return [row for row in latest.values() if all(row[name] == value for name, value in where.items())]

    @property
    def desk(self) -> list[dict[str, Any]]:
        """What went to the desk."""
        return self.out.desk

    @property
    def jane(self) -> Customer:
        """The state of the customer that most stories are about."""
        found = self.log.fold.customer("default", "p-jane")
        if found is None:
            raise ValueError("nothing was told of her")
        return found


def fold(*told: Told, until: int | None = None, policy: Policy | None = None) -> Story:
    """Events of one customer in the order given; then time passes ``until``."""
    story = Story(policy)
    for kind, at, data in told:
        story.tell(kind, at, data)
    return story if until is None else story.until(until)
