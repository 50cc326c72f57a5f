"""Relief: what went well lowers the present score and need, and never the friction charged to a step.

A ticket that the company calls solved counts in part at once and in full only after the reopen window.

>>> from detectors.examples import fold, hours
>>> told = fold(("ticket.solved", 0, {"case_id": "T-1"}), until=hours(200))
>>> [(row["time"] // hours(24), round(row["points"], 9)) for row in told.rows("signals")]  # days
[(0, -2.4), (5, -5.6)]
"""

from __future__ import annotations

from typing import Final

from detectors import failures
from detectors.bounds import MOST_SOLVED
from detectors.events import Event
from detectors.ids import number
from detectors.moment import Moment
from detectors.signals import NUMBER
from detectors.state import Journey, Solved

__all__ = ["SPEAKS", "expire", "on_event"]

_COMPLETIONS: Final = frozenset(["purchase", "step.completed", "form_submit"])
_SAY_MORE: Final = frozenset(
    [
        "bot.ended",
        "call.ended",
        "conversation.ended",
        "ticket.solved",
        "ticket.reopened",
        "complaint.opened",
        "complaint.closed",
    ]
)
# Types that this detector has anything to do with.
SPEAKS: Final = _COMPLETIONS | _SAY_MORE


def on_event(m: Moment, e: Event, journey: Journey) -> None:
    """Relief that needs more than the event's type (the direct ones are in ``direct.py``)."""
    if e.type == "bot.ended" and e.result == "resolved":
        m.signal("bot_resolved", journey, channel=e.channel)
    elif e.type in ("call.ended", "conversation.ended") and e.result == "resolved":
        m.signal("call_resolved", journey, channel=e.channel)
    elif e.type == "ticket.solved":
        _solved(m, e, journey)
    elif e.type in ("complaint.opened", "complaint.closed"):
        journey.complaint = e.type == "complaint.opened"
    elif e.type == "ticket.reopened":
        key = number(e.case_id)
        m.state.solved = [solved for solved in m.state.solved if solved.key != key]
    if e.type in _COMPLETIONS:
        failures.clear(journey)
        if e.type == "purchase":
            # Habit is of journeys: a step is not one.
            journey.completions = min(journey.completions + 1, 100)


def _solved(m: Moment, e: Event, journey: Journey) -> None:
    rules = m.policy.document.relief
    points = m.policy.points[NUMBER["ticket_solved"]]
    key = number(e.case_id)
    said = next((solved for solved in m.state.solved if solved.key == key), None)
    if said is not None:
        # Said again by the company it counts no more; the customer's word makes it whole.
        if e.actor == "customer":
            m.state.solved.remove(said)
            m.signal("ticket_solved", journey, said.points, channel=e.channel)
        return
    if e.actor == "customer":
        m.signal("ticket_solved", journey, points, channel=e.channel)
        return
    m.signal("ticket_solved", journey, points * rules.solved_share, channel=e.channel)
    pending = m.state.solved
    if len(pending) >= MOST_SOLVED:
        pending.remove(min(pending, key=lambda solved: (solved.due, solved.key)))
    rest = points * (1.0 - rules.solved_share)
    pending.append(Solved(key, e.journey, e.time + rules.reopen_window, rest, e.source))


def expire(m: Moment, solved: Solved) -> None:
    """The reopen window passed without a reopening."""
    m.state.solved.remove(solved)
    m.signal("ticket_solved", m.journey(solved.journey), solved.points, part="after the window")
