"""How the live view puts things, in one place for the screen and for plain lines.

>>> clock(45_296_000), clock(45_296_000, dated=True)
('12:34:56', '1970-01-01 12:34')
>>> place("claim", "upload"), place("claim", "")
('claim/upload', 'claim')
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from dashboards.terminal.frame import Alert, Arrival, Contribution, Frame, Moment, Standing

__all__ = [
    "arrived",
    "cause",
    "clock",
    "counts",
    "flow",
    "guidance",
    "made_of",
    "moment",
    "moved",
    "percent",
    "place",
    "reason",
    "score",
    "scores",
    "short",
    "span",
]

CAUSES = {"default": "by default", "preference": "by preference", "both": "by default and by preference"}


def clock(at: int, *, dated: bool = False) -> str:
    """A moment in ms as UTC: the time of day, or with its date to the minute."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M" if dated else "%H:%M:%S")


def short(customer: str) -> str:
    """Enough of a pseudonym to tell customers on a screen apart."""
    return customer[:8]


def place(journey: str, step: str) -> str:
    """Where in which journey."""
    return f"{journey}/{step}" if step else journey


def cause(name: str) -> str:
    """Why a human is needed, in PRODUCT's two words for it."""
    return CAUSES.get(name, "cause not known")


def score(value: float | None, digits: int = 0) -> str:
    """A score, or a dash where too little was observed to give one."""
    return "-" if value is None else f"{value:.{digits}f}"


def percent(share: float) -> str:
    """0..1 as a whole percentage."""
    return f"{share * 100:.0f}%"


def made_of(parts: Sequence[Contribution], most: int) -> str:
    """The largest contributions with their points: ``form_error 8, waiting 5``."""
    return ", ".join(f"{part.signal} {part.points:.0f}" for part in parts[:most])


def span(ms: int) -> str:
    """A span in words.

    >>> span(300_000), span(21_600_000)
    ('5 minutes', '6 hours')
    """
    minutes = ms // 60_000
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"


def moved(one: Standing) -> tuple[int, int]:
    """A customer's effort as it was and as it is, in whole points: what is shown must add up."""
    now = one.effort or 0.0
    return round(max(0.0, now - one.change)), round(now)


def arrived(one: Standing, most: int = 3) -> str:
    """Why effort moved: friction after a plus, relief after a minus; time alone lets it fade.

    >>> one = Standing("c", "claim", "", "web", 50.0, 4.0, 0.5, (), 20.0)
    >>> arrived(one._replace(came=(Arrival("form_error", 4.0, 2), Arrival("step_completed", -1.0, 1))))
    '+ form_error 2, - step_completed'
    >>> fall = one._replace(change=-2.0)
    >>> arrived(fall), arrived(fall._replace(came=(Arrival("purchase", -3.0, 1),)))
    ('fading', '- purchase')
    """
    friction = [part for part in one.came if part.points > 0]
    relief = [part for part in one.came if part.points < 0]
    if one.change >= 0:
        said = [_signals("+", friction[:most]), _signals("-", relief[:most])]
    else:
        said = [_signals("-", relief[:most]) or "fading", _signals("+", friction[:most])]
    return ", ".join(part for part in said if part)


def _signals(sign: str, parts: Sequence[Arrival]) -> str:
    names = ", ".join(f"{part.signal} {part.times}" if part.times > 1 else part.signal for part in parts)
    return f"{sign} {names}" if names else ""


def reason(alert: Alert, most: int = 3) -> str:
    """Why an alert was raised: what its effort is made of, and what weighed in its need."""
    factors = sorted(alert.factors, key=lambda factor: -abs(factor[1]))[:most]
    said = [
        made_of(alert.contributions, most),
        ", ".join(f"{name} {log_odds:+.1f}" for name, log_odds in factors),
        f"override: {alert.override}" if alert.override else "",
    ]
    return " | ".join(part for part in said if part)


def scores(alert: Alert) -> str:
    """The three numbers of an alert."""
    return f"effort {score(alert.effort)}, CES {score(alert.ces, 1)}, need {percent(alert.need)}"


def guidance(alert: Alert) -> str:
    """Where to meet the customer, and what not to ask again."""
    by = f"by {alert.recommended_channel}" if alert.recommended_channel else "no channel open now"
    return f"{by}; do not ask: {', '.join(alert.do_not_ask)}" if alert.do_not_ask else by


def moment(one: Moment) -> str:
    """An abandonment or a switch without its time."""
    charged = f", charged to {one.charged}" if one.charged and one.what != "recovered" else ""
    return f"{short(one.customer)} {one.journey}: {one.detail}{charged}"


def flow(frame: Frame) -> str:
    """How far events have come; the signs say where one step has not caught up with the one before."""
    steps = [
        ("sent", frame.flow.sent),
        ("accepted", frame.flow.accepted),
        ("scored", frame.flow.scored),
        ("stored", frame.stored),
    ]
    said = ""
    before: int | None = None
    for name, number in steps:
        if number is None:
            continue
        sign = "" if before is None else " = " if number == before else " > " if number < before else " < "
        said += f"{sign}{name} {number:,}"
        before = number
    return said


def counts(frame: Frame, *, brief: bool = False) -> str:
    """What was found so far, in one line; ``brief`` fits 80 columns."""
    silent = f"{frame.total('abandonments', detail='silent'):,} silent"
    recovered = "" if brief else f", {frame.total('abandonments', detail='recovered'):,} recovered"
    urgent = "" if brief else f" ({frame.total('alerts', 'human_now'):,} human_now)"
    return "  ".join(
        [
            f"signals {frame.total('signals'):,}",
            f"given up {frame.total('abandonments'):,} ({silent}{recovered})",
            f"switches {frame.total('switches'):,} ({frame.total('switches', 'forced'):,} forced)",
            f"alerts {frame.total('alerts'):,}{urgent}",
        ]
    )
