"""The brief of an alert: why, what was tried, what not to ask again, where to go on. Never a script.

It names what the contract's section on alerts lists; it holds no raw customer id.

>>> from detectors.examples import fold
>>> about = {"journey": "loan", "step": "income", "emotion": -0.9, "channel": "web", "field": "salary"}
>>> brief = fold(("form_change", 0, about), ("form_error", 1, about)).desk[0]["data"]
>>> [brief[name] for name in ("level", "override", "journey", "step", "do_not_ask", "recommended_channel")]
['offer_human', 'distress', 'loan', 'income', ['salary'], 'phone']
"""

from __future__ import annotations

from typing import Any

from detectors import channel_fit, effort, failures
from detectors.cause import cause
from detectors.moment import Moment
from detectors.need import Factor, base
from detectors.policy import LEVELS
from detectors.signals import SIGNALS
from detectors.state import Journey

__all__ = ["compose", "recommended"]


def compose(
    m: Moment,
    journey: Journey,
    alert: str,
    level: int,
    found: list[Factor],
    need: float,
    override: str,
    overall: float,
) -> dict[str, Any]:
    """The alert's data; ``contributions`` add up to ``effort``, base and ``factors`` to the logit of need."""
    state, policy = m.state, m.policy
    score = m.effort(journey)
    channel, recommended_by = recommended(m, journey)
    parts = effort.contributions(journey.parts, score, m.time, policy)
    return {
        "alert_id": alert,
        "tenant": state.tenant,
        "team": policy.document.teams.get(journey.name) or policy.document.teams["*"],
        "level": LEVELS[level],
        "customer": state.customer,
        "customer_ref": state.reference,
        "anonymous": state.anonymous,
        "refs": [{"kind": kind, "id": name} for kind, name in state.refs],
        "links": [],
        "journey": journey.name,
        "step": journey.step,
        "intent": journey.intent,
        "language": state.context.language,
        "effort": score,
        "effort_customer": overall,
        "ces": effort.ces(score, policy.ces_line),
        "coverage": effort.coverage(state, m.time, policy),
        "human_need": need,
        # Whose base and factors these are: a section of [targets], or [need].
        "target": "" if m.target is None else m.target.name,
        "base": base(m),
        "factors": [{"factor": name, "log_odds": value} for name, value in found],
        "override": override,
        "cause": cause(m, journey),
        "contributions": [
            {
                "signal": SIGNALS[number].name if number >= 0 else "clamp",
                "points": points,
                "count": count,
                "last": last,
            }
            for number, points, count, last in parts
        ],
        "tried": _tried(m),
        "do_not_ask": list(state.fields),
        "recommended_channel": channel,
        "recommended_by": recommended_by,
        "opened_at": journey.raised_at,
        "trigger_event": {"source": m.trigger_source, "id": m.trigger_id},
        "policy_version": policy.version,
    }


def recommended(m: Moment, journey: Journey) -> tuple[str, str]:
    """The channel that fits the intent, leaving out the one that just failed, and who says so.

    ``history`` where contacts of the past on one channel settled the matter more often than on the others
    that may be taken now, by more than chance; else ``policy``, by the order of its table, in which what the
    customer prefers comes first. Both are empty where no channel that fits is open.
    """
    table = m.policy.document.channels
    fitting = table.get(journey.intent) or table["*"]
    stuck = failures.force(journey, journey.failed_channel, m.time, m.policy)
    failed = journey.failed_channel if stuck else ""
    able = [
        channel
        for channel in fitting
        if channel != failed and (not m.policy.answers_later(channel) or m.policy.hours.is_open(m.time))
    ]
    if not able:
        return "", ""
    if m.state.context.prefers in able:
        return m.state.context.prefers, "policy"
    known = m.policy.channel_fit
    found = known.get(journey.intent) or known.get("*")
    best = channel_fit.best(found, able) if found else ""
    return (best, "history") if best else (able[0], "policy")


def _tried(m: Moment) -> list[dict[str, Any]]:
    most = m.policy.document.brief.tried
    last = sorted(m.state.contacts, key=lambda contact: (contact.start, contact.last))
    return [
        {"channel": c.channel, "step": c.step, "outcome": c.outcome, "at": c.start}
        for c in (last[-most:] if most else [])
    ]
