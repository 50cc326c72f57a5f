"""Human need: how likely it is that a person should step in now, additive in log-odds.

``logit = base + effort + engagement + profile + circumstances + step + emotion + signals + may_leave``: every
factor is kept with its name, and they add up. Segment, age, tier and the like are no factors.

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

from math import exp, log2
from typing import Final

from detectors import targets
from detectors.effort import decayed
from detectors.hazard import REACHED
from detectors.moment import Moment
from detectors.policy import Policy
from detectors.state import Context, Journey
from detectors.tally import Case

__all__ = ["DISTRESS", "VULNERABLE", "base", "factors", "logistic", "overrides", "probability", "weigh"]

# What puts a human in the lead whatever the rest says, as bits.
DISTRESS: Final = 1
VULNERABLE: Final = 2

Factor = tuple[str, float]
_HABITS: Final = 5  # completions that count as habit
_MOVES: Final = 4  # how often a case changed hands, as far as that counts
_RETURNS: Final = 2  # and how many of the customer's cases came back


def probability(found: list[Factor], policy: Policy) -> float:
    """The logistic of base plus all factors, 0..1."""
    total = 0.0
    for _, value in found:
        total += value
    return logistic(policy.need_base + total)


def logistic(logit: float) -> float:
    """Log-odds as a probability, 0..1."""
    return 1.0 / (1.0 + exp(-logit)) if logit >= 0 else exp(logit) / (1.0 + exp(logit))


def weigh(m: Moment, journey: Journey, effort: float) -> float:
    """Human need, 0..1: as :func:`probability` of :func:`factors`, without naming them.

    ``effort`` is the journey's now, 0-100.
    """
    if m.target is not None:
        return logistic(targets.logit(m.target, m.numbers, m.labels))
    return logistic(m.policy.need_base + _add(m, journey, effort, None))


def base(m: Moment) -> float:
    """What :func:`factors` are added to, in log-odds."""
    return m.policy.need_base if m.target is None else m.target.base


def factors(m: Moment, journey: Journey) -> list[Factor]:
    """Every factor that is not zero, with its log-odds."""
    if m.target is not None:
        return targets.factors(m.target, m.numbers, m.labels)
    found: list[Factor] = []
    _add(m, journey, m.effort(journey), found)
    return found


def _add(m: Moment, journey: Journey, effort: float, found: list[Factor] | None) -> float:
    """The sum of all factors, in the order in which they are named into ``found``."""
    policy = m.policy
    total = 0.0
    if effort:
        total += _one(found, "effort", policy.need_effort * effort / 100.0)
    total = _circumstances(m, found, total)
    if journey.completions:
        total += _one(found, "habit", policy.need_habit * min(journey.completions, _HABITS))
    if journey.step in policy.need_step_names:
        named = policy.need_steps.get(f"{journey.name}/{journey.step}")
        if step := policy.need_steps.get(f"*/{journey.step}") if named is None else named:
            total += _one(found, "step", step)
    if journey.parts:
        total = _signals(m, journey, found, total)
    if m.case is not None and policy.need_cases:
        total = _case(m, m.case, found, total)
    if m.policy.leaving and (log_odds := _leaving(m, journey)):
        total += _one(found, "may_leave", log_odds)
    return total


def _leaving(m: Moment, journey: Journey) -> float:
    """The log-odds of somebody in this journey who still waits though the risk of leaving is at the line."""
    policy = m.policy
    if (hazard := policy.hazard_queue) is not None:
        for wait in m.state.waits:
            # Of a wait whose end nobody tells it holds no longer than of one that timed out.
            still = m.time - wait.opened <= policy.timeouts["queue"]
            if wait.leaves == REACHED and wait.journey == journey.name and still:
                return hazard.may_leave
    for attempt in m.state.attempts:
        if attempt.leaves == REACHED and attempt.journey == journey.name:
            hazard = policy.hazard_form if attempt.kind == "form" else policy.hazard_cart
            if hazard is not None:
                return hazard.may_leave
    return 0.0


def _one(found: list[Factor] | None, name: str, value: float) -> float:
    if found is not None:
        found.append((name, value))
    return value


def _circumstances(m: Moment, found: list[Factor] | None, total: float) -> float:
    context, policy = m.state.context, m.policy
    if context.at and m.time - context.at <= policy.need_memory:
        if context.engagement > 0.0:
            total += _one(found, "engagement", policy.need_engagement * context.engagement)
        if context.first_time:
            total += _one(found, "first_time", policy.need_first_time)
        if context.problem:
            total += _one(found, "problem", policy.need_problem)
        if context.last_contact:
            total += _one(found, "last_contact", policy.need_last_contact)
        if context.risk > 0.0:
            total += _one(found, "risk", policy.need_risk * context.risk)
    if context.prefers:
        human = context.prefers in ("human", "phone", "store")
        total += _one(found, "profile", policy.need_human if human else policy.need_digital)
    if context.emotion:
        emotion = felt(context, m.time, m.policy)
        if emotion:
            total += _one(found, "emotion", -m.policy.need_emotion * emotion)
    return total


def felt(context: Context, time: int, policy: Policy) -> float:
    """Emotion as last said, fading; -1..1, below 0 is distress."""
    if not context.emotion:
        return 0.0
    return context.emotion * exp(-policy.emotion_rate * max(0, time - context.emotion_at))


def _signals(m: Moment, journey: Journey, found: list[Factor] | None, total: float) -> float:
    told = 0
    for part in journey.parts:
        told |= 1 << part.signal
    for rule in m.policy.need_signals:
        if not told >> rule.number & 1:
            continue
        for part in journey.parts:
            if part.signal == rule.number:
                if rule.points:
                    acute, chronic = decayed(part, m.time, m.policy)
                    count = (acute if rule.acute else chronic) / rule.points
                    total += _one(found, rule.name, rule.log_odds * min(max(count, 0.0), rule.cap))
                break
    return total


def _case(m: Moment, case: Case, found: list[Factor] | None, total: float) -> float:
    """The story of the case that the moment is about, and of the customer's others."""
    policy = m.policy
    if case.updates and policy.need_case_updates:
        total += _one(found, "case_updates", policy.need_case_updates * log2(1.0 + case.updates))
    if case.moves and policy.need_case_moves:
        total += _one(found, "case_moves", policy.need_case_moves * min(case.moves, _MOVES))
    tally = m.state.tally
    if tally is not None and tally.came_back and policy.need_case_returns:
        total += _one(found, "case_returns", policy.need_case_returns * min(tally.came_back, _RETURNS))
    return total


def overrides(m: Moment) -> int:
    """Bits of what puts a human in the lead whatever the rest says: declared, never inferred."""
    policy = m.policy
    context = m.state.context
    found = 0
    if context.vulnerable_at and m.time - context.vulnerable_at <= policy.vulnerable_memory:
        found = VULNERABLE
    if context.emotion and felt(context, m.time, policy) <= policy.distress:
        found |= DISTRESS
    return found
