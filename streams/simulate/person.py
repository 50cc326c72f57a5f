"""Who a customer is, and what one of their matters is like: what nobody outside can see."""

from __future__ import annotations

from math import exp

from streams.simulate.draws import chosen, normal, number
from streams.simulate.parameters import Intent, Parameters

__all__ = ["Matter", "Person"]

# Places of a person's numbers; a matter's own begin beyond MATTERS, so that one more trait moves none.
(_SKILL, _PREFERS, _APP, _PATIENCE, _VULNERABLE, _DECLARES, _KNOWN, _SEGMENT, _LANGUAGE, _CALM) = range(1, 11)
MATTERS = 1 << 8
_PER_MATTER = 1 << 24


class Person:
    """The latent traits of customer ``number``; the same whatever the others are."""

    __slots__ = (
        "calm",
        "declares_preference",
        "declares_vulnerable",
        "device",
        "key",
        "language",
        "number",
        "patience",
        "prefers_human",
        "segment",
        "skill",
        "subject",
        "vulnerable",
    )

    def __init__(self, seed: int, number_: int, key: int, of: Parameters) -> None:
        people = of.people
        self.number = number_
        self.key = key
        self.subject = f"sim-{seed}-{number_:07d}"
        spread = people.skill_spread * (2.0 * number(key, _SKILL) - 1.0)
        self.skill = min(1.0, max(0.0, people.skill + spread))
        self.prefers_human = number(key, _PREFERS) < people.prefers_human
        self.device = "phone" if number(key, _APP) < people.prefers_app else "desktop"
        self.patience = exp(people.patience_sigma * normal(number(key, _PATIENCE)))
        self.vulnerable = number(key, _VULNERABLE) < people.vulnerable
        self.declares_vulnerable = self.vulnerable and number(key, _DECLARES) < people.declares_vulnerable
        self.declares_preference = self.prefers_human and number(key, _KNOWN) < people.declares_preference
        self.segment = "business" if number(key, _SEGMENT) < people.business else "private"
        self.language = ("en", "en", "fr", "de")[int(4 * number(key, _LANGUAGE))]
        self.calm = people.calm + people.calm_spread * (2.0 * number(key, _CALM) - 1.0)


class Matter:
    """One matter: what it is about, whether it can be settled alone, whether a person is wanted for it."""

    __slots__ = ("first_time", "index", "key", "name", "only_human", "spec", "wants_human")

    def __init__(self, person: Person, index: int, of: Parameters) -> None:
        key = person.key + (MATTERS + index * _PER_MATTER) * 0x9E3779B97F4A7C15
        self.key = key & ((1 << 64) - 1)
        self.index = index
        self.name = chosen(number(self.key, 1), {name: spec.weight for name, spec in of.intents.items()})
        self.spec: Intent = of.intents[self.name]
        self.only_human = number(self.key, 2) < self.spec.only_human
        self.first_time = number(self.key, 3) < self.spec.first_time
        # Who likes people best wants one for what matters; for a parcel's number nobody does.
        likes = 0.6 * self.spec.stakes if person.prefers_human else 0.0
        new = 0.3 * self.spec.stress if self.first_time else 0.0
        self.wants_human = number(self.key, 4) < min(0.95, self.spec.wants + likes + new)

    @property
    def weighs(self) -> float:
        """How hard things hit in this matter: 0.5 for nobody's worry to 1.5."""
        return 0.5 + (self.spec.stakes + self.spec.stress) / 2.0
