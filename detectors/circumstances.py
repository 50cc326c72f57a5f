"""Circumstances: what was said about the customer and the situation, as long as it holds.

Engagement, profile, circumstances and emotion are only ever *declared* in events; nothing is inferred from a
segment, and vulnerability least of all.

>>> from detectors.examples import fold
>>> gave, proved = {"field": "street"}, {"field": "pinCode", "risk": 0.7}
>>> told = fold(("form_change", 0, gave), ("form_change", 1, proved))
>>> told.jane.fields, told.jane.context.risk
(['street'], 0.7)
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from detectors import failures
from detectors.bounds import MOST_FIELDS, MOST_REFS
from detectors.events import Event
from detectors.ids import number
from detectors.labels import LABEL_BYTES
from detectors.moment import Moment
from detectors.policy import Policy
from detectors.rare import NONE
from detectors.state import Journey

__all__ = ["may_skip", "on_event"]

_SHORT: Final = 3
# Of fields whose answer is remembered: forms have hundreds, whoever makes names up has any number.
_MOST_NAMES: Final = 4_096
# Words of a field's name, as written_with_signs or inCamelCase.
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+")
# Events whose ``field`` names information that the customer gave.
_GIVES: Final = frozenset(["form_change", "form_submit", "info.repeated", "message.sent", "bot.message"])


def on_event(m: Moment, e: Event, journey: Journey) -> None:
    """Take over what this event says."""
    _profile(m, e)
    if e.rare is not NONE or e.engagement is not None or e.first_time is not None:
        _situation(m, e)
    if e.type == "channel.suggested" or (e.type in ("help.offered", "help.accepted") and e.to_channel):
        journey.suggested, journey.suggested_at = e.to_channel, e.time
    if e.type == "human.requested" and not _failed(m, journey):
        m.evidence(journey, 0.0, m.policy.preference.get("asked_first", 0.0))
    _story(m, e)


def _situation(m: Moment, e: Event) -> None:
    """What was said of the customer's engagement and circumstances."""
    context = m.state.context
    said = False
    if e.engagement is not None:
        context.engagement, said = e.engagement, True
    if e.first_time is not None:
        context.first_time, said = e.first_time, True
    if e.problem is not None:
        context.problem, said = e.problem, True
    if e.last_contact is not None:
        context.last_contact, said = e.last_contact, True
    if e.risk is not None:
        context.risk, said = e.risk, True
    if said:
        context.at = max(context.at, e.time)


def _profile(m: Moment, e: Event) -> None:
    context = m.state.context
    if e.language:
        context.language = e.language
    if e.segment:
        context.segment = e.segment
    if e.rare is NONE:
        return
    if e.prefers:
        context.prefers = e.prefers
    if e.vulnerable is not None:
        context.vulnerable_at = e.time if e.vulnerable else 0
    if e.emotion is not None and e.time >= context.emotion_at:
        context.emotion, context.emotion_at = e.emotion, e.time


def _failed(m: Moment, journey: Journey) -> bool:
    return failures.force(journey, journey.failed_channel, m.time, m.policy)


def _story(m: Moment, e: Event) -> None:
    """What an advisor need not ask again, and where the conversation is found."""
    state = m.state
    if e.case_id:
        case = number(e.case_id)
        if case != state.case:
            if state.case:
                state.fields = []
            state.case = case
        _refer(m, "case", e.case_id)
    if e.conversation:
        _refer(m, "conversation", e.conversation)
    gave = e.actor == "customer" and e.type in _GIVES
    if e.field and gave and e.field not in state.fields and may_skip(e.field, m.policy):
        state.fields = [*state.fields, e.field][-MOST_FIELDS:]


def may_skip(field: str, policy: Policy) -> bool:
    """Whether an advisor may take a field as given: never a check of identity, a consent and the like.

    Short words of the policy must begin or end a word of the name, so that "shipping" is no "pin".
    """
    known = policy.skippable.get(field)
    if known is None:
        if len(policy.skippable) >= _MOST_NAMES:
            policy.skippable.clear()
        known = policy.skippable[field] = _may_skip(field, policy)
    return known


def _may_skip(field: str, policy: Policy) -> bool:
    if len(field.encode()) == LABEL_BYTES and field[-9:-8] == "~":
        return False  # cut off: nobody can tell what it was
    plain = unicodedata.normalize("NFKC", field)
    words = [word.casefold() for word in _WORDS.findall(plain)]
    joined = "".join(words)
    for never in map(str.casefold, policy.document.brief.never_ask_less):
        if len(never) > _SHORT:
            if never in joined:
                return False
        elif any(word.startswith(never) or word.endswith(never) for word in words):
            return False
    return True


def _refer(m: Moment, kind: str, name: str) -> None:
    refs = m.state.refs
    if not refs or refs[-1] != (kind, name):
        m.state.refs = [*[ref for ref in refs if ref != (kind, name)][1 - MOST_REFS :], (kind, name)]
