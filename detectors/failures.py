"""What failed last in a journey, and whether it is fresh enough to force a customer elsewhere.

One hard failure is enough for as long as its window; soft ones must pile up. A later soft failure does not
make a hard one forgotten, and the step that said no is the one that a switch is charged to.

>>> from detectors.policy import default
>>> from detectors.state import Journey, Sums
>>> policy, minute = default(), 60_000
>>> journey = Journey("order", 0, Sums(), [])
>>> note(journey, True, "web", "pay", "r1", 1 * minute, policy)
>>> note(journey, False, "web", "help", "r1", 50 * minute, policy)
>>> force(journey, "web", 90 * minute, policy), journey.failed_step
(True, 'pay')
>>> force(journey, "app", 90 * minute, policy), force(journey, "web", 1_500 * minute, policy)
(False, False)
"""

from __future__ import annotations

from detectors.policy import Policy
from detectors.state import Journey

__all__ = ["clear", "force", "note"]


def note(
    journey: Journey, hard: bool, channel: str, step: str, release: str, time: int, policy: Policy
) -> None:
    """Remember a failure on ``channel`` at ``time`` (ms)."""
    rules = policy.switches
    if channel != journey.failed_channel:
        clear(journey)
        journey.failed_channel = channel
    if hard:
        journey.failed_at = time
    else:
        piling = time - journey.failed_soft_at <= rules.soft_window
        journey.failed_soft = min(journey.failed_soft + 1, 100) if piling else 1
        journey.failed_soft_at = time
        if journey.failed_at and time - journey.failed_at <= rules.hard_window:
            return
    journey.failed_step, journey.failed_release = step, release


def force(journey: Journey, channel: str, time: int, policy: Policy) -> bool:
    """Whether what failed on ``channel`` makes leaving it at ``time`` a forced switch."""
    rules = policy.switches
    if journey.failed_channel != channel:
        return False
    if journey.failed_at and time - journey.failed_at <= rules.hard_window:
        return True
    return journey.failed_soft >= rules.soft_failures and time - journey.failed_soft_at <= rules.soft_window


def clear(journey: Journey) -> None:
    """Nothing stands in the way any more: it was completed, or has driven the customer elsewhere."""
    journey.failed_at = journey.failed_soft_at = journey.failed_soft = 0
