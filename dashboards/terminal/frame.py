"""What one picture of the live view shows, as plain values: made by the reader, drawn by the renderers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

__all__ = [
    "Alert",
    "Arrival",
    "Contribution",
    "Flow",
    "Frame",
    "JourneyEffort",
    "Moment",
    "Spans",
    "Standing",
]


class Contribution(NamedTuple):
    """A signal's part of an effort score: ``points`` of the 0-100, from so many findings (``times``)."""

    signal: str
    points: float
    times: int


class Arrival(NamedTuple):
    """A signal that came ``times`` within a span, and its ``points`` in all, as the policy gives them."""

    signal: str
    points: float
    times: int


class Standing(NamedTuple):
    """One customer in one journey, at the frame's ``now``. No ``effort`` and ``ces``: too little observed.

    ``at`` is the last event's time. ``change`` is the effort's within ``Spans.moved``: friction adds to it,
    relief and time take it away. ``came`` is what arrived since, the weightiest first.
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
    at: int = 0
    came: tuple[Arrival, ...] = ()


class JourneyEffort(NamedTuple):
    """A journey's ``customers`` with a score, their ``median`` effort, and the share of them ``above`` 50."""

    journey: str
    customers: int
    median: float
    above: float


class Spans(NamedTuple):
    """How far back, in ms, a change of effort is looked for, and when somebody counts as active."""

    moved: int
    active: int


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

    ``standings`` are the hardest of the active, hardest first; ``rises`` and ``falls`` those of anybody
    known, the largest first; ``journeys`` counts the active, where most have it hard first.
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
    spans: Spans = Spans(0, 0)
    rises: tuple[Standing, ...] = ()
    falls: tuple[Standing, ...] = ()
    journeys: tuple[JourneyEffort, ...] = ()

    def total(self, what: str, kind: str | None = None, detail: str | None = None) -> int:
        """How many of one sort, over all kinds and details that are not given."""
        return sum(
            number
            for (its_what, its_kind, its_detail), number in self.counts.items()
            if its_what == what and kind in (None, its_kind) and detail in (None, its_detail)
        )
