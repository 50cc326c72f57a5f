"""The row of an event: kept as what it is made of until somebody looks at it.

There is one for each event, and most go straight into a block of columns, which the compiled build writes out
of the event and the scores as they lie in memory.

>>> from detectors.examples import fold
>>> made = fold(("page_view", 0, {"step": "pay"})).out.found["events"][0]
>>> isinstance(made, EventRow), as_row(made)[12:16], as_row(made)[33:35]
(True, ('page_view', 'web', 'default', 'pay'), (None, None))
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from mypy_extensions import mypyc_attr

from detectors import quick
from detectors.events import Event
from detectors.rare import Rare
from detectors.tables import COMMON, Row

__all__ = ["EventRow", "as_row", "newest", "offset_of", "take_back"]

_NAMES: Final = [column.name for column in COMMON]
_SOURCE: Final = _NAMES.index("source")
_TIME: Final = _NAMES.index("time")
_OFFSET: Final = _NAMES.index("offset")


@mypyc_attr(acyclic=True)
class EventRow:
    """``scored``: whether enough was seen for ``effort`` and ``effort_customer`` to be told."""

    def __init__(
        self,
        e: Event,
        late: int,
        ver: int,
        policy: int,
        scored: bool = False,
        effort: float = 0.0,
        effort_customer: float = 0.0,
        acute: float = 0.0,
        chronic: float = 0.0,
        ces: float = 0.0,
        human_need: float = 0.0,
        coverage: float = 0.0,
        sum_acute: float = 0.0,
        sum_chronic: float = 0.0,
        sum_customer_acute: float = 0.0,
        sum_customer_chronic: float = 0.0,
    ) -> None:
        self.e = e
        self.late = late
        self.ver = ver
        self.policy = policy
        self.scored = scored
        self.effort = effort
        self.effort_customer = effort_customer
        self.acute = acute
        self.chronic = chronic
        self.ces = ces
        self.human_need = human_need
        self.coverage = coverage
        self.sum_acute = sum_acute
        self.sum_chronic = sum_chronic
        self.sum_customer_acute = sum_customer_acute
        self.sum_customer_chronic = sum_customer_chronic

    def row(self) -> Row:
        """In the order of the table's columns."""
        e = self.e
        return (
            e.tenant,
            e.customer,
            e.fact,
            e.time,
            e.id,
            e.source,
            0,
            self.late,
            self.ver,
            self.policy,
            e.partition,
            e.offset,
            e.type,
            e.channel,
            e.journey,
            e.step,
            e.intent,
            e.case_id,
            e.session,
            e.conversation,
            e.segment,
            e.release,
            e.device,
            e.priority,
            e.actor,
            e.direction,
            int(e.anonymous),
            e.queue,
            e.where,
            e.result,
            e.wait_s,
            e.talk_s,
            e.amount,
            self.effort if self.scored else None,
            self.effort_customer if self.scored else None,
            self.acute,
            self.chronic,
            self.ces if self.scored else None,
            self.human_need,
            self.coverage,
            self.sum_acute,
            self.sum_chronic,
            self.sum_customer_acute,
            self.sum_customer_chronic,
            e.attributes,
        )


quick.know_rows(EventRow, Event, Rare)


def as_row(found: Any) -> Row:
    """A row of any table, however it is kept."""
    if isinstance(found, EventRow):
        return found.row()
    row: Row = found
    return row


def offset_of(found: Any) -> object:
    """The offset of the record that a row tells of."""
    if isinstance(found, EventRow):
        return found.e.offset
    return found[_OFFSET] if len(found) > _OFFSET else -1


def take_back(rows: list[Any], offset: int) -> None:
    """The rows at the end that a record gave."""
    while rows and offset_of(rows[-1]) == offset:
        rows.pop()


def newest(rows: Sequence[Any]) -> dict[str, int]:
    """The event time (ms) of each source's last row of ``events``.

    The last of each stands for it: what all of them would tell more is a source's own disorder within half a
    second.
    """
    quickly = quick.newest(rows) if isinstance(rows, list) else None
    if quickly is not None:
        return quickly
    found: dict[str, int] = {}
    for row in rows:
        if isinstance(row, EventRow):
            found[row.e.source] = row.e.time
        else:
            found[row[_SOURCE]] = row[_TIME]
    return found
