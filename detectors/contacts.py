"""Contacts: which visit an event belongs to, channel switches, and repeats.

A switch is a customer going on with the same matter on another channel (or device). It is *guided* where the
company suggested or sent them there, *forced* where the step had failed, was blocked or given up on the
channel just before, *ping_pong* where that drives them back to a channel they had left, and *chosen*
otherwise: changing device while getting on well adds no effort. A *repeat* is a customer's contact about the
same case (else the same known intent) within a window, on the same channel or not.

>>> from detectors.examples import fold, minutes
>>> web = {"channel": "web", "session_id": "s1", "journey": "order", "step": "pay", "release": "r7"}
>>> call = {"channel": "phone", "conversation_id": "c1", "journey": "order"}
>>> well = fold(("page_view", 0, web), ("call.queued", minutes(9), call))
>>> [(row["kind"], row["from_channel"], row["to_channel"]) for row in well.rows("channel_switches")]
[('chosen', 'web', 'phone')]
>>> failed = fold(("page_view", 0, web), ("step.failed", 1, web), ("call.queued", minutes(9), call))
>>> [(row["kind"], row["from_step"], row["from_release"]) for row in failed.rows("channel_switches")]
[('forced', 'pay', 'r7')]
>>> def called(at): return "call.queued", minutes(at), call | {"conversation_id": f"c{at}", "case_id": "K"}
>>> [row["kind"] for row in fold(called(0), called(90)).rows("channel_switches")]
['repeat']
"""

from __future__ import annotations

from typing import Final

from detectors import failures, tally
from detectors.bounds import MOST_CONTACTS
from detectors.events import Event
from detectors.ids import number, number_on
from detectors.moment import Moment
from detectors.state import Contact, Journey
from detectors.vocabulary import HUMAN_CHANNELS, TYPES

__all__ = ["on_event", "outcome", "outcome_of", "outcome_so_far", "related"]

_ENDS: Final = {
    "step.completed": "completed",
    "purchase": "purchased",
    "step.failed": "failed",
    "call.ended": "ended",
    "conversation.ended": "ended",
    "session.end": "",
    "ticket.solved": "solved",
    "email.replied": "replied",
    "store.assisted": "assisted",
    "call.connected": "connected",
    "conversation.assigned": "connected",
    "call.voicemail": "voicemail",
    "callback.completed": "called_back",
}


# Results of a talk after which the matter is as open as before: that channel did not do it.
_UNSETTLED: Final = frozenset(["open", "unresolved"])
# What is over on a channel of people is not gone on with: who comes again comes again.
_OVER: Final = frozenset(["ended", "abandoned", "voicemail", "called_back", "callback"])


def on_event(m: Moment, e: Event, journey: Journey) -> None:
    """Find the contact this event belongs to, or open one and judge how the customer came to it."""
    contact = _same(m, e)
    if contact is None:
        spec = TYPES[e.type]
        if (
            not spec.opens
            or e.direction != "inbound"
            or (e.actor != "customer" and e.type != "call.connected")
        ):
            if e.type in tally.CONTACT_ENDS and e.channel in HUMAN_CHANNELS:
                # Nobody told of its begin.
                lasted = round(1_000 * ((e.wait_s or 0.0) + (e.talk_s or 0.0)))
                m.state.tally = tally.begin(m.state.tally, e.time - lasted)
            return
        contact = _open(m, e, journey)
    contact.last = max(contact.last, e.time)
    if e.journey != "default":
        contact.journey = e.journey
    contact.device = contact.device or e.device
    if e.step:
        contact.step = e.step
    if e.release:
        contact.release = e.release
    contact.intent = contact.intent or e.intent
    if e.case_id and not contact.case:
        contact.case = number(e.case_id)
    if ends := _ENDS.get(e.type):
        contact.outcome = ends
        if ends == "ended" and e.result in _UNSETTLED:
            step, release = e.step or contact.step, e.release or contact.release
            failures.note(journey, True, e.channel, step, release, e.time, m.policy)


def outcome(m: Moment, e: Event, how: str) -> None:
    """Say how the contact of this event ended."""
    contact = _same(m, e)
    if contact is not None:
        contact.outcome = how


def outcome_so_far(m: Moment, e: Event) -> str:
    """How the contact of this event ended, as far as is known; empty where there is none."""
    contact = _same(m, e)
    return contact.outcome if contact is not None else ""


def outcome_of(m: Moment, channel: str, how: str, since: int) -> None:
    """Say how the contact that was under way on a channel ended (a timer has no event)."""
    for contact in reversed(m.state.contacts):
        if contact.channel == channel and contact.start <= since <= contact.last:
            contact.outcome = how
            return


def _name(e: Event) -> str:
    """What the source calls the contact."""
    name = e.session or e.conversation if e.channel in ("web", "app") else e.conversation or e.session
    return name or (e.case_id if e.channel in ("ticket", "email") else "")


def _same(m: Moment, e: Event) -> Contact | None:
    """The contact that this event goes on with."""
    name = _name(e)
    key = -1
    gap = m.policy.switches.visit_gap
    for contact in reversed(m.state.contacts):
        if contact.channel != e.channel:
            continue
        if name and contact.name == name:
            return contact
        if key < 0:
            key = number_on(e.channel, name) if name else 0
        if key and contact.key:
            if contact.key == key:
                contact.name = name
                return contact
        elif e.time - contact.last <= gap and not _another(contact, e):
            if key and not contact.key:
                contact.key, contact.name = key, name
            return contact
    return None


def _another(contact: Contact, e: Event) -> bool:
    """Whether an event without a common id must be another visit, however soon it comes."""
    if e.device and contact.device and e.device != contact.device:
        return True
    again = e.channel in HUMAN_CHANNELS and e.type in TYPES and TYPES[e.type].opens
    return again and contact.outcome in _OVER


def _open(m: Moment, e: Event, journey: Journey) -> Contact:
    contacts = m.state.contacts
    case = number(e.case_id) if e.case_id else 0
    name = _name(e)
    key = number_on(e.channel, name) if name else 0
    contact = Contact(e.channel, e.device, e.journey, e.intent or "", case, key, e.time, e.time)
    contact.name = name
    if not e.alert_id:
        before = _before(m, contact, journey)
        kind = _switch(m, e, journey, before, contact) if before else ""
        if kind != "guided":
            _repeat(m, e, journey, contact)
    if len(contacts) >= MOST_CONTACTS:
        contacts.remove(_dispensable(contacts))
    contacts.append(contact)
    if contact.channel in HUMAN_CHANNELS:
        m.state.tally = tally.begin(m.state.tally, e.time)
    return contact


def _dispensable(contacts: list[Contact]) -> Contact:
    """The oldest visit to self-service where there is more than one, so that repeats are not forgotten."""
    visits = [contact for contact in contacts if contact.channel not in HUMAN_CHANNELS]
    found = visits if len(visits) > 1 else contacts
    oldest = found[0]
    for contact in found:
        if contact.last < oldest.last or (contact.last == oldest.last and _earlier(contact, oldest)):
            oldest = contact
    return oldest


def _earlier(a: Contact, b: Contact) -> bool:
    """Of two that ended at one moment, in an order that does not depend on which came first."""
    return (a.start, a.channel, a.key) < (b.start, b.channel, b.key)


def related(a: Contact, b: Contact) -> bool:
    """Whether two contacts are about the same matter: case, else known intent, else journey."""
    if a.case and b.case:
        return a.case == b.case
    if a.intent and b.intent:
        return a.intent == b.intent
    return a.journey == b.journey or "default" in (a.journey, b.journey)


def _before(m: Moment, contact: Contact, journey: Journey) -> Contact | None:
    """The contact that this one may have been switched to from: the last about the same matter.

    A visit goes through many journeys; where this one failed in it, it was about the same matter, too. What
    ended in a purchase is settled: whoever comes after it has something else in mind.
    """
    window = m.policy.switches.window
    best: Contact | None = None
    for other in m.state.contacts:
        recent = 0 <= contact.start - other.last <= window or other.start <= contact.start <= other.last
        settled = other.outcome == "purchased" and not (other.case and other.case == contact.case)
        same = (related(other, contact) and not settled) or (
            not (other.case and contact.case)
            and failures.force(journey, other.channel, contact.start, m.policy)
        )
        if recent and same and (best is None or other.last >= best.last):
            best = other
    return best


def _switch(m: Moment, e: Event, journey: Journey, before: Contact, contact: Contact) -> str:
    """Judge, record and charge a change of channel or device; its kind, or "" where nothing changed."""
    same_channel = before.channel == contact.channel
    if same_channel and (not before.device or not contact.device or before.device == contact.device):
        return ""
    left = journey
    if not failures.force(journey, before.channel, contact.start, m.policy):
        left = m.known(before.journey) or journey
    kind, step, release = _judge(m, journey, left, before, contact)
    if kind in ("forced", "ping_pong"):
        m.signal(f"switch_{kind}", journey, channel=contact.channel, step=step, release=release)
        failures.clear(left)
    elif kind == "chosen" and contact.channel in HUMAN_CHANNELS and before.channel not in HUMAN_CHANNELS:
        # Weaker than asking: what drove them there may have been seen by nobody.
        m.evidence(journey, 0.0, m.policy.preference.get("went_first", 0.0))
    _row(m, e, kind, before, contact, step, release)
    return kind


def _judge(
    m: Moment, journey: Journey, left: Journey, before: Contact, contact: Contact
) -> tuple[str, str, str]:
    """The kind of a switch, and the step and release it is charged to."""
    rules = m.policy.switches
    now = contact.start
    suggested = any(
        one.suggested == contact.channel and now - one.suggested_at <= rules.guided_window
        for one in (left, journey)
    )
    if suggested or before.outcome == "handed_over":
        return "guided", before.step or left.step, before.release or left.release
    if not failures.force(left, before.channel, now, m.policy):
        return "chosen", before.step, before.release
    kind = "forced"
    for other in m.state.contacts:
        returns = other is not before and other.channel == contact.channel != before.channel
        if returns and now - other.last <= rules.ping_pong_window and other.last <= before.last:
            kind = "ping_pong" if related(other, contact) else kind
    return kind, left.failed_step, left.failed_release


def _repeat(m: Moment, e: Event, journey: Journey, contact: Contact) -> None:
    """A contact about the same matter again, among contacts that reach people."""
    if contact.channel not in HUMAN_CHANNELS:
        return
    window = m.policy.document.repeats.window
    for other in reversed(m.state.contacts):
        if other.channel not in HUMAN_CHANNELS or contact.start - other.last > window:
            continue
        same_case = bool(other.case) and other.case == contact.case
        cases_unknown = not (other.case and contact.case)
        same_intent = bool(other.intent) and other.intent == contact.intent
        if same_case or (cases_unknown and same_intent):
            m.signal("repeat_contact", journey, channel=contact.channel)
            _row(m, e, "repeat", other, contact, other.step, other.release)
            return


def _row(m: Moment, e: Event, kind: str, a: Contact, b: Contact, step: str, release: str) -> None:
    m.out.add(
        "channel_switches",
        (
            *m.head(m.id("switch", "repeat" if kind == "repeat" else "switch", m.trigger), e.time),
            kind,
            a.channel,
            b.channel,
            a.device,
            b.device,
            e.journey,
            e.step,
            e.intent or b.intent,
            m.segment,
            step,
            release,
        ),
    )
