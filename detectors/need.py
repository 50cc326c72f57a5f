"""Human need: how likely it is that a person should step in now, additive in log-odds.

``logit = base + effort + engagement + profile + circumstances + step + emotion + signals``: every factor is
kept with its name, and they add up. Segment, age, tier and the like are no factors.

>>> from detectors.examples import MONDAY, fold
>>> from detectors.moment import Findings
>>> from detectors.policy import default
>>> jane = fold(("human.requested", 0, {"first_time": True, "journey": "loan"})).jane
>>> m = Moment(jane, default(), Findings(), MONDAY, 0, 0)
>>> found = factors(m, jane.journeys[0])
>>> [(name, round(value, 2)) for name, value in found], round(probability(found, m.policy), 2)
([('effort', 0.29), ('first_time', 0.5), ('human_requested', 2.5)], 0.57)
"""

from __future__ import annotations

from math import exp

from detectors.effort import decayed
from detectors.moment import Moment
from detectors.policy import Policy
from detectors.state import Context, Journey

__all__ = ["DISTRESS", "VULNERABLE", "factors", "overrides", "probability"]

# What puts a human in the lead whatever the rest says, as bits.
DISTRESS, VULNERABLE = 1, 2

Factor = tuple[str, float]
_HABITS = 5  # completions that count as habit


def probability(found: list[Factor], policy: Policy) -> float:
    """The logistic of base plus all factors, 0..1."""
    logit = policy.document.need.base + sum(value for _, value in found)
    return 1.0 / (1.0 + exp(-logit)) if logit >= 0 else exp(logit) / (1.0 + exp(logit))


def factors(m: Moment, journey: Journey) -> list[Factor]:
    """Every factor that is not zero, with its log-odds."""
    rules = m.policy.document.need
    found: list[Factor] = []
    effort = m.effort(journey)
    if effort:
        found.append(("effort", rules.effort * effort / 100.0))
    _circumstances(m, found)
    if journey.completions:
        found.append(("habit", rules.habit * min(journey.completions, _HABITS)))
    if rules.steps and journey.step:
        named = rules.steps.get(f"{journey.name}/{journey.step}")
        if step := rules.steps.get(f"*/{journey.step}") if named is None else named:
            found.append(("step", step))
    if journey.parts:
        _signals(m, journey, found)
    return found


def _circumstances(m: Moment, found: list[Factor]) -> None:
    rules = m.policy.document.need
    context = m.state.context
    if context.at and m.time - context.at <= rules.memory:
        if context.engagement > 0.0:
            found.append(("engagement", rules.engagement * context.engagement))
        if context.first_time:
            found.append(("first_time", rules.first_time))
        if context.problem:
            found.append(("problem", rules.problem))
        if context.last_contact:
            found.append(("last_contact", rules.last_contact))
        if context.risk > 0.0:
            found.append(("risk", rules.risk * context.risk))
    if context.prefers:
        human = context.prefers in ("human", "phone", "store")
        found.append(("profile", rules.prefers_human if human else rules.prefers_digital))
    emotion = felt(context, m.time, m.policy)
    if emotion:
        found.append(("emotion", -rules.emotion * emotion))


def felt(context: Context, time: int, policy: Policy) -> float:
    """Emotion as last said, fading; -1..1, below 0 is distress."""
    if not context.emotion:
        return 0.0
    return context.emotion * exp(-policy.emotion_rate * max(0, time - context.emotion_at))


def _signals(m: Moment, journey: Journey, found: list[Factor]) -> None:
    policy = m.policy
    for number, name, rule in policy.need_signals:
        for part in journey.parts:
            if part.signal == number:
                points = policy.points[number]
                if points:
                    acute, chronic = decayed(part, m.time, policy)
                    count = (acute if rule.horizon == "acute" else chronic) / points
                    found.append((name, rule.log_odds * min(max(count, 0.0), rule.cap)))
                break


def overrides(m: Moment) -> int:
    """Bits of what puts a human in the lead whatever the rest says: declared, never inferred."""
    rules = m.policy.document.need
    context = m.state.context
    found = 0
    if context.vulnerable_at and m.time - context.vulnerable_at <= rules.vulnerable_memory:
        found = VULNERABLE
    if context.emotion and felt(context, m.time, m.policy) <= rules.distress:
        found |= DISTRESS
    return found
