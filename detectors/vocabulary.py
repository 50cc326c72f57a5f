"""The event vocabulary: every type that is scored, with what it means when a field is left out.

Names are those the field uses (PostHog, OpenReplay, Zendesk, Genesys, Dialogflow); see ``docs/events.md``.

>>> TYPES["call.queued"].channel
'phone'
>>> canonical("$rageclick"), canonical("io.rehuman.purchase"), canonical("something.else")
('rage_click', 'purchase', 'something.else')
>>> TYPES["ivr.enter"].rank < TYPES["call.queued"].rank < TYPES["call.ended"].rank
True
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "ACTIVATION",
    "ALIASES",
    "CHANNELS",
    "HUMAN_CHANNELS",
    "TICK",
    "TYPES",
    "TypeSpec",
    "canonical",
]

# Record types that share the events' log but are no customer's events.
TICK: Final = "io.rehuman.tick"
ACTIVATION: Final = "io.rehuman.policy"
PREFIX: Final = "io.rehuman."

CHANNELS: Final = frozenset(
    [
        "web",
        "app",
        "bot",
        "chat",
        "messaging",
        "phone",
        "email",
        "store",
        "social",
        "ticket",
        "survey",
        "other",
    ]
)
# Channels on which a contact reaches people (sooner or later); the others are self-service.
HUMAN_CHANNELS: Final = frozenset(["chat", "messaging", "phone", "email", "store", "social", "ticket"])
# Channels on which an answer is expected later, in service hours, not while the customer stays on.
ASYNC_CHANNELS: Final = frozenset(["email", "ticket", "messaging", "social"])

ALIASES: Final = {
    "$rageclick": "rage_click",
    "click_rage": "rage_click",
    "tap_rage": "rage_click",
    "$dead_click": "dead_click",
    "human_intervention_needed": "human.requested",
}


class TypeSpec:
    """What a type says when its event does not.

    ``rank`` orders events of one instant: what opens before what happens before what closes. ``actor`` and
    ``direction`` are the defaults; ``opens`` is true where a customer's event of this type starts a contact
    or a visit, which is what switches and repeats are counted by.
    """

    def __init__(
        self,
        rank: int,
        channel: str,
        actor: str = "customer",
        direction: str = "inbound",
        opens: bool = False,
    ) -> None:
        self.rank = rank
        self.channel = channel
        self.actor = actor
        self.direction = direction
        self.opens = opens


def _specs() -> dict[str, TypeSpec]:
    web, company, machine = "web", "company", "machine"
    return {
        # web and app
        "session.start": TypeSpec(10, web, opens=True),
        "page_view": TypeSpec(12, web, opens=True),
        "button_click": TypeSpec(20, web),
        "form_start": TypeSpec(20, web),
        "form_change": TypeSpec(22, web),
        "form_submit": TypeSpec(65, web),
        "form_error": TypeSpec(30, web, actor=machine),
        "search": TypeSpec(20, web),
        "search_no_results": TypeSpec(30, web, actor=machine),
        "checkout_step": TypeSpec(20, web),
        "purchase": TypeSpec(70, web),
        "session.end": TypeSpec(82, web, actor=machine),
        "step.entered": TypeSpec(15, web),
        "step.completed": TypeSpec(70, web),
        "step.failed": TypeSpec(35, web, actor=machine),
        "journey.abandoned": TypeSpec(80, web),
        # friction
        "rage_click": TypeSpec(30, web),
        "dead_click": TypeSpec(30, web),
        "error_click": TypeSpec(30, web),
        "quick_back": TypeSpec(30, web),
        "js_error": TypeSpec(30, web, actor=machine),
        "form_abandoned": TypeSpec(80, web),
        "info.repeated": TypeSpec(30, "other"),
        # help
        "human.requested": TypeSpec(45, "other"),
        "help.offered": TypeSpec(44, "other", company, "outbound"),
        "help.accepted": TypeSpec(45, "other"),
        "help.declined": TypeSpec(45, "other"),
        "channel.suggested": TypeSpec(44, "other", company, "outbound"),
        "callback.requested": TypeSpec(48, "phone"),
        "callback.completed": TypeSpec(72, "phone", company, "outbound"),
        "callback.missed": TypeSpec(72, "phone", company, "outbound"),
        # chatbot
        "bot.message": TypeSpec(20, "bot", opens=True),
        "bot.fallback": TypeSpec(30, "bot", actor=machine, direction="outbound"),
        "bot.ended": TypeSpec(40, "bot", actor=machine, direction="outbound"),
        # live chat and messaging
        "conversation.started": TypeSpec(10, "chat", opens=True),
        "message.sent": TypeSpec(20, "chat", opens=True),
        "message.received": TypeSpec(21, "chat", company, "outbound"),
        "conversation.enqueued": TypeSpec(45, "chat"),
        "conversation.assigned": TypeSpec(50, "chat", company, "outbound"),
        "conversation.transferred": TypeSpec(55, "chat", company, "outbound"),
        "conversation.ended": TypeSpec(80, "chat", company, "outbound"),
        "conversation.abandoned": TypeSpec(80, "chat"),
        # phone and voice menu
        "ivr.enter": TypeSpec(10, "phone", opens=True),
        "ivr.menu": TypeSpec(20, "phone"),
        "ivr.exit": TypeSpec(40, "phone"),
        "call.queued": TypeSpec(45, "phone", opens=True),
        "call.connected": TypeSpec(50, "phone", company, "inbound", opens=True),
        "call.held": TypeSpec(55, "phone", company),
        "call.transferred": TypeSpec(55, "phone", company),
        "call.voicemail": TypeSpec(60, "phone"),
        "call.abandoned": TypeSpec(80, "phone"),
        "call.ended": TypeSpec(80, "phone", company),
        # tickets and complaints
        "ticket.created": TypeSpec(10, "ticket", opens=True),
        "ticket.comment_added": TypeSpec(60, "ticket"),
        "ticket.assignment_changed": TypeSpec(60, "ticket", company, "outbound"),
        "ticket.priority_changed": TypeSpec(60, "ticket", company, "outbound"),
        "ticket.updated": TypeSpec(60, "ticket", company, "outbound"),
        "ticket.reopened": TypeSpec(65, "ticket"),
        "ticket.solved": TypeSpec(70, "ticket", company, "outbound"),
        "complaint.opened": TypeSpec(10, "other", opens=True),
        "complaint.closed": TypeSpec(72, "other", company, "outbound"),
        # email, store, social
        "email.received": TypeSpec(10, "email", opens=True),
        "email.replied": TypeSpec(21, "email", company, "outbound"),
        "store.visit": TypeSpec(10, "store", opens=True),
        "store.wait": TypeSpec(45, "store"),
        "store.assisted": TypeSpec(50, "store", company),
        "social.mention": TypeSpec(10, "social", opens=True),
        # surveys
        "survey.response": TypeSpec(90, "survey"),
    }


TYPES: Final[dict[str, TypeSpec]] = _specs()
# An unknown type is stored and counted, not scored.
UNKNOWN: Final = TypeSpec(60, "other")


def canonical(name: str) -> str:
    """The vocabulary's name for a type as sent: prefix dropped, aliases resolved, unknown ones unchanged."""
    if name in TYPES:
        return name
    if name.startswith(PREFIX):
        name = name[len(PREFIX) :]
    return ALIASES.get(name, name)
