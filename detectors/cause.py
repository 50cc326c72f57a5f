"""By default or by preference: why a person is needed, from evidence for each side.

What failed is evidence of *default*, what the customer asked for, or says of themselves, of *preference*;
both are kept by journey and fade. Circumstances (engagement, first time, risk, a last contact) and distress
are evidence of preference while they hold, however often they are said, and weaker: what failed is the
likelier cause of the two, so beside it only a preference that was stated makes it both.

>>> from detectors.examples import MONDAY, fold
>>> from detectors.moment import Findings
>>> from detectors.policy import default
>>> def why(*told):
...     jane = fold(*told).jane
...     return cause(Moment(jane, default(), Findings(), MONDAY, 0, 0), jane.journeys[0])
>>> new = {"first_time": True, "engagement": {"financial": 0.8}, "risk": 0.9}
>>> why(("page_view", 0, new)), why(("page_view", 0, new), ("step.failed", 1, new))
('preference', 'default')
>>> why(("human.requested", 0, {}), ("step.failed", 1, {}))
'both'
"""

from __future__ import annotations

from detectors.moment import Moment
from detectors.need import felt
from detectors.state import Journey

__all__ = ["cause", "circumstances", "stated"]


def cause(m: Moment, journey: Journey) -> str:
    """By default, by preference, both, or not known."""
    rules = m.policy.document.cause
    by_default = m.evidence_of(journey)[0]
    said = stated(m, journey)
    if by_default >= rules.threshold:
        return "both" if said >= (rules.threshold_both or rules.threshold) else "default"
    preference = rules.threshold_preference or rules.threshold
    return "preference" if said + circumstances(m) >= preference else "unknown"


def stated(m: Moment, journey: Journey) -> float:
    """Evidence of a preference in what the customer did or said: it speaks beside any failure."""
    found = m.evidence_of(journey)[1]
    if m.state.context.prefers == "human":
        found += m.policy.preference.get("prefers_human", 0.0)
    return found


def circumstances(m: Moment) -> float:
    """Evidence of a preference in what holds at this moment: each is one piece, however often it was said."""
    context, policy = m.state.context, m.policy
    weights = policy.preference
    found = 0.0
    if context.at and m.time - context.at <= policy.need_memory:
        if context.engagement > 0.0:
            found += weights.get("engagement", 0.0) * context.engagement
        if context.first_time:
            found += weights.get("first_time", 0.0)
        if context.last_contact:
            found += weights.get("last_contact", 0.0)
        if context.risk > 0.0:
            found += weights.get("risk", 0.0) * context.risk
    if context.emotion and felt(context, m.time, policy) <= policy.distress:
        found += weights.get("distress", 0.0)
    return found
