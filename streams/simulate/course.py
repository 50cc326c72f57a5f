"""The course of one matter: what has happened to it so far, and what is true of it.

A course can be forked at any moment: the fork says nothing, shares all latent numbers, and so tells what
would have happened. Draws that decide something have a purpose and a turn (:meth:`Course.luck`), so that
the third call is answered alike in each world; the others follow one another (:meth:`Course.any`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streams.simulate.company import HOUR, Company
from streams.simulate.draws import exponential, normal, number
from streams.simulate.parameters import Parameters
from streams.simulate.person import Matter, Person
from streams.simulate.stage import Stage, rfc3339

__all__ = ["Course", "Episode"]

Episode = Callable[["Course"], str]
DIGITAL = frozenset(["web", "app", "bot"])

# Purposes of decisive draws.
(
    STEP, TRY, DISTRACTED, HOP, RETURN, PERSIST, NEXT, FIRST, FOLLOW, BOT, HAND, MENU, WAIT, PATIENCE, SILENT,
    CALLBACK, MISSED, TALK, TRANSFER, TICKET, SLOW, MAIL, DELAY, GIVE_UP, BACK, SURVEY, HELP, COMPLAIN, STORE,
    SAYS, SUGGEST, REPEAT, ANNOUNCE, NEVER, SILENT_REPLY, DELAY_NEXT, ANSWER, HELP_AFTER, LOOK, ASK,
) = range(1, 41)  # fmt: skip
_TURNS = 1 << 10
_SEQUENCE = 1 << 20


class Course:
    """Mutable state of a matter under way; see :meth:`fork`."""

    def __init__(
        self, of: Parameters, company: Company, person: Person, matter: Matter, stage: Stage
    ) -> None:
        self.of, self.company, self.person, self.matter, self.stage = of, company, person, matter, stage
        self.mood = person.calm
        self.mood_at = stage.now
        self.drawn = 0
        self.turns: dict[int, int] = {}
        self.channel = ""  # of the last contact; empty before the first
        self.device = ""
        self.handle = ""
        self.contacts = 0
        self.human_contacts = 0
        self.used: dict[str, int] = {}
        self.why = "chosen"  # how the next change of channel comes about
        self.failures = 0
        self.digital_failures = 0
        self.progress = 0  # steps done of what it takes to do it alone
        self.told = False
        self.sent_to = ""
        self.case = ""
        self.effort = 0.0
        self.left: list[str] = []  # channels left so far
        self.last_event = ""
        self.lapse = ""  # why the person is not at it: called away, on another device, asks for a human
        self.settled_at = 0
        self.settled_by = ""
        self.ended = ""
        self.callback = False
        self.announced = 0.0  # seconds, 0 where nothing was said
        self.waited = 0.0
        self.cart = (0, "")  # the checkout under way, on whatever device: time and event id, 0 where none
        self.queued_at = (0, "")
        self.asked = (0, "")
        self.reply_on = ""
        self.reply_handle = ""
        self.before_help = ""
        self.ended_at = 0
        self.about_place = ("", "", "")
        self.about: dict[str, object] = {}
        self.mood_then = 0.0
        self.truth: list[dict[str, Any]] = []

    def fork(self) -> Course:
        """The same course in a world of its own, muted."""
        other = Course.__new__(Course)
        other.__dict__.update(self.__dict__)
        other.stage = self.stage.muted()
        other.turns = dict(self.turns)
        other.used = dict(self.used)
        other.left = list(self.left)
        other.truth = []
        return other

    # Chance.

    def luck(self, purpose: int, turn: int = -1) -> float:
        """The number of the next turn, or of the turn given, for this purpose."""
        if turn < 0:
            turn = self.turns.get(purpose, 0)
            self.turns[purpose] = turn + 1
        return number(self.matter.key, purpose * _TURNS + turn)

    def any(self) -> float:
        """A number of no consequence beyond the moment."""
        self.drawn += 1
        return number(self.matter.key, _SEQUENCE + self.drawn)

    # Time and mood.

    @property
    def now(self) -> int:
        """Milliseconds since the epoch."""
        return self.stage.now

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.stage.now += round(seconds * 1000)

    def pause(self, mean_s: float) -> None:
        """Let a moment pass: half of the mean, and as much again at random."""
        self.stage.now += round((0.5 * mean_s + exponential(self.any(), 0.5 * mean_s)) * 1000)

    def feels(self) -> float:
        """The mood of this moment: what happened fades."""
        faded = 0.5 ** ((self.stage.now - self.mood_at) / (self.of.people.recovers_h * HOUR))
        return float(self.person.calm + (self.mood - self.person.calm) * faded)

    def cheer(self, by: float) -> None:
        """Something good, or with a negative ``by`` bad."""
        self.mood = min(1.0, max(-1.0, self.feels() + by))
        self.mood_at = self.stage.now

    def hurt(self, by: float) -> None:
        """Something annoying: mood and effort."""
        self.cheer(-by * self.matter.weighs)
        self.effort += by

    def distressed(self) -> bool:
        """Whether emotion outweighs the rest."""
        vulnerable = self.person.vulnerable and self.matter.spec.stakes >= 0.5
        return vulnerable or self.feels() <= self.of.people.distress

    def disappoint(self, by: float) -> None:
        """The channel did not do it: what makes people go elsewhere."""
        self.hurt(by)
        self.failures += 1
        if self.channel in DIGITAL:
            self.digital_failures += 1
        self.why = "forced"

    # Contacts and events.

    def open(self, channel: str) -> None:
        """Turn to a channel: a new visit or conversation, with what that makes of a switch or repeat."""
        device = {"web": "desktop", "app": "phone"}.get(channel, "")
        self.stage.tick()
        human = channel not in DIGITAL
        event = self.stage.next_id()
        changed = self.channel and (channel != self.channel or (device and device != self.device))
        if changed:
            self._record(
                "switch",
                event_id=event,
                kind=self.why,
                from_channel=self.channel,
                to_channel=channel,
                gap_s=(self.now - self.stage.last) / 1000,
                ping_pong=self.why == "forced" and channel in self.left,
            )
            self.left.append(self.channel)
        for record in self.truth:
            if record["record"] == "abandonment":
                record["returned"] = True
        if human and self.human_contacts:
            self._record("repeat", event_id=event, to_channel=channel)
        self.contacts += 1
        self.human_contacts += human
        self.used[channel] = self.used.get(channel, 0) + 1
        self.channel, self.device = channel, device
        self.handle = f"{self.person.subject}-{self.matter.index}-{self.contacts}"
        self.why, self.sent_to, self.lapse = "chosen", "", ""

    def say(self, type_: str, /, channel: str = "", handle: str = "", **data: Any) -> str:
        """An event of the contact under way, and its id; a muted course only takes its moment."""
        if self.stage.said is None:
            self.stage.tick(taken=True)
            return ""
        channel = channel or self.channel
        about = self._about(channel, handle or self.handle)
        self.last_event = self.stage.say(type_, channel, {**about, **data})
        return self.last_event

    def later(self, type_: str, channel: str, handle: str, time: int, /, **data: Any) -> None:
        """An event that will come by itself."""
        if self.stage.said is not None:
            self.stage.later(type_, channel, time, {**self._about(channel, handle), **data})

    def _about(self, channel: str, handle: str) -> dict[str, object]:
        """What each event of a contact has in common."""
        place = (channel, handle, self.case)
        if place != self.about_place:
            self.about_place, self.about = place, self._told(channel, handle)
        return self.about

    def _told(self, channel: str, handle: str) -> dict[str, object]:
        spec, person = self.matter.spec, self.person
        name = "session_id" if channel in ("web", "app", "store") else "conversation_id"
        about: dict[str, object] = {
            "channel": channel,
            "journey": spec.journey,
            "intent": self.matter.name,
            name: handle,
            "segment": person.segment,
            "language": person.language,
        }
        if channel in ("web", "app"):
            about["device"] = self.device
            about["release"] = self.company.release(channel, self.now)
        if spec.stakes >= 0.5:
            about["risk"] = spec.stakes
        if spec.engagement:
            about["engagement"] = {"financial": spec.engagement}
        if self.case:
            about["case_id"] = self.case
        flags = {
            "problem": spec.problem,
            "last_contact": spec.last_contact,
            "first_time": self.matter.first_time,
            "vulnerable": person.declares_vulnerable,
        }
        about.update({flag: True for flag, holds in flags.items() if holds})
        if person.declares_preference:
            about["prefers"] = "human"
        return about

    def voice(self) -> dict[str, Any]:
        """What a reader of texts and voices says of the mood: with its error."""
        heard = self.feels() + self.of.people.mood_noise * normal(self.any())
        return {"emotion": round(min(1.0, max(-1.0, heard)), 2)}

    # Truth.

    def _record(self, record: str, **fields: object) -> None:
        if self.stage.said is None:
            return
        head = {
            "record": record,
            "customer": self.person.subject,
            "matter": self.matter.index,
            "journey": self.matter.spec.journey,
            "intent": self.matter.name,
            "time": rfc3339(self.now),
        }
        self.truth.append({**head, **fields})

    def abandon(
        self,
        kind: str,
        step: str,
        started: tuple[int, str],
        *,
        how: str,
        silent: bool = False,
        channel: str = "",
    ) -> None:
        """Somebody gives something up: ``how`` is ``said`` or ``stopped``; ``started`` is time and event id.

        ``silent``: they were owed a reply, and leave this conversation without a sign.
        """
        self._record(
            "abandonment",
            kind=kind,
            channel=channel or self.channel,
            step=step,
            how=how,
            silent=silent,
            started=rfc3339(started[0]),
            wait_s=round((self.now - started[0]) / 1000, 3),
            first_event=started[1],
            last_event=self.last_event,
            recovered=None,
            returned=False,
        )

    def recover(self, kinds: tuple[str, ...], step: str = "") -> None:
        """What had been given up is finished after all."""
        for record in self.truth:
            given_up = record["record"] == "abandonment" and record["kind"] in kinds
            here = given_up and (not step or record["step"] == step)
            if here and record["recovered"] is None:
                record["recovered"] = rfc3339(self.now)

    def settle(self, by: str) -> str:
        """The matter is over, by the customer ``alone`` or with a ``human``."""
        self.settled_at, self.settled_by = self.now, by
        self.cheer(self.of.mood.settled)
        return "settled"
