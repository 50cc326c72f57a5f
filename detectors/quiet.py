"""How likely it is that a conversation that fell silent was left: a probability, additive in log-odds.

Silence is no abandonment where somebody was answered and is content, or has had no time to go on yet. So
what counts is how long the wait was beside the promise, whether an answer came at all, whether the customer
had spoken with anybody, how long they said nothing until it was closed, beside the time that they, or
others, usually take, and whether they turned to another channel meanwhile. ``[silence]`` has the weights.

>>> from detectors.examples import fold, minutes
>>> chat = {"channel": "chat", "conversation_id": "c"}
>>> def left(*answered):
...     told = [("message.received", minutes(at), chat) for at in answered]
...     return fold(("message.sent", 0, chat), *told, until=minutes(300)).rows("abandonments")
>>> [round(row["probability"], 2) for at in ((4,), (10,), ()) for row in left(*at)]
[0.65, 0.78, 0.95]
"""

from __future__ import annotations

from math import log
from typing import Final

from detectors.durations import DAY
from detectors.moment import Moment
from detectors.need import logistic
from detectors.state import Owed

__all__ = ["LONGEST_GAP", "heard", "probability"]

# Who comes back after longer than this was not typing an answer.
LONGEST_GAP: Final = 3_600_000
# The last gap has this share of a customer's usual one.
_NEWEST: Final = 4


def heard(m: Moment, owed: Owed) -> None:
    """The customer goes on after an answer: how long they took says how long they usually take."""
    took = m.time - owed.replied
    if m.policy.answers_later(owed.channel) or not 0 <= took <= LONGEST_GAP:
        return
    seconds = max(1, took // 1000)
    usual = m.state.reply_gap
    m.state.reply_gap = max(1, usual + (seconds - usual) // _NEWEST) if usual else seconds


def probability(m: Moment, owed: Owed, seconds: float) -> float:
    """That the customer has left what they are owed a reply in, 0..1; they waited ``seconds`` in all."""
    rules = m.policy.silence
    later = m.policy.answers_later(owed.channel)
    logit = rules.base_async if later else rules.base
    logit += rules.wait * log(1.0 + 1000.0 * max(0.0, seconds) / m.policy.promise(owed.channel))
    if later:
        # The promise is of service hours, patience is not.
        logit += rules.days * log(1.0 + max(0, (owed.replied or m.time) - owed.asked) / DAY)
    if not owed.replied:
        logit += rules.unanswered
    else:
        if owed.replied > owed.promised:
            logit += rules.late
        if not owed.spoke:
            logit += rules.open_question
        if owed.ended:
            usual = rules.gap_async if later else 1000 * m.state.reply_gap or rules.gap
            quiet = log(1.0 + max(0, owed.ended - owed.replied) / usual)
            logit += rules.closed + rules.quiet * min(quiet, rules.quiet_cap)
    if _turned_elsewhere(m, owed):
        logit += rules.elsewhere
    if owed.step in rules.named:
        named = rules.steps.get(f"{owed.journey}/{owed.step}")
        logit += rules.steps.get(f"*/{owed.step}", 0.0) if named is None else named
    return logistic(logit)


def _turned_elsewhere(m: Moment, owed: Owed) -> bool:
    """Whether they began a contact about the same on another channel before they had an answer."""
    until = owed.replied or m.time
    for contact in m.state.contacts:
        if (
            contact.channel != owed.channel
            and contact.journey == owed.journey
            and owed.asked < contact.start < until
        ):
            return True
    return False
