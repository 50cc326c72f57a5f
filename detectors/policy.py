"""A policy, checked and made ready for the fold.

>>> policy = default()
>>> policy.version, policy.points[NUMBER["rage_click"]], policy.longest_timeout_ms // 86_400_000
(1, 4.0, 8)
>>> parse(DEFAULT_TEXT.replace("scale = 20.0", "scale = -1"))
Traceback (most recent call last):
detectors.policy_errors.PolicyError: effort.scale: found -1; expected `float` > 0.0
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterator
from datetime import datetime
from importlib import resources
from typing import Final

import msgspec

from detectors import channel_fit, declared, durations, hazard, targets
from detectors.declared import Line
from detectors.hours import ServiceHours
from detectors.policy_errors import PolicyError, expected, readable
from detectors.policy_model import Ms, NeedSignal, PolicyDocument, Switches
from detectors.signals import NUMBER, SIGNALS
from detectors.targets import Target
from detectors.vocabulary import ASYNC_CHANNELS, CHANNELS

__all__ = ["DEFAULT_TEXT", "NeedRule", "Policy", "PolicyError", "default", "parse"]

DEFAULT_TEXT: Final = (resources.files("detectors") / "default_policy.toml").read_text("utf-8")

LEVELS: Final = ("", "watch", "offer_help", "offer_human", "human_now")


class NeedRule:
    """Log-odds per decayed count of one signal, at most ``cap`` counts, of ``points`` each."""

    def __init__(self, number: int, name: str, rule: NeedSignal, points: float) -> None:
        self.number = number
        self.name = name
        self.log_odds = rule.log_odds
        self.acute = rule.horizon == "acute"
        self.cap = rule.cap
        self.points = points


class SwitchRules:
    """The windows of ``[switches]`` in ms, as the fold reads them."""

    def __init__(self, rules: Switches) -> None:
        self.window = int(rules.window)
        self.hard_window = int(rules.hard_window)
        self.soft_window = int(rules.soft_window)
        self.soft_failures = rules.soft_failures
        self.guided_window = int(rules.guided_window)
        self.ping_pong_window = int(rules.ping_pong_window)
        self.visit_gap = int(rules.visit_gap)


class Policy:
    """A checked policy with what the fold needs precomputed. Immutable by convention."""

    def __init__(self, document: PolicyDocument, text: str) -> None:
        self.document = document
        self.text = text
        self.version = document.version
        effort = document.effort
        self.acute_rate = math.log(2) / effort.acute_half_life
        self.chronic_rate = math.log(2) / effort.chronic_half_life
        self.coverage_rate = math.log(2) / effort.coverage_half_life
        self.cause_rate = math.log(2) / document.cause.half_life
        self.emotion_rate = math.log(2) / document.need.emotion_half_life
        self.acute_weight = effort.acute_weight
        self.chronic_weight = effort.chronic_weight
        self.scale = effort.scale
        self.coverage_scale = effort.coverage_scale
        self.coverage_floor = effort.coverage_floor
        self.lateness: int = int(document.time.lateness)
        self.idle: int = int(document.time.idle)
        self.allowance: int = int(document.time.allowance)
        self.switches = SwitchRules(document.switches)
        self.preference = dict(document.cause.preference)
        self.silence = document.silence
        # What brief.py found of fields' names, by name.
        self.skippable: dict[str, bool] = {}
        self.other = NUMBER["other"]
        # Points by signal number; "other" is a bucket and has none of its own.
        self.points = [document.signals.get(spec.name, 0.0) for spec in SIGNALS]
        self.need_signals = [
            NeedRule(NUMBER[name], name, rule, self.points[NUMBER[name]])
            for name, rule in document.need.signals.items()
        ]
        # Signals that human need is told by.
        self.telling = frozenset(rule.number for rule in self.need_signals)
        need = document.need
        self.need_base = need.base
        self.need_effort = need.effort
        self.need_habit = need.habit
        self.need_memory = int(need.memory)
        self.need_steps = dict(need.steps)
        # The steps that are named at all, whatever their journey.
        self.need_step_names = frozenset(name.rpartition("/")[2] for name in need.steps)
        self.vulnerable_memory = int(need.vulnerable_memory)
        self.distress = need.distress
        self.need_emotion = need.emotion
        self.need_engagement = need.engagement
        self.need_first_time = need.first_time
        self.need_problem = need.problem
        self.need_last_contact = need.last_contact
        self.need_risk = need.risk
        self.need_human, self.need_digital = need.prefers_human, need.prefers_digital
        levels = need.levels
        self._watch, self._offer_help = levels.watch, levels.offer_help
        self._offer_human, self._human_now = levels.offer_human, levels.human_now
        self.line = document.candidates.line
        self.rearm = document.candidates.rearm
        self.cause_default = [document.cause.default.get(spec.name, 0.0) for spec in SIGNALS]
        hours = document.hours
        self.hours = ServiceHours(list(hours.days), hours.open, hours.close, hours.zone)
        self.floor = round(datetime.fromisoformat(document.time.floor).timestamp() * 1000)
        self.promises: dict[str, int] = {
            "chat": int(document.promises.chat),
            "messaging": int(document.promises.messaging),
            "email": int(document.promises.email),
            "ticket": int(document.promises.ticket),
            "social": int(document.promises.social),
        }
        # Where a section says how likely those who wait leave; "leaving" is whether any does.
        hazards = document.hazard
        self.hazard_queue = None if hazards.queue is None else hazard.Hazard("queue", hazards.queue)
        self.hazard_form = None if hazards.form is None else hazard.Hazard("form", hazards.form)
        self.hazard_cart = None if hazards.cart is None else hazard.Hazard("cart", hazards.cart)
        self.leaving = any(found is not None for found in (hazards.queue, hazards.form, hazards.cart))
        abandonment = document.abandonment
        self._overrides = list(abandonment.override)
        self.timeouts: dict[str, int] = {
            "step": int(abandonment.step),
            "form": int(abandonment.form),
            "cart": int(abandonment.cart),
            "queue": int(abandonment.queue),
            "ivr": int(abandonment.ivr),
            "bot": int(abandonment.bot),
            "conversation": int(abandonment.conversation),
        }

        # What history says of channels, and what answer is expected of how much effort.
        self.channel_fit = channel_fit.made(document.channel_fit)
        self.declared = declared.made(document)
        self.ces_line: Line | None = self.declared.get("ces")
        # Sections for targets; by type of event, those at which one is human need; one that is everywhere.
        self.targets = targets.made(document)
        self.live: dict[str, Target] = {}
        for target in self.targets.values():
            if target.live:
                for kind in target.kinds:
                    self.live[kind] = target
        self.shown: Target | None = None
        self.has_targets = bool(self.live)
        self.need_case_updates = need.case_updates
        self.need_case_moves = need.case_moves
        self.need_case_returns = need.case_returns
        self.need_cases = bool(need.case_updates or need.case_moves or need.case_returns)

    def shows(self, name: str) -> Policy:
        """The same policy with the section ``name`` as the human need of every event, if it has one."""
        target = self.targets.get(name)
        if target is None:
            return self
        other = Policy(self.document, self.text)
        other.shown, other.has_targets = target, True
        return other

    def target(self, kind: str) -> Target | None:
        """The section that is human need at events of this type; None where ``[need]`` is."""
        return self.live.get(kind) if self.shown is None else self.shown

    def keep_cause(self, passed: int) -> float:
        """The share of a cause's evidence that is left after ``passed`` ms."""
        return math.exp(-self.cause_rate * passed) if passed > 0 else 1.0

    def timeout(self, kind: str, journey: str, step: str) -> int:
        """Idle time in ms after which an attempt of ``kind`` counts as given up."""
        for rule in self._overrides:
            if rule.kind == kind and rule.journey in ("", journey) and rule.step in ("", step):
                return int(rule.timeout)
        return self.timeouts[kind]

    def promise(self, channel: str) -> int:
        """Promised time to reply on ``channel`` in ms (service hours where :meth:`answers_later`)."""
        return self.promises.get(channel, self.promises["email"])

    def answers_later(self, channel: str) -> bool:
        """Whether replies on ``channel`` are due in service hours only."""
        return channel in ASYNC_CHANNELS

    def level(self, need: float) -> int:
        """Index into :data:`LEVELS` for a probability."""
        if need < self._watch:
            return 0
        if need < self._offer_help:
            return 1
        if need < self._offer_human:
            return 2
        return 3 if need < self._human_now else 4

    @property
    def longest_timeout_ms(self) -> int:
        """After this much silence no timer is left: what a replay's last tick waits."""
        document = self.document
        a = document.abandonment
        owed = max(self.promises.values())
        return max(
            *self.timeouts.values(),
            *(rule.timeout for rule in a.override),
            # Service hours stretch a promise over nights, weekends and holidays: five times covers those.
            5 * owed + max(a.unanswered, a.unanswered_async, a.conversation, a.conversation_async),
            document.relief.reopen_window,
        )


def default() -> Policy:
    """The built-in policy."""
    return parse(DEFAULT_TEXT)


def parse(text: str) -> Policy:
    """Read and check a policy's text; :class:`PolicyError` names the first key that is wrong."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > _MOST_TEXT or max(map(_dots, text.splitlines()), default=0) > _MOST_DOTS:
        found = f"{size:,} bytes" if size > _MOST_TEXT else "a line of many dots"
        raise PolicyError("policy file", found, f"{_MOST_TEXT:,} at most, and keys of a few parts")
    try:
        raw = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # Not only its own error: a number of 5,000 digits is a ValueError, a thousand brackets go too deep.
        said = error if isinstance(error, tomllib.TOMLDecodeError) else type(error).__name__
        raise PolicyError("policy file", f"no TOML ({said})", "a file like the default policy") from error
    try:
        document = _convert(raw)
    except msgspec.ValidationError as error:
        raise readable(str(error), raw, _convert) from error
    _check(document)
    try:
        return Policy(document, text)
    except ValueError as error:
        raise PolicyError("hours", str(error), "an IANA zone and hours that close after they open") from error


def _duration(kind: type, value: object) -> object:
    if kind is Ms and isinstance(value, str):
        return Ms(durations.parse(value))
    raise ValueError('a duration such as "90s", "20min", "8h" or "7d"')


# A policy arrives as a record, and none may hold a worker up: a key of 10,000 parts takes the reader seconds.
_MOST_TEXT = 32 * 1024
_MOST_DOTS = 200  # a line may name every type of event
# A fraction by itself, of which a row of log-odds has many, is no part of a key.
_FRACTION: Final = re.compile(r"(?<![\w.])\d+\.\d+(?:[eE][-+]?\d+)?(?![\w.])")


def _dots(line: str) -> int:
    return _FRACTION.sub("", line).count(".")


# Beyond these a number is a slip: no sum of points, no due time may overflow.
_MOST: Final = 1e6
_LONGEST: Final = 3650 * durations.DAY


def _numbers(value: object, path: str) -> Iterator[tuple[str, float]]:
    """Every fraction in a document with its key; "not a number" and infinity are legal in TOML."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _numbers(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, float):
        yield path, value


def _check(document: PolicyDocument) -> None:
    """What types alone cannot say."""
    signals = set(NUMBER) - {"other", "recovered"}
    for key, value in _numbers(msgspec.to_builtins(document, enc_hook=int), ""):
        if not abs(value) <= _MOST:
            raise PolicyError(key, str(value), f"a number between -{_MOST:,.0f} and {_MOST:,.0f}")
    _known("signals", document.signals, signals)
    missing = sorted(signals - set(document.signals))
    if missing:
        raise PolicyError(f"signals.{missing[0]}", "nothing", "points for every signal")
    for name, points in document.signals.items():
        relief = SIGNALS[NUMBER[name]].relief
        if points > 0 if relief else points < 0:
            expected = "0 or less (it is relief)" if relief else "0 or more (it is friction)"
            raise PolicyError(f"signals.{name}", str(points), expected)
    _known("need.signals", document.need.signals, signals)
    _known("cause.default", document.cause.default, signals)
    preferences = {
        "prefers_human",
        "asked_first",
        "went_first",
        "engagement",
        "first_time",
        "risk",
        "last_contact",
        "distress",
    }
    _known("cause.preference", document.cause.preference, preferences)
    for key, span in _durations(document):
        if span <= 0 and key not in ("time.lateness", "waiting.free", "waiting.short_abandon"):
            raise PolicyError(key, "0", "a duration above 0")
        if span > _LONGEST:
            raise PolicyError(key, f"{span // durations.DAY} days", "a duration of at most 3650d")
    if document.time.idle < durations.DAY:
        raise PolicyError("time.idle", f"{document.time.idle // durations.HOUR} hours", "at least a day")
    hazard.check(document.hazard)
    levels = document.need.levels
    if not levels.watch <= levels.offer_help <= levels.offer_human <= levels.human_now:
        raise PolicyError(
            "need.levels", "levels out of order", "watch <= offer_help <= offer_human <= human_now"
        )
    if document.candidates.rearm > document.candidates.line:
        raise PolicyError("candidates.rearm", str(document.candidates.rearm), "no more than candidates.line")
    if document.effort.acute_weight + document.effort.chronic_weight <= 0:
        raise PolicyError("effort.acute_weight", "0 with chronic_weight 0", "at least one weight above 0")
    for key, names in document.channels.items():
        for name in names:
            if name not in CHANNELS:
                raise PolicyError(f"channels.{key}", f"{name!r}", "channels of the vocabulary")
    for key, table in (("channels", document.channels), ("teams", document.teams)):
        if "*" not in table:
            raise PolicyError(f'{key}."*"', "nothing", "an entry for everything not named")
    channel_fit.check(document)
    declared.check(document)
    targets.check(document)
    try:
        floor = datetime.fromisoformat(document.time.floor)
    except ValueError:
        floor = datetime.min  # noqa: DTZ901 - only a marker without a zone, refused below
    if floor.tzinfo is None:
        raise PolicyError("time.floor", repr(document.time.floor), "an RFC 3339 time with its zone")


def _known(
    section: str, found: dict[str, object] | dict[str, float] | dict[str, NeedSignal], known: set[str]
) -> None:
    for name in found:
        if name not in known:
            raise PolicyError(f"{section}.{name}", "an unknown key", expected(name, known))


def _durations(document: PolicyDocument) -> list[tuple[str, int]]:
    found = []
    for section in PolicyDocument.__struct_fields__:
        struct = getattr(document, section)
        for field in getattr(struct, "__struct_fields__", ()):
            value = getattr(struct, field)
            if isinstance(value, Ms):
                found.append((f"{section}.{field}", int(value)))
    for rule in document.abandonment.override:
        found.append(("abandonment.override.timeout", int(rule.timeout)))
    return found


def _convert(raw: object) -> PolicyDocument:
    return msgspec.convert(raw, PolicyDocument, dec_hook=_duration)
