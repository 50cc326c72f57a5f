"""The names of all features, in their order: what a policy's section for a target may name.

How each is found stands in ``features.py``; this is apart because the policy, which ``features.py`` reads,
is checked by it.

>>> NUMBERS["wait_s"], LABELS["outcome"], FEATURES[0].words
(0, 0, 'seconds waited in this contact, else in the last')
"""

from __future__ import annotations

from typing import Final

__all__ = ["FEATURES", "LABELS", "NEVER", "NUMBERS", "SIGNALS", "Feature"]


class Feature:
    """One of them: ``kind`` is "number" or "label"; ``words`` say what it is."""

    def __init__(self, name: str, kind: str, words: str, protected: bool = False) -> None:
        self.name = name
        self.kind = kind
        self.words = words
        self.protected = protected


# Of a journey, with their fading counts.
SIGNALS: Final[tuple[str, ...]] = (
    "repeat_contact",
    "switch_forced",
    "switch_ping_pong",
    "abandoned_queue",
    "abandoned_ivr",
    "abandoned_conversation",
    "abandoned_bot",
    "abandoned_form",
    "abandoned_cart",
    "abandoned_step",
    "human_requested",
    "callback_missed",
    "transfer_blind",
    "transfer_repeated",
    "info_repeated",
    "step_failed",
    "bot_fallback",
    "ticket_reopened",
    "reassigned",
    "complaint",
)


def _features() -> tuple[Feature, ...]:
    spans = ("1h", "8h", "2d", "14d")
    numbers = [
        ("wait_s", "seconds waited in this contact, else in the last"),
        ("talk_s", "seconds talked in this contact, else in the last"),
        ("hour", "hour of the day, with its fraction, in the zone of the service hours"),
        ("weekday", "day of the week there, 0 for Monday"),
        ("since_contact", "seconds since the end of the contact before"),
        ("gap_s", "seconds from the end of the contact before to the beginning of this one"),
        *((f"contacts_{span}", f"contacts before this one, fading by half in {span}") for span in spans),
        *((f"gave_up_{span}", f"contacts given up before, fading by half in {span}") for span in spans),
        ("contacts", "contacts before this one"),
        ("recontact_rate", "share of own contacts that were followed by another within an hour (shrunk)"),
        ("known_h", "hours since the first contact"),
        ("effort", "effort of the journey, 0-100"),
        ("effort_acute", "acute effort points of the journey"),
        ("effort_chronic", "chronic effort points of the journey"),
        ("effort_customer", "effort of the customer over all journeys, 0-100"),
        ("observed", "events seen of the customer, fading"),
        ("completions", "earlier purchases in this journey"),
        ("first_time", "1 where this was said to be a first time, 0 where not"),
        ("problem", "1 where a problem was said, 0 where not"),
        ("risk", "risk as last said, 0-1"),
        ("engagement", "engagement as last said, 0-1"),
        ("emotion", "emotion as last said, fading, -1 to 1"),
        ("updates", "moments at which this case was updated"),
        ("moves", "how often this case changed hands"),
        ("comments", "comments on this case"),
        ("returns", "how often this case was opened again"),
        ("case_h", "hours since this case was opened"),
        ("untouched_h", "hours for which nobody had touched this case before this"),
        ("agents", "agents who told of this case, this one among them"),
        ("cases_open", "cases of the customer that are open, this one left out"),
        ("cases_solved", "cases of the customer solved before this"),
        ("cases_returned", "solved cases of the customer that were opened again"),
        ("return_rate", "share of own solved cases that were opened again (shrunk)"),
        *((name, f"fading count of {name.replace('_', ' ')} in the journey") for name in SIGNALS),
    ]
    labels = [
        ("outcome", "how this contact ended: served, queue, ivr, other; empty where none ended"),
        ("last_outcome", "how the contact before it ended"),
        ("type", "type of the event"),
        ("channel", "channel"),
        ("queue", "queue"),
        ("journey", "journey"),
        ("intent", "intent"),
        ("step", "step of the journey"),
        ("where", "where it was given up"),
        ("result", "result of what ended"),
        ("team", "team that has the case, or the contact"),
        ("segment", "segment of the customer"),
        ("priority", "priority"),
        ("language", "language"),
    ]
    protected = ("segment", "priority", "language")
    return tuple(
        [Feature(name, "number", words) for name, words in numbers]
        + [Feature(name, "label", words, name in protected) for name, words in labels]
    )


FEATURES: Final[tuple[Feature, ...]] = _features()
# The place of each among its kind.
NUMBERS: Final[dict[str, int]] = {
    one.name: place for place, one in enumerate(one for one in FEATURES if one.kind == "number")
}
LABELS: Final[dict[str, int]] = {
    one.name: place for place, one in enumerate(one for one in FEATURES if one.kind == "label")
}
# What is known of a case at its end only; names that begin so.
NEVER: Final[tuple[str, ...]] = ("made_sla", "closed_", "resolved_")
