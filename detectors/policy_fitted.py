"""Sections that are fitted on history: targets, channels, surveys and the hazard of giving up.

None of them is in the built-in policy; ``rehuman calibrate`` writes them.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from detectors.durations import DAY, MINUTE
from detectors.policy_parts import Ms, NonNegative, Section, Share

__all__ = [
    "Bins",
    "ChannelFit",
    "HazardLabels",
    "HazardRules",
    "HazardShape",
    "Hazards",
    "Labels",
    "Numbers",
    "Pair",
    "Settling",
    "SurveyLine",
    "TargetRules",
]


class Numbers(Section, kw_only=True):
    """A number's log-odds by bins: below the first edge, then from each edge on."""

    edges: list[float]
    log_odds: list[float]
    missing: float = 0.0


class Labels(Section, kw_only=True):
    """A label's log-odds, and those of one that is not named."""

    log_odds: dict[str, float]
    other: float = 0.0


class Bins(Section, kw_only=True):
    """One side of a pair: bins of a number by edges, or labels and one more bin for any other."""

    edges: list[float] | None = None
    labels: list[str] | None = None


class Pair(Section, kw_only=True):
    """Log-odds of two features together: a row for each bin of the first, a column for each of the second."""

    features: Annotated[list[str], Meta(min_length=2, max_length=2)]
    first: Bins
    second: Bins
    log_odds: list[list[float]]
    # Where a number of the two is not known.
    missing: float = 0.0


class TargetRules(Section, kw_only=True):
    """What a target's section says: base and terms in log-odds, and at which events it holds."""

    target: str
    events: list[str]
    base: float
    live: bool = False
    protected: bool = False
    numbers: dict[str, Numbers] = field(default_factory=dict)
    labels: dict[str, Labels] = field(default_factory=dict)
    pairs: list[Pair] = field(default_factory=list)


class Settling(Section, kw_only=True):
    """How often contacts of an intent on a channel settled it without further contact, and at what effort."""

    contacts: Annotated[int, Meta(ge=0)]
    settled: Share
    low: Share
    high: Share
    # Points of the journey's score that a contact added, on average; none where too little was seen.
    effort: float | None = None
    effort_low: float | None = None
    effort_high: float | None = None


class ChannelFit(Section, kw_only=True):
    """By intent and channel, what history says; "*" stands for the intents that are not named."""

    window: Ms = Ms(7 * DAY)
    minimum: Annotated[int, Meta(ge=1)] = 30
    intents: dict[str, dict[str, Settling]] = field(default_factory=dict)


class SurveyLine(Section, kw_only=True):
    """Corners of the line from effort to the expected answer, 0 (worst) to 1 (best)."""

    effort: list[Annotated[float, Meta(ge=0, le=100)]]
    value: list[Share]
    # Of how many answers, beside a straight line that weighs as so many.
    answers: Annotated[int, Meta(ge=0)] = 0
    prior: NonNegative = 0.0


class HazardShape(Section):
    """Log-odds by bins of a number: below the first edge, then from each edge on."""

    edges: list[float]
    log_odds: list[float]
    missing: float = 0.0


class HazardLabels(Section):
    """Log-odds by label, and of one that is not named."""

    log_odds: dict[str, float]
    other: float = 0.0


class HazardRules(Section, kw_only=True):
    """The hazard of giving up, by intervals: additive in log-odds. Shapes of time are in seconds."""

    target: str = ""
    interval: Ms
    ahead: Ms = Ms(MINUTE)
    line: Share
    may_leave: float
    base: float
    protected: bool = False
    wait: HazardShape
    hour: HazardShape | None = None
    announced: HazardShape | None = None
    labels: dict[str, HazardLabels] = field(default_factory=dict)


class Hazards(Section, kw_only=True):
    """What waiting is like to lead to, by kind; none where nothing was fitted."""

    queue: HazardRules | None = None
    form: HazardRules | None = None
    cart: HazardRules | None = None
