"""What one picture of the live view shows, as plain values: made by the reader, drawn by the renderers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["Alert", "Contribution", "Flow", "Frame", "Moment", "Standing"]


class Contribution(NamedTuple):
    """A signal's part of an effort score: ``points`` of the 0-100, from so many findings (``times``)."""

    signal: str
    points: float
    times: int


class Standing(NamedTuple):
    """One customer in one journey, at the frame's ``now``. No ``effort`` and ``ces``: too little observed.

    ``change`` is the effort's over the last minute: what happened adds to it, time takes it away.
    """

    customer: str
    journey: str
    step: str
    channel: str
    effort: float | None
    ces: float | None
    need: float
    why: tuple[Contribution, ...] = ()
    change: float = 0.0


class Moment(NamedTuple):
    """An abandonment (also when recovered) or a channel switch, as it came, and the step it is charged to."""

    at: int
    what: str
    kind: str
    customer: str
    journey: str
    charged: str
    detail: str = ""


class Alert(NamedTuple):
    """An alert as it was ``raised``, ``updated`` or ``resolved``: why, what to do and what not to ask."""

    at: int
    what: str
    alert_id: str
    customer: str
    journey: str
    step: str
    level: str
    cause: str
    override: str
    effort: float | None
    ces: float | None
    need: float
    contributions: tuple[Contribution, ...]
    factors: tuple[tuple[str, float], ...]
    recommended_channel: str
    do_not_ask: tuple[str, ...]


class Flow(NamedTuple):
    """How far events have come. Counts since the start; None where nobody has said yet."""

    sent: int | None = None
    accepted: int | None = None
    scored: int | None = None
    lag: int | None = None


class Frame(NamedTuple):
    """One picture. ``now`` is the moment scores are decayed to, ``reached`` the newest event's time (ms).

    ``moments`` and ``alerts`` are newest first and bounded; ``fresh`` holds what no earlier frame had of
    both, oldest first. ``counts`` maps (what, kind, detail) to how many there are.
    """

    now: int
    reached: int
    stored: int
    stored_at: int
    flow: Flow = Flow()
    standings: tuple[Standing, ...] = ()
    moments: tuple[Moment, ...] = ()
    alerts: tuple[Alert, ...] = ()
    fresh: tuple[Moment | Alert, ...] = ()
    counts: Mapping[tuple[str, str, str], int] = {}

    def total(self, what: str, kind: str | None = None, detail: str | None = None) -> int:
        """How many of one sort, over all kinds and details that are not given."""
        return sum(
            number
            for (its_what, its_kind, its_detail), number in self.counts.items()
            if its_what == what and kind in (None, its_kind) and detail in (None, its_detail)
        )
