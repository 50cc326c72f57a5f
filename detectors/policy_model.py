"""The policy's shape: every section, key, unit and bound, as typed structs.

Durations (:class:`Ms`) are integer milliseconds once read. What a key means and why its default is what it
is stands beside it in ``default_policy.toml``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from detectors.durations import DAY, MINUTE

__all__ = [
    "Abandonment",
    "Bins",
    "Brief",
    "Candidates",
    "Cause",
    "ChannelFit",
    "EffortRules",
    "HazardLabels",
    "HazardRules",
    "HazardShape",
    "Hazards",
    "Hours",
    "Labels",
    "Levels",
    "Ms",
    "Need",
    "NeedSignal",
    "Numbers",
    "Override",
    "Pair",
    "PolicyDocument",
    "Promises",
    "Relief",
    "Repeats",
    "Settling",
    "Silence",
    "SurveyLine",
    "Switches",
    "TargetRules",
    "TimeRules",
    "Waiting",
]


class Ms(int):
    """A duration in milliseconds, written with its unit in the file."""


Positive = Annotated[float, Meta(gt=0)]
NonNegative = Annotated[float, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Clock = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]


class _Section(Struct, forbid_unknown_fields=True):
    pass


class TimeRules(_Section, kw_only=True):
    """Event time: how late, how far ahead, how old."""

    lateness: Ms
    allowance: Ms
    floor: str
    ahead: Ms
    # Policies of before these were named keep what held then.
    idle: Ms = Ms(90 * DAY)
    silence: Ms = Ms(10 * MINUTE)
    silences: dict[str, Ms] = {}


class EffortRules(_Section, kw_only=True):
    """The two horizons, the scale and the coverage below which no score is given."""

    acute_half_life: Ms
    chronic_half_life: Ms
    acute_weight: NonNegative
    chronic_weight: NonNegative
    scale: Positive
    coverage_scale: Positive
    coverage_half_life: Ms
    coverage_floor: Share


class Waiting(_Section, kw_only=True):
    """How waiting turns into points."""

    free: Ms
    cap: NonNegative
    short_abandon: Ms
    later_per_hour: NonNegative
    announced_factor: NonNegative


class Promises(_Section, kw_only=True):
    """Reply times promised, per channel."""

    chat: Ms
    messaging: Ms
    email: Ms
    ticket: Ms
    social: Ms


class Hours(_Section, kw_only=True):
    """Service hours of the channels that answer later."""

    days: list[Day]
    open: Clock
    close: Clock
    zone: str


class Override(_Section, kw_only=True):
    """A time-out for one kind, journey and step (empty means any)."""

    kind: Literal["step", "form", "cart", "queue", "ivr", "bot", "conversation"]
    journey: str
    step: str
    timeout: Ms


class Abandonment(_Section, kw_only=True):
    """Time-outs per kind of attempt, and how long a completion still recovers one."""

    step: Ms
    form: Ms
    cart: Ms
    queue: Ms
    ivr: Ms
    bot: Ms
    conversation: Ms
    conversation_async: Ms
    unanswered: Ms
    unanswered_async: Ms
    recovery: Ms
    override: list[Override] = []


class Switches(_Section, kw_only=True):
    """Windows that tell forced, guided, chosen and ping-pong switches apart."""

    window: Ms
    hard_window: Ms
    soft_window: Ms
    soft_failures: Annotated[int, Meta(ge=1)]
    guided_window: Ms
    ping_pong_window: Ms
    visit_gap: Ms


class Repeats(_Section, kw_only=True):
    """When a contact counts as the same matter again."""

    window: Ms


class Relief(_Section, kw_only=True):
    """When a company's "solved" counts."""

    reopen_window: Ms
    solved_share: Share


class NeedSignal(_Section, kw_only=True):
    """Log-odds per decayed count of a signal, at most ``cap`` counts."""

    log_odds: float
    horizon: Literal["acute", "chronic"]
    cap: NonNegative


class Levels(_Section, kw_only=True):
    """Probability from which each level holds."""

    watch: Share
    offer_help: Share
    offer_human: Share
    human_now: Share


class Need(_Section, kw_only=True):
    """Human need: base, effort, the five factors and the signals, all in log-odds."""

    base: float
    effort: float
    engagement: float
    prefers_human: float
    prefers_digital: float
    first_time: float
    problem: float
    last_contact: float
    risk: float
    emotion: float
    emotion_half_life: Ms
    habit: float
    memory: Ms
    vulnerable_memory: Ms
    distress: Annotated[float, Meta(ge=-1, le=0)]
    signals: dict[str, NeedSignal]
    steps: dict[str, float]
    levels: Levels
    # Policies of before a case's story was known leave it out.
    case_updates: float = 0.0
    case_moves: float = 0.0
    case_returns: float = 0.0


class Numbers(_Section, kw_only=True):
    """A number's log-odds by bins: below the first edge, then from each edge on."""

    edges: list[float]
    log_odds: list[float]
    missing: float = 0.0


class Labels(_Section, kw_only=True):
    """A label's log-odds, and those of one that is not named."""

    log_odds: dict[str, float]
    other: float = 0.0


class Bins(_Section, kw_only=True):
    """One side of a pair: bins of a number by edges, or labels and one more bin for any other."""

    edges: list[float] | None = None
    labels: list[str] | None = None


class Pair(_Section, kw_only=True):
    """Log-odds of two features together: a row for each bin of the first, a column for each of the second."""

    features: Annotated[list[str], Meta(min_length=2, max_length=2)]
    first: Bins
    second: Bins
    log_odds: list[list[float]]
    # Where a number of the two is not known.
    missing: float = 0.0


class TargetRules(_Section, kw_only=True):
    """What a target's section says: base and terms in log-odds, and at which events it holds."""

    target: str
    events: list[str]
    base: float
    live: bool = False
    protected: bool = False
    numbers: dict[str, Numbers] = {}
    labels: dict[str, Labels] = {}
    pairs: list[Pair] = []


class Candidates(_Section, kw_only=True):
    """When a candidate is raised, and when again."""

    line: Share
    rearm: Share
    cooldown: Ms


class Cause(_Section, kw_only=True):
    """Evidence for each side of "by default or by preference"."""

    half_life: Ms
    threshold: Positive
    # Of preference alone, and of a stated preference beside what failed; 0 is ``threshold``, too.
    threshold_preference: NonNegative = 0.0
    threshold_both: NonNegative = 0.0
    default: dict[str, NonNegative]
    preference: dict[str, NonNegative]


class Silence(_Section, kw_only=True):
    """Log-odds that a conversation that fell silent was left, and from which probability on it counts."""

    # Policies of before these were named have what the built-in one has.
    line: Share = 0.5
    base: float = -2.7
    base_async: float = -3.1
    wait: float = 1.0
    days: float = 1.3
    late: float = 1.9
    unanswered: float = 1.5
    open_question: float = 0.3
    closed: float = -3.5
    quiet: float = 3.0
    quiet_cap: NonNegative = 3.0
    gap: Ms = Ms(MINUTE)
    gap_async: Ms = Ms(DAY)
    elsewhere: float = 3.5
    steps: dict[str, float] = {}

    @property
    def named(self) -> set[str]:
        """The steps that are named at all, whatever their journey."""
        return {name.rpartition("/")[2] for name in self.steps}


class Brief(_Section, kw_only=True):
    """What an alert's brief shows and what it never takes off the advisor's questions."""

    tried: Annotated[int, Meta(ge=0, le=20)]
    never_ask_less: list[str]


class HazardShape(_Section):
    """Log-odds by bins of a number: below the first edge, then from each edge on."""

    edges: list[float]
    log_odds: list[float]
    missing: float = 0.0


class HazardLabels(_Section):
    """Log-odds by label, and of one that is not named."""

    log_odds: dict[str, float]
    other: float = 0.0


class HazardRules(_Section, kw_only=True):
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
    labels: dict[str, HazardLabels] = {}


class Hazards(_Section, kw_only=True):
    """What waiting is like to lead to, by kind; none where nothing was fitted."""

    queue: HazardRules | None = None
    form: HazardRules | None = None
    cart: HazardRules | None = None


class Settling(_Section, kw_only=True):
    """How often contacts of an intent on a channel settled it without further contact, and at what effort."""

    contacts: Annotated[int, Meta(ge=0)]
    settled: Share
    low: Share
    high: Share
    # Points of the journey's score that a contact added, on average; none where too little was seen.
    effort: float | None = None
    effort_low: float | None = None
    effort_high: float | None = None


class ChannelFit(_Section, kw_only=True):
    """By intent and channel, what history says; "*" stands for the intents that are not named."""

    window: Ms = Ms(7 * DAY)
    minimum: Annotated[int, Meta(ge=1)] = 30
    intents: dict[str, dict[str, Settling]] = {}


class SurveyLine(_Section, kw_only=True):
    """Corners of the line from effort to the expected answer, 0 (worst) to 1 (best)."""

    effort: list[Annotated[float, Meta(ge=0, le=100)]]
    value: list[Share]
    # Of how many answers, beside a straight line that weighs as so many.
    answers: Annotated[int, Meta(ge=0)] = 0
    prior: NonNegative = 0.0


class PolicyDocument(_Section, kw_only=True):
    """One policy file."""

    version: Annotated[int, Meta(ge=1, le=2**31)]
    description: str = ""
    time: TimeRules
    effort: EffortRules
    signals: dict[str, float]
    waiting: Waiting
    promises: Promises
    hours: Hours
    abandonment: Abandonment
    switches: Switches
    repeats: Repeats
    relief: Relief
    need: Need
    candidates: Candidates
    cause: Cause
    silence: Silence = field(default_factory=Silence)
    channels: dict[str, list[str]]
    brief: Brief
    teams: dict[str, str]
    targets: dict[str, TargetRules] = {}
    hazard: Hazards = field(default_factory=Hazards)
    channel_fit: ChannelFit = field(default_factory=ChannelFit)
    survey_fit: dict[str, SurveyLine] = {}
