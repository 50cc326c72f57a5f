"""Transfers: blind and repeated ones are effort, consulting a colleague is not; so is a ticket sent round.

>>> from detectors.examples import fold
>>> told = [("call.transferred", at, {"kind": kind}) for at, kind in enumerate(["consult", "warm", "blind"])]
>>> [(row["signal"], row["points"]) for row in fold(*told).rows("signals")]
[('transfer_blind', 6.0), ('transfer_repeated', 6.0)]
"""

from __future__ import annotations

from typing import Final

from detectors.durations import DAY
from detectors.events import Event
from detectors.moment import Moment
from detectors.state import Journey

__all__ = ["SPEAKS", "on_event"]

SPEAKS: Final = frozenset(["ticket.assignment_changed", "call.transferred", "conversation.transferred"])


def on_event(m: Moment, e: Event, journey: Journey) -> None:
    """Charge a transfer by its kind; one of unknown kind counts as warm."""
    if e.type == "ticket.assignment_changed":
        if e.from_team and e.to_team and e.from_team != e.to_team:
            m.signal("reassigned", journey, channel=e.channel)
        return
    if e.type not in ("call.transferred", "conversation.transferred") or e.kind == "consult":
        return
    if m.time - journey.transferred_at > DAY:
        journey.transfers = 0
    if e.kind == "blind":
        m.signal("transfer_blind", journey, channel=e.channel)
    if journey.transfers > 0:
        m.signal("transfer_repeated", journey, channel=e.channel)
    journey.transfers = min(journey.transfers + 1, 100)
    journey.transferred_at = m.time
