"""The catalogue of friction and relief signals: the only place where one is named.

A signal's number is what a customer's state stores, so the order below is for ever: append, never reorder.
Points come from the policy (``[signals]``); here stands only what a signal is.

>>> NUMBER["rage_click"], SIGNALS[NUMBER["rage_click"]].relief
(0, False)
>>> DIRECT["form_error"]
'form_error'
>>> DIRECT["callback.completed"], SIGNALS[NUMBER["callback_completed"]].relief
('callback_completed', True)
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["DIRECT", "HARD_FAILURES", "NUMBER", "SIGNALS", "SOFT_FAILURES", "SignalSpec"]


class SignalSpec(NamedTuple):
    """``relief`` signals have negative points; ``event`` is the type that is this signal by itself."""

    name: str
    relief: bool = False
    event: str = ""


SIGNALS: Final[tuple[SignalSpec, ...]] = (
    SignalSpec("rage_click", event="rage_click"),
    SignalSpec("dead_click", event="dead_click"),
    SignalSpec("error_click", event="error_click"),
    SignalSpec("quick_back", event="quick_back"),
    SignalSpec("js_error", event="js_error"),
    SignalSpec("form_error", event="form_error"),
    SignalSpec("search_no_results", event="search_no_results"),
    SignalSpec("step_failed", event="step.failed"),
    SignalSpec("info_repeated", event="info.repeated"),
    SignalSpec("bot_fallback", event="bot.fallback"),
    SignalSpec("human_requested", event="human.requested"),
    SignalSpec("callback_missed", event="callback.missed"),
    SignalSpec("voicemail", event="call.voicemail"),
    SignalSpec("ticket_reopened", event="ticket.reopened"),
    SignalSpec("complaint", event="complaint.opened"),
    SignalSpec("social_mention", event="social.mention"),
    SignalSpec("waiting"),
    SignalSpec("transfer_blind"),
    SignalSpec("transfer_repeated"),
    SignalSpec("reassigned"),
    SignalSpec("switch_forced"),
    SignalSpec("switch_ping_pong"),
    SignalSpec("repeat_contact"),
    SignalSpec("abandoned_step"),
    SignalSpec("abandoned_form"),
    SignalSpec("abandoned_cart"),
    SignalSpec("abandoned_queue"),
    SignalSpec("abandoned_ivr"),
    SignalSpec("abandoned_bot"),
    SignalSpec("abandoned_conversation"),
    SignalSpec("step_completed", relief=True, event="step.completed"),
    SignalSpec("purchase", relief=True, event="purchase"),
    SignalSpec("bot_resolved", relief=True),
    SignalSpec("call_resolved", relief=True),
    SignalSpec("callback_completed", relief=True, event="callback.completed"),
    SignalSpec("help_accepted", relief=True, event="help.accepted"),
    SignalSpec("ticket_solved", relief=True),
    SignalSpec("complaint_closed", relief=True, event="complaint.closed"),
    SignalSpec("recovered", relief=True),
    # Journeys keep a bounded number of signals apart; what does not fit is summed here, exactly.
    SignalSpec("other"),
)

NUMBER: Final[dict[str, int]] = {spec.name: number for number, spec in enumerate(SIGNALS)}
# Event type -> the signal that it is by itself, whatever else happened ("direct").
DIRECT: Final[dict[str, str]] = {spec.event: spec.name for spec in SIGNALS if spec.event}

# A step that failed, was blocked or was given up: one is enough to call the next switch forced.
HARD_FAILURES: Final = frozenset(
    [
        "step_failed",
        "abandoned_step",
        "abandoned_form",
        "abandoned_cart",
        "abandoned_queue",
        "abandoned_ivr",
        "abandoned_bot",
        "abandoned_conversation",
        "callback_missed",
        "voicemail",
    ]
)
# Friction that blocks only when it piles up (policy: switches.soft_failures).
SOFT_FAILURES: Final = frozenset(
    ["rage_click", "dead_click", "error_click", "js_error", "form_error", "search_no_results", "bot_fallback"]
)
