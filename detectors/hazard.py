"""The hazard of giving up: how likely somebody who waits leaves soon, from numbers in the policy alone.

Time is cut into intervals. The chance of each, given that it was reached, is additive in log-odds: a base,
the shape of the wait so far, the label of the queue (or step), the hour of day, and what was announced.
In a queue it is the chance of leaving, and the risk at a moment that of leaving within the time ``ahead``. Of
a form or a cart nobody sees the moment of leaving: there it is the chance that, after so much inactivity,
nothing more comes before the time-out, and that is the risk.

>>> rules = HazardRules(
...     interval=Ms(10_000), line=0.4, may_leave=3.0, base=-3.0,
...     wait=HazardShape([60.0], [0.0, 0.5]), labels={"queue": HazardLabels({"sales": 1.0})},
... )
>>> hazard = Hazard("queue", rules)
>>> [round(risk(hazard, waited, "sales", 9), 3) for waited in (0, 30_000, 60_000)]
[0.533, 0.627, 0.701]
>>> round(risk(hazard, 0, "", 9), 3), round(risk(hazard, 0, "", 9, ahead_ms=10_000), 3)
(0.253, 0.047)
>>> reaches(hazard, "sales", 9), reaches(hazard, "", 9)  # the line: at once, and never
(0, -1)
"""

from __future__ import annotations

from bisect import bisect_right
from math import exp, log1p
from typing import Final

from detectors.durations import HOUR, SECOND
from detectors.policy_errors import PolicyError, expected
from detectors.policy_model import HazardLabels, HazardRules, Hazards, HazardShape, Ms

__all__ = ["NOT_ANNOUNCED", "REACHED", "Hazard", "Ms", "check", "reaches", "risk"]

# What a state says instead of when: the risk is at the line, and the customer still waits.
REACHED: Final = -2
NOT_ANNOUNCED: Final = -1.0
# So many intervals are looked at from the beginning of a wait, and not more.
_MOST_STEPS: Final = 1_000
# Of moments at which a risk reaches the line that are remembered, by what they depend on.
_MOST_KNOWN: Final = 4_096
_MOST_BINS: Final = 64
_NAMES: Final = {"queue": "queue", "form": "place", "cart": "place"}
_LONGEST: Final = 24 * HOUR
_SURE: Final = 1.0 - 1e-12

Key = tuple[float, float, int]


class Shape:
    """Log-odds by bins: below the first edge, then from each edge on."""

    def __init__(self, shape: HazardShape | None) -> None:
        self.edges: list[float] = [] if shape is None else list(shape.edges)
        self.log_odds: list[float] = [0.0] if shape is None else list(shape.log_odds)
        self.missing = 0.0 if shape is None else shape.missing
        self.last = self.edges[-1] if self.edges else 0.0

    def at(self, value: float) -> float:
        """The log-odds of the bin that ``value`` lies in."""
        return self.log_odds[bisect_right(self.edges, value)]


class Labels:
    """Log-odds by label."""

    def __init__(self, labels: HazardLabels | None) -> None:
        self.log_odds: dict[str, float] = {} if labels is None else dict(labels.log_odds)
        self.other = 0.0 if labels is None else labels.other

    def at(self, label: str) -> float:
        """The log-odds of ``label``, or of one that is not named."""
        return self.log_odds.get(label, self.other)


class Hazard:
    """One section, made ready: of a ``queue``, a ``form`` or a ``cart``."""

    def __init__(self, kind: str, rules: HazardRules) -> None:
        self.kind = kind
        # What is in the section is the chance of having gone already, not that of leaving.
        self.gone = kind != "queue"
        self.interval = int(rules.interval)
        self.ahead = int(rules.ahead)
        self.line = rules.line
        self.may_leave = rules.may_leave
        self.base = rules.base
        self.wait = Shape(rules.wait)
        self.hour = Shape(rules.hour)
        self.announced = Shape(rules.announced)
        self.label = Labels(rules.labels.get(_NAMES[kind]))
        self.protected = rules.protected
        self.priority = Labels(rules.labels.get("priority") if rules.protected else None)
        self._known: dict[Key, int] = {}

    def fixed(self, label: str, hour: int, priority: str) -> float:
        """The part of the log-odds that a wait keeps from its beginning to its end."""
        return self.base + self.label.at(label) + self.hour.at(hour) + self.priority.at(priority)

    def step(self, fixed: float, step: int, announced: float) -> float:
        """The chance of the interval ``step``, from 0."""
        waited = step * self.interval / 1000
        odds = fixed + self.wait.at(waited)
        odds += self.announced.at(waited - announced) if announced >= 0.0 else self.announced.missing
        return 1.0 / (1.0 + exp(-odds)) if odds >= 0.0 else exp(odds) / (1.0 + exp(odds))

    def risk(self, fixed: float, since: int, until: int, announced: float) -> float:
        """As :func:`risk`, of the time from ``since`` to ``until`` (ms of the wait)."""
        interval = self.interval
        step = since // interval
        if self.gone:
            return self.step(fixed, step, announced)
        stays = 0.0
        while step * interval < until:
            part = min((step + 1) * interval, until) - max(step * interval, since)
            stays += log1p(-min(self.step(fixed, step, announced), _SURE)) * part / interval
            step += 1
        return 1.0 - exp(stays)

    def moment(self, fixed: float, announced: float, timeout: int) -> int:
        """The first interval's beginning (ms) with a risk at the line, before ``timeout``; -1 if none."""
        key = (fixed, announced, timeout)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            found = self._known[key] = self._first(fixed, announced, timeout)
        return found

    def _first(self, fixed: float, announced: float, timeout: int) -> int:
        last = min(timeout, _MOST_STEPS * self.interval)
        # Behind all edges every interval is like the one before.
        still = max(self.wait.last, self.announced.last + announced if announced >= 0.0 else 0.0) * 1000
        at = 0
        while at < last:
            if self.risk(fixed, at, at + self.ahead, announced) >= self.line:
                return at
            if at > still:
                break
            at += self.interval
        return -1


def risk(
    hazard: Hazard,
    waited: int,
    label: str,
    hour: int,
    announced: float = NOT_ANNOUNCED,
    priority: str = "",
    ahead_ms: int = 0,
) -> float:
    """How likely one leaves who has waited (been inactive) for ``waited`` ms, 0..1.

    In a queue: within ``ahead_ms`` (default: the section's ``ahead``). Of a form or a cart: that nothing more
    comes before its time-out. ``hour`` is that of the beginning; of a form, ``label`` is "journey/step".
    """
    fixed = hazard.fixed(label, hour, priority)
    return hazard.risk(fixed, waited, waited + (ahead_ms or hazard.ahead), announced)


def reaches(
    hazard: Hazard,
    label: str,
    hour: int,
    announced: float = NOT_ANNOUNCED,
    priority: str = "",
    timeout: int = HOUR,
) -> int:
    """How long (ms) after the beginning the risk first reaches the line; -1 where it does not.

    It is looked at where an interval begins, and below ``timeout``: then it counts as given up anyway.
    """
    return hazard.moment(hazard.fixed(label, hour, priority), announced, timeout)


def check(hazards: Hazards) -> None:
    """What types alone cannot say. Raises :class:`PolicyError`."""
    for kind, rules in (("queue", hazards.queue), ("form", hazards.form), ("cart", hazards.cart)):
        if rules is not None:
            _check(f"hazard.{kind}", kind, rules)


def _check(key: str, kind: str, rules: HazardRules) -> None:
    for name, span in (("interval", rules.interval), ("ahead", rules.ahead)):
        if not SECOND <= span <= _LONGEST:
            raise PolicyError(f"{key}.{name}", f"{span} ms", "a duration from 1s to 24h")
    if rules.ahead > _MOST_STEPS * rules.interval:
        raise PolicyError(f"{key}.ahead", f"{rules.ahead // rules.interval} intervals", "1,000 at most")
    for name, shape in (("wait", rules.wait), ("hour", rules.hour), ("announced", rules.announced)):
        if shape is not None:
            _check_shape(f"{key}.{name}", shape)
    if rules.line <= 0.0:
        raise PolicyError(f"{key}.line", str(rules.line), "a risk above 0")
    if kind != "queue" and rules.announced is not None:
        raise PolicyError(f"{key}.announced", "a section", "none: a wait is announced in queues only")
    known = {_NAMES[kind], "priority"} if kind == "queue" else {_NAMES[kind]}
    for name in rules.labels:
        if name not in known:
            raise PolicyError(f"{key}.labels.{name}", "an unknown key", expected(name, known))
    if "priority" in rules.labels and not rules.protected:
        raise PolicyError(f"{key}.labels.priority", "a protected attribute", "protected = true beside it")


def _check_shape(key: str, shape: HazardShape) -> None:
    edges = shape.edges
    if len(edges) >= _MOST_BINS or any(edges[at] >= edges[at + 1] for at in range(len(edges) - 1)):
        raise PolicyError(f"{key}.edges", f"{len(edges)} edges", "ascending ones, fewer than 64")
    if len(shape.log_odds) != len(edges) + 1:
        raise PolicyError(
            f"{key}.log_odds", f"{len(shape.log_odds)} of them", f"{len(edges) + 1}, a bin each"
        )
