"""Rows of the live view's queries, turned into what a picture shows.

>>> switch(("f", 1, "c1", "claim", "forced", "web", "phone", "upload", 5)).detail
'web > phone'
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from dashboards.terminal.frame import Alert, Contribution, Moment

__all__ = ["Row", "abandonment", "alert", "decimal", "switch", "whole"]

Row = Sequence[object]


def abandonment(row: Row) -> Moment:
    """A row of :data:`dashboards.queries.ABANDONMENTS`."""
    _, _, customer, journey, step, channel, kind = row[:7]
    silent, inferred, short, wait, from_step, at, recovered = row[7:]
    told = [
        *(["silent"] if silent else []),
        *(["short"] if short else []),
        *(["by time-out"] if inferred else []),
        *([f"after {decimal(wait):.0f} s"] if wait else []),
        f"on {channel}",
    ]
    return Moment(
        at=whole(recovered) or whole(at),
        what="recovered" if recovered else "abandoned",
        kind=str(kind),
        customer=str(customer),
        journey=str(journey),
        charged=str(from_step or step),
        detail=", ".join(told),
    )


def switch(row: Row) -> Moment:
    """A row of :data:`dashboards.queries.SWITCHES`."""
    _, _, customer, journey, kind, from_channel, to_channel, from_step, at = row
    same = from_channel == to_channel
    detail = f"on {to_channel}" if same else f"{from_channel or '?'} > {to_channel}"
    return Moment(whole(at), "switched", str(kind), str(customer), str(journey), str(from_step), detail)


def alert(row: Row) -> Alert:
    """A row of :data:`dashboards.queries.ALERTS`; its lists are JSON, as the contract's alerts have them."""
    _, _, name, alert_id, customer, journey, step, level, cause, override = row[:10]
    effort, ces, need, contributions, factors, do_not_ask, channel, at = row[10:]
    return Alert(
        at=whole(at),
        what=str(name).removeprefix("alert."),
        alert_id=str(alert_id),
        customer=str(customer),
        journey=str(journey),
        step=str(step),
        level=str(level),
        cause=str(cause),
        override=str(override),
        effort=None if effort is None else decimal(effort),
        ces=None if ces is None else decimal(ces),
        need=decimal(need),
        contributions=tuple(
            Contribution(one["signal"], one["points"], one["count"]) for one in _json(contributions)
        ),
        factors=tuple((one["factor"], one["log_odds"]) for one in _json(factors)),
        recommended_channel=str(channel),
        do_not_ask=tuple(str(name) for name in _json(do_not_ask)),
    )


def _json(text: object) -> list[Any]:
    found = json.loads(str(text)) if text else []
    return found if isinstance(found, list) else []


def whole(value: object) -> int:
    """A number as int, anything else as 0."""
    return int(value) if isinstance(value, (int, float)) else 0


def decimal(value: object) -> float:
    """A number as float, anything else as 0."""
    return float(value) if isinstance(value, (int, float)) else 0.0
