"""Candidates: customers for whom the desk should consider a person, raised once and briefed in full.

One is raised when human need crosses the policy's line from below or an override holds; again only after it
fell below the re-arm line and the cool-down of this customer and journey is over. A rising level amends it
under its id; a completion of the journey resolves it. Complaints are never resolved by themselves.

>>> from detectors.examples import fold, hours
>>> asks = {"journey": "loan", "first_time": True}
>>> told = fold(("human.requested", 0, asks), ("human.requested", 1, asks), ("purchase", hours(1), asks))
>>> [(message["type"], message["ver"]) for message in told.desk]
[('candidate.raised', 1), ('candidate.completed', 2)]
>>> [message["data"]["override"] for message in fold(("page_view", 0, {"emotion": -0.9})).desk]
['distress']
"""

from __future__ import annotations

from typing import Any, Final

from detectors import effort
from detectors.brief import compose
from detectors.moment import Moment
from detectors.need import DISTRESS, factors, overrides, weigh
from detectors.state import Journey

__all__ = ["before", "completed", "consider"]

_LEAST_OVERRIDDEN: Final = 3  # offer_human


def before(m: Moment, journey: Journey) -> None:
    """Re-arm a journey whose need has faded since its last event; forget overrides that hold no more."""
    if journey.overridden:
        journey.overridden &= overrides(m)
    if not journey.armed and weigh(m, journey, m.effort(journey)) < m.policy.rearm:
        journey.armed = True


def consider(m: Moment, journey: Journey, effort_now: float) -> float:
    """Weigh the journey now: raise or amend its candidate where that is due. Gives the human need, 0..1.

    ``effort_now`` is the journey's, 0-100.
    """
    need = weigh(m, journey, effort_now)
    held = overrides(m)
    if not held and need < m.policy.line:
        return need
    level = m.policy.level(need)
    if held:
        level = max(level, _LEAST_OVERRIDDEN)
    if m.state.context.may_contact:
        _decide(m, journey, level, need, held)
    return need


def _decide(m: Moment, journey: Journey, level: int, need: float, held: int) -> None:
    rules = m.policy.document.candidates
    # An override is answered once while it holds; need has to fall before it can cross the line again.
    crossed = need >= rules.line and journey.armed
    fresh = held & ~journey.overridden
    if (crossed or fresh) and (not journey.raised_at or m.time - journey.raised_at >= rules.cooldown):
        journey.raised_at = m.time
        journey.raised_ver = 0
        journey.open = True
        journey.armed = False
        journey.overridden = held
        _propose(m, journey, "candidate.raised", level, need, held)
    elif journey.open:
        journey.overridden |= held
        if level > journey.raised_level:
            _propose(m, journey, "candidate.updated", level, need, held)


def completed(m: Moment, journey: Journey) -> None:
    """The journey was completed: an open candidate of it has its outcome, unless a complaint is open."""
    if not journey.open or journey.complaint:
        return
    journey.open = False
    journey.raised_ver += 1
    m.out.desk.append(
        {
            "type": "candidate.completed",
            "id": _id(m, journey),
            "ver": m.version(journey.raised_ver),
            # What completed it may come late, and lie before the moment at which it was raised.
            "time": max(m.time, journey.raised_at),
            "tenant": m.state.tenant,
            "customer": m.state.customer,
            "outcome": "completed",
            "partition": m.partition,
            "offset": m.offset,
        }
    )


def _id(m: Moment, journey: Journey) -> str:
    return m.id("alert", journey.name, str(journey.raised_at))


def _propose(m: Moment, journey: Journey, kind: str, level: int, need: float, held: int) -> None:
    journey.raised_ver += 1
    journey.raised_level = level
    message: dict[str, Any] = {
        "type": kind,
        "id": _id(m, journey),
        "ver": m.version(journey.raised_ver),
        "time": m.time,
        "tenant": m.state.tenant,
        "customer": m.state.customer,
        "partition": m.partition,
        "offset": m.offset,
        "data": compose(
            m,
            journey,
            _id(m, journey),
            level,
            factors(m, journey),
            need,
            # Distress first: it is the one that passes, and may be told where vulnerability must not.
            "distress" if held & DISTRESS else "vulnerable" if held else "",
            effort.score(m.state.sums, m.time, m.policy),
        ),
    }
    m.out.desk.append(message)
