"""What people decide between contacts: where to begin, whether to go on, where to turn next."""

from __future__ import annotations

from math import exp

from streams.simulate import course as c
from streams.simulate.company import HOUR
from streams.simulate.course import DIGITAL, Course
from streams.simulate.draws import chosen, exponential, normal
from streams.simulate.parameters import Shares

__all__ = ["choose", "over", "settled"]

# Nobody tries more often than this.
MOST_CONTACTS = 12
_EPISODES = {
    "digital": "visit",
    "bot": "bot",
    "phone": "menu",
    "chat": "chat",
    "email": "mail",
    "store": "store",
}
_STAFFED = frozenset(["phone", "chat", "store"])


def choose(m: Course) -> str:
    """The next episode."""
    if not m.contacts:
        where = _first(m)
        if where == "phone" and m.luck(c.LOOK) < m.of.first.looks:
            _looks_up(m)
        return _goes(m, where)
    if m.lapse:
        return _after_lapse(m)
    return _after_failure(m)


def _looks_up(m: Course) -> None:
    """Who wants to call looks for the number: on the site, and nothing fails there."""
    m.open("web")
    m.say("session.start")
    m.pause(m.of.digital.pause_s)
    m.say("page_view", step="contact")
    m.pause(2.0 * m.of.digital.pause_s)


def _first(m: Course) -> str:
    first = m.of.first
    more = first.human_factor if m.matter.wants_human else 1.0
    weights = _weights(first, more)
    return chosen(m.luck(c.FIRST), weights)


def _weights(of: Shares, human: float) -> dict[str, float]:
    """Of each way; ``human`` is how much likelier are those with people at their other end."""
    people = {name: getattr(of, name) * human for name in ("phone", "chat", "email", "store")}
    return {"digital": of.digital, "bot": of.bot} | people


def _after_lapse(m: Course) -> str:
    if m.lapse == "asks":
        m.why = "chosen"
        m.pause(30.0)
        return _goes(m, "chat" if m.luck(c.NEXT) < 0.3 else "phone")
    away, digital = m.lapse == "called_away", m.of.digital
    if away and m.luck(c.RETURN) >= digital.returns:
        m.ended = "left"
        return "over"
    m.wait(exponential(m.any(), digital.returns_h * 3600.0) if away else 60.0 + 900.0 * m.any())
    m.why = "chosen"
    other = not away or m.any() < 0.4
    return _visits(m, ("app" if m.channel == "web" else "web") if other else m.channel)


def _after_failure(m: Course) -> str:
    people, then = m.of.people, m.of.then
    goes_on = people.persistence - people.persistence_loss * (m.failures - 1)
    goes_on += people.stakes_hold * m.matter.spec.stakes
    if m.luck(c.PERSIST) >= goes_on or m.contacts >= MOST_CONTACTS:
        m.ended = "gave_up"
        return "over"
    m.wait(exponential(m.luck(c.DELAY_NEXT), then.wait_min * 60.0))
    if m.sent_to and m.luck(c.FOLLOW) < m.of.digital.follows:
        m.why = "guided"
        return _goes(m, m.sent_to)
    more = 2.0 if m.matter.wants_human or m.person.prefers_human or m.digital_failures > 1 else 1.0
    weights = _weights(then, more)
    weights["digital"] *= 0.5**m.digital_failures
    for name in weights:
        weights[name] *= then.again ** m.used.get(name, 0)
    return _goes(m, chosen(m.luck(c.NEXT), weights))


def _goes(m: Course, where: str) -> str:
    if where == "digital":
        mine = "app" if m.person.device == "phone" else "web"
        other = m.digital_failures > 0 and m.any() < 0.2
        return _visits(m, {"app": "web", "web": "app"}[mine] if other else mine)
    if where in _STAFFED:
        opens = m.company.opens(m.now)
        if opens > m.now:
            # Who comes before they open comes in the first hours after.
            m.stage.now = opens + round(1.5 * HOUR * m.any())
    if where == "bot":
        m.open("bot")
    return _EPISODES[where]


def _visits(m: Course, channel: str) -> str:
    m.open(channel)
    return "visit"


def settled(m: Course) -> str:
    """It is over, unless it turns out that it was not."""
    talk = m.of.talk
    if m.settled_by == "human" and m.luck(c.BACK) < talk.comes_back:
        m.wait(exponential(m.any(), talk.comes_back_h * 3600.0))
        m.settled_at, m.settled_by = 0, ""
        m.disappoint(m.of.mood.talk)
        if m.case:
            event = m.say("ticket.reopened", channel="ticket", handle=m.reply_handle, step="case")
            m.reply_on, m.asked = "ticket", (m.now, event)
            return "reply"
        return "choose"
    m.ended = "settled"
    return _closes(m)


def over(m: Course) -> str:
    """Nothing more is tried; some say what they think of it."""
    upset = m.feels() < -0.2 and m.ended == "gave_up"
    if upset and m.luck(c.COMPLAIN) < m.of.people.complains:
        m.pause(1800.0)
        m.open("email")
        m.say("complaint.opened", step="complaint", **m.voice())
        m.ended = "complained"
    return _closes(m)


def _closes(m: Course) -> str:
    m.ended_at = m.settled_at or m.now
    m.mood_then = m.feels()
    if m.channel in DIGITAL | _STAFFED and m.luck(c.SURVEY) < m.of.people.answers_survey:
        # What was lived through, on the scale of CES 2.0: 7 is easy.
        easy = 1.0 + 6.0 * exp(-1.5 * m.effort) - (0.0 if m.settled_at else 1.0)
        answer = easy + m.of.people.survey_noise * normal(m.luck(c.ANSWER))
        m.pause(600.0)
        score = min(7, max(1, round(answer)))
        m.say("survey.response", channel="survey", metric="ces", version="2.0", scale="1-7", score=score)
    return ""
