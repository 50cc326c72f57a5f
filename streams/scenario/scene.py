"""One constructed customer's story as it unfolds: say an event, let time pass, say the next.

>>> scene = Scene(seed=1, number=7, start_ms=0)
>>> scene.contact("web", journey="order", step="basket")
>>> scene.say("page_view")
>>> scene.pause(2, 2)
>>> scene.say("purchase", amount=20)
>>> [(event.time, event.source, event.id) for event in scene.events]
[(0, 'web/shop', '1-000007-001'), (2000, 'web/shop', '1-000007-002')]
"""

from __future__ import annotations

import random

from detectors.vocabulary import TYPES
from streams.sources.api import SourceEvent, cloud_event

__all__ = ["Scene"]

# Who reports what happens on a channel: one source a system, as a company would have it.
SOURCES = {
    "web": "web/shop",
    "app": "app/shop",
    "bot": "bot/assistant",
    "chat": "desk/chat",
    "messaging": "desk/messaging",
    "phone": "acd/eu1",
    "email": "desk/mail",
    "store": "store/pos",
    "social": "desk/social",
    "ticket": "tickets/main",
    "survey": "survey/panel",
}
# Channels whose contacts are conversations; the others have sessions.
_TALKS = frozenset(["bot", "chat", "messaging", "phone", "email", "social"])

# What a person carries from one contact to the next.
KEPT = frozenset(["journey", "intent", "case_id"])


class Scene:
    """A stage for one person: a clock that only goes forward, and the events said so far, in time order.

    The same ``seed`` and ``number`` always give the same person and the same chances.
    """

    def __init__(self, seed: int, number: int, start_ms: int) -> None:
        """``number`` tells this person from the others of the seed; ``start_ms`` is their first instant."""
        self.chance = random.Random(f"{seed}:{number}")
        self.prefix = f"{seed}-{number:06d}"
        self.subject = f"demo-{self.prefix}"
        self.now = start_ms
        self.events: list[SourceEvent] = []
        self._channel = "web"
        self._contacts = 0
        self._about: dict[str, object] = {}
        self._person: dict[str, object] = {
            "segment": self.chance.choice(["private", "private", "private", "business"]),
            "language": self.chance.choice(["en", "en", "fr", "de"]),
        }

    def person(self, **traits: object) -> None:
        """What holds for this person whatever they do: risk, emotion, what they prefer."""
        self._person.update(traits)

    def contact(self, channel: str, **about: object) -> None:
        """Turn to a channel: a new session or conversation about ``about`` (journey, step, intent ...).

        What is not said again (journey, intent, case) stays as it was; the step does not.
        """
        self._contacts += 1
        kept = {name: value for name, value in self._about.items() if name in KEPT}
        handle = f"{self.prefix}-c{self._contacts}"
        key = "conversation_id" if channel in _TALKS else "session_id"
        self._channel = channel
        self._about = {**kept, "channel": channel, key: handle, **about}

    def step(self, step: str, **about: object) -> None:
        """Get to another step of the same contact."""
        self._about.update(about, step=step)

    def pause(self, low_s: float, high_s: float) -> None:
        """Let some seconds pass, evenly between the two."""
        self.now += round(self.chance.uniform(low_s, high_s) * 1000)

    def likely(self, share: float) -> bool:
        """True in this share of all scenes."""
        return self.chance.random() < share

    def say(self, name: str, times: int = 1, **data: object) -> None:
        """Say an event of the vocabulary, ``times`` over with a second or two between, at the present moment.

        Raises KeyError for a name that the vocabulary does not have: a slip in a story, not in data.
        """
        if name not in TYPES:
            raise KeyError(name)
        for again in range(times):
            if again:
                self.pause(1, 3)
            self._append(name, data)

    def _append(self, name: str, data: dict[str, object]) -> None:
        source = SOURCES[self._channel]
        event_id = f"{self.prefix}-{len(self.events) + 1:03d}"
        told = {**self._person, **self._about, **data}
        self.events.append(cloud_event(name, self.now, source, event_id, self.subject, told))
