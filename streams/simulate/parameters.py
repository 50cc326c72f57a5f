"""The parameters of people and company: ``parameters.toml`` under one pack of ``packs.toml``, checked.

>>> quiet, shoppers = load("quiet-day"), load("happy-shoppers")
>>> quiet.digital.fails > shoppers.digital.fails == 0.0
True
>>> load("nonsense")
Traceback (most recent call last):
streams.errors.SettingError: --pack: found 'nonsense'; expected one of quiet-day, broken-release, outage, \
billing-run, onboarding, collections, seasonal-peak, happy-shoppers
"""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any

import msgspec

from streams.errors import SettingError
from streams.simulate.company import Release, Surge

__all__ = ["Intent", "Parameters", "Shares", "load", "pack_names"]


class Intent(msgspec.Struct, forbid_unknown_fields=True):
    """What a matter is about; ``parameters.toml`` says what each means."""

    journey: str
    weight: float
    steps: list[str]
    difficulty: float
    only_human: float
    wants: float
    stakes: float
    stress: float
    bot: float
    talk: float
    mail: float
    sells: bool = False
    engagement: float = 0.0
    problem: bool = False
    last_contact: bool = False
    first_time: float = 0.15


class People(msgspec.Struct, forbid_unknown_fields=True):
    """Section ``[people]``."""

    skill: float
    skill_spread: float
    prefers_human: float
    prefers_app: float
    patience_sigma: float
    persistence: float
    persistence_loss: float
    stakes_hold: float
    vulnerable: float
    declares_vulnerable: float
    declares_preference: float
    business: float
    calm: float
    calm_spread: float
    recovers_h: float
    distress: float
    mood_noise: float
    matters_more: float
    matters_gap_h: float
    answers_survey: float
    survey_noise: float
    repeats_itself: float
    complains: float


class Digital(msgspec.Struct, forbid_unknown_fields=True):
    """Section ``[digital]``."""

    fails: float
    retries: int
    recovers: float
    innocent: float
    seen: float
    says_left: float
    distracted: float
    returns: float
    returns_h: float
    hops: float
    asks: float
    suggests: float
    follows: float
    pause_s: float


class Shares(msgspec.Struct, forbid_unknown_fields=True):
    """How often each way is chosen, against the others."""

    digital: float
    bot: float
    phone: float
    chat: float
    email: float
    store: float


class First(Shares, forbid_unknown_fields=True):
    """Section ``[first]``."""

    human_factor: float
    looks: float


class Then(Shares, forbid_unknown_fields=True):
    """Section ``[then]``."""

    again: float
    wait_min: float


class Bot(msgspec.Struct, forbid_unknown_fields=True):
    """Section ``[bot]``."""

    understands: float
    turns: int
    hands_over: float


class Menu(msgspec.Struct, forbid_unknown_fields=True):
    """Section ``[menu]``."""

    lost: float
    seconds: float


class Queue(msgspec.Struct, forbid_unknown_fields=True):
    """Section ``[queue]``."""

    phone_people: int
    chat_people: int
    busiest: float
    staffed: float
    most: float
    phone_serves_s: float
    chat_serves_s: float
    announces: float
    patience_shape: float
    patience_min: float
    chat_patience: float
    beyond: float
    silent: float
    callback_from_s: float
    callback_taken: float
    callback_missed: float


class Talk(msgspec.Struct, forbid_unknown_fields=True):
    """Section ``[talk]``."""

    transferred: float
    blind: float
    held: float
    ticket: float
    slow: float
    slow_s: float
    store_wait_min: float
    comes_back: float
    comes_back_h: float


class Reply(msgspec.Struct, forbid_unknown_fields=True):
    """Section ``[reply]``."""

    median_h: float
    sigma: float
    never: float
    patience_h: float
    silent: float


class Hours(msgspec.Struct, forbid_unknown_fields=True):
    """Section ``[hours]``; ``profile`` has 24 shares."""

    opens: int
    closes: int
    replies_until: int
    profile: list[float]


class Help(msgspec.Struct, forbid_unknown_fields=True):
    """Section ``[help]``."""

    after_s: float
    accepted: float
    accepted_else: float
    relief: float
    nuisance: float


class Need(msgspec.Struct, forbid_unknown_fields=True):
    """Section ``[need]``."""

    slow_h: float


class Mood(msgspec.Struct, forbid_unknown_fields=True):
    """Section ``[mood]``."""

    step: float
    bot: float
    queue: float
    minute: float
    talk: float
    repeat: float
    reply: float
    settled: float


class Parameters(msgspec.Struct, forbid_unknown_fields=True):
    """All of it."""

    people: People
    digital: Digital
    first: First
    then: Then
    bot: Bot
    menu: Menu
    queue: Queue
    talk: Talk
    reply: Reply
    hours: Hours
    help: Help
    need: Need
    mood: Mood
    intents: dict[str, Intent]
    release: Release = msgspec.field(default_factory=Release)
    surge: Surge = msgspec.field(default_factory=Surge)
    title: str = ""


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files("streams.simulate").joinpath(name).read_text("utf-8"))


def pack_names() -> list[str]:
    """The packs there are, the ordinary day first."""
    return list(_read("packs.toml"))


def load(pack: str) -> Parameters:
    """The parameters of a pack. Raises SettingError for one that does not exist."""
    packs = _read("packs.toml")
    if pack not in packs:
        raise SettingError("--pack", repr(pack), f"one of {', '.join(packs)}")
    return msgspec.convert(_over(_read("parameters.toml"), packs[pack]), Parameters)


def _over(base: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """``base`` with what ``other`` has instead; tables are merged, all else is replaced."""
    merged = dict(base)
    for name, value in other.items():
        below = merged.get(name)
        merged[name] = _over(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged
