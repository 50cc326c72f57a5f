"""The truth about a moment: was a human needed, why, how badly, and how it goes with one and without.

``need`` is in the words of what happens without a human:

* ``human_now``: distress or vulnerability, or needed and the matter is never settled,
* ``offer_human``: needed, and settled in the end by people whom the customer had to find,
* ``offer_help``: not needed, since it can be done alone, but only after another failure, or very late,
* ``watch``: something had failed; the next try does it,
* ``none``.
"""

from __future__ import annotations

from typing import Any

from streams.simulate.course import Course
from streams.simulate.stage import rfc3339

__all__ = ["Moment", "end"]

_HOUR = 3_600_000


class Moment:
    """What holds at a moment of a course, and later what became of it."""

    def __init__(self, m: Course, before: str, place: int) -> None:
        self.id = f"{m.person.subject}-{m.matter.index}-m{place}"
        self.before = before
        self.time = m.now
        self.channel = m.channel
        self.mood = m.feels()
        self.distressed = m.distressed()
        self.failures = m.failures
        self.digital_failures = m.digital_failures
        self.contacts = m.contacts
        self.effort = m.effort
        self.lapsed = m.lapse in ("called_away", "other_device")
        self.helped = False
        self.other: dict[str, Any] = {}

    def outcome(self, m: Course) -> dict[str, Any]:
        """How a course that ended went from here on."""
        return {
            "settled": bool(m.settled_at),
            "by": m.settled_by or None,
            "ended": m.ended,
            "hours": round(max(0, m.ended_at - self.time) / _HOUR, 3),
            "contacts": m.contacts - self.contacts,
            "failures": m.failures - self.failures,
            "effort": round(m.effort - self.effort, 3),
            "mood": round(m.mood_then, 3),
        }

    def record(self, m: Course) -> dict[str, Any]:
        """The record of truth, once the course has ended."""
        mine = self.outcome(m)
        without, with_human = (self.other, mine) if self.helped else (mine, self.other)
        alone = without["by"] == "alone"
        reasons = []
        if self.distressed:
            reasons.append("distress")
        if not alone and (self.digital_failures or m.matter.only_human) and not self.lapsed:
            reasons.append("default")
        if m.matter.wants_human:
            reasons.append("preference")
        needed = bool(reasons)
        return {
            "record": "moment",
            "customer": m.person.subject,
            "matter": m.matter.index,
            "journey": m.matter.spec.journey,
            "intent": m.matter.name,
            "time": rfc3339(self.time),
            "id": self.id,
            "before": self.before,
            "channel": self.channel or None,
            "human_needed": needed,
            "why": _why(reasons),
            "reasons": reasons,
            "need": self._need(m, needed, without),
            "failures": self.failures,
            "mood": round(self.mood, 3),
            "helped": self.helped,
            "without_human": without,
            "with_human": with_human,
        }

    def _need(self, m: Course, needed: bool, without: dict[str, Any]) -> str:
        if needed:
            return "human_now" if self.distressed or not without["settled"] else "offer_human"
        if without["failures"] or (without["settled"] and without["hours"] >= m.of.need.slow_h):
            return "offer_help"
        return "watch" if self.failures else "none"


def _why(reasons: list[str]) -> str:
    if "distress" in reasons:
        return "distress"
    if len(reasons) == 2:
        return "both"
    return reasons[0] if reasons else "not_needed"


def end(m: Course) -> dict[str, Any]:
    """The record of how a matter ended, and of what nobody could see."""
    person = m.person
    return {
        "record": "end",
        "customer": person.subject,
        "matter": m.matter.index,
        "journey": m.matter.spec.journey,
        "intent": m.matter.name,
        "time": rfc3339(m.ended_at),
        "ended": m.ended,
        "settled_by": m.settled_by or None,
        "contacts": m.contacts,
        "human_contacts": m.human_contacts,
        "failures": m.failures,
        "effort": round(m.effort, 3),
        "mood": round(m.mood_then, 3),
        "only_human": m.matter.only_human,
        "wants_human": m.matter.wants_human,
        "first_time": m.matter.first_time,
        "prefers_human": person.prefers_human,
        "vulnerable": person.vulnerable,
        "skill": round(person.skill, 3),
        "patience": round(person.patience, 3),
        "segment": person.segment,
    }
