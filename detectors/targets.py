"""Targets: what human need was fitted to, as sections of the policy; additive in log-odds.

``logit = base + a shape function of each feature + a table for each named pair``: every term is a factor with
its name, and they add up.

>>> section = '''
... [targets.recontact]
... target = "recontact=3600"
... events = ["call.ended", "call.abandoned"]
... base = -1.5
... [targets.recontact.numbers.wait_s]
... edges = [60.0, 300.0]
... log_odds = [-0.25, 0.0, 0.5]
... [targets.recontact.labels.outcome.log_odds]
... queue = 1.25
... [[targets.recontact.pairs]]
... features = ["outcome", "wait_s"]
... first = { labels = ["queue"] }
... second = { edges = [120.0] }
... log_odds = [[0.0, 0.25], [0.0, 0.0]]
... '''
>>> from detectors.policy import DEFAULT_TEXT, parse
>>> target = parse(DEFAULT_TEXT + section).targets["recontact"]
>>> numbers, labels = [float("nan")] * len(NUMBERS), [""] * len(LABELS)
>>> numbers[NUMBERS["wait_s"]], labels[LABELS["outcome"]] = 400.0, "queue"
>>> logit(target, numbers, labels), factors(target, numbers, labels)
(0.5, [('wait_s', 0.5), ('outcome', 1.25), ('outcome x wait_s', 0.25)])
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from detectors.feature_names import FEATURES, LABELS, NEVER, NUMBERS
from detectors.policy_errors import PolicyError, expected
from detectors.policy_fitted import Bins, Pair, TargetRules
from detectors.policy_model import PolicyDocument
from detectors.vocabulary import TYPES

__all__ = ["NAMES", "Target", "Term", "check", "factors", "logit", "made"]

# What a section may be fitted to.
NAMES: Final[tuple[str, ...]] = ("recontact", "reopen", "survey")


class Term:
    """One factor: what its features add to the logit."""

    def __init__(self, name: str) -> None:
        self.name = name

    def log_odds(self, numbers: list[float], labels: list[str]) -> float:
        """Of these values; a term of no kind adds nothing."""
        return 0.0


class NumberTerm(Term):
    """A shape function by bins."""

    def __init__(self, name: str, edges: list[float], log_odds: list[float], missing: float) -> None:
        super().__init__(name)
        self.at = NUMBERS[name]
        self.edges = edges
        self.found = log_odds
        self.missing = missing

    def log_odds(self, numbers: list[float], labels: list[str]) -> float:
        value = numbers[self.at]
        return self.missing if value != value else self.found[bisect_right(self.edges, value)]


class LabelTerm(Term):
    """Log-odds by label."""

    def __init__(self, name: str, log_odds: dict[str, float], other: float) -> None:
        super().__init__(name)
        self.at = LABELS[name]
        self.found = log_odds
        self.other = other

    def log_odds(self, numbers: list[float], labels: list[str]) -> float:
        return self.found.get(labels[self.at], self.other)


class Side:
    """One feature of a pair, in bins."""

    def __init__(self, name: str, bins: Bins) -> None:
        self.edges = bins.edges or []
        self.names = {label: place for place, label in enumerate(bins.labels or [])}
        self.is_label = bins.edges is None
        self.at = LABELS[name] if self.is_label else NUMBERS[name]
        self.bins = (len(self.names) if self.is_label else len(self.edges)) + 1

    def bin(self, numbers: list[float], labels: list[str]) -> int:
        """Which of its bins; -1 where the number is not known."""
        if self.is_label:
            return self.names.get(labels[self.at], self.bins - 1)
        value = numbers[self.at]
        return -1 if value != value else bisect_right(self.edges, value)


class PairTerm(Term):
    """Log-odds of two features together."""

    def __init__(self, name: str, pair: Pair) -> None:
        super().__init__(name)
        self.first = Side(pair.features[0], pair.first)
        self.second = Side(pair.features[1], pair.second)
        self.found = pair.log_odds
        self.missing = pair.missing

    def log_odds(self, numbers: list[float], labels: list[str]) -> float:
        row, column = self.first.bin(numbers, labels), self.second.bin(numbers, labels)
        return self.missing if row < 0 or column < 0 else self.found[row][column]


class Target:
    """One section, ready for the fold. ``text`` is what it was fitted to, ``kinds`` the types of event.

    ``numbers`` and ``labels`` are the places of the features that its terms ask for: no other is worked out.
    """

    def __init__(self, name: str, rules: TargetRules) -> None:
        self.name = name
        self.text = rules.target
        self.kinds = frozenset(rules.events)
        self.live = rules.live
        self.base = rules.base
        self.terms: list[Term] = []
        for feature, number in rules.numbers.items():
            self.terms.append(NumberTerm(feature, number.edges, number.log_odds, number.missing))
        for feature, label in rules.labels.items():
            self.terms.append(LabelTerm(feature, label.log_odds, label.other))
        for pair in rules.pairs:
            self.terms.append(PairTerm(" x ".join(pair.features), pair))
        used = {*rules.numbers, *rules.labels, *(name for pair in rules.pairs for name in pair.features)}
        self.numbers = sorted(NUMBERS[name] for name in used if name in NUMBERS)
        self.labels = sorted(LABELS[name] for name in used if name in LABELS)


def logit(target: Target, numbers: list[float], labels: list[str]) -> float:
    """Base and all terms; values in the order of all features."""
    total = target.base
    for term in target.terms:
        total += term.log_odds(numbers, labels)
    return total


def factors(target: Target, numbers: list[float], labels: list[str]) -> list[tuple[str, float]]:
    """Every term that is not zero, with its log-odds; with the base they add up to :func:`logit`."""
    found = []
    for term in target.terms:
        if value := term.log_odds(numbers, labels):
            found.append((term.name, value))
    return found


def made(document: PolicyDocument) -> dict[str, Target]:
    """The sections of a checked document, by name."""
    return {name: Target(name, rules) for name, rules in document.targets.items()}


# -- what types alone cannot say ---------------------------------------------------------------------------

_MOST_EDGE: Final = 1e12
_MOST_ODDS: Final = 1e6
_PROTECTED: Final = frozenset(one.name for one in FEATURES if one.protected)


def check(document: PolicyDocument) -> None:
    """Raise :class:`PolicyError` for the first thing in ``[targets]`` that is wrong."""
    live: dict[str, str] = {}
    for name, rules in document.targets.items():
        at = f"targets.{name}"
        if name not in NAMES:
            raise PolicyError(at, "an unknown target", expected(name, set(NAMES), " or ".join(NAMES)))
        _events(at, name, rules, live)
        for feature, number in rules.numbers.items():
            key = f"{at}.numbers.{feature}"
            _feature(key, feature, rules, "number")
            _edges(f"{key}.edges", number.edges)
            _row(f"{key}.log_odds", number.log_odds, len(number.edges) + 1, "one more than edges")
            _odds(f"{key}.missing", [number.missing])
        for feature, label in rules.labels.items():
            key = f"{at}.labels.{feature}"
            _feature(key, feature, rules, "label")
            _odds(f"{key}.log_odds", [*label.log_odds.values(), label.other])
        for place, pair in enumerate(rules.pairs):
            _pair(f"{at}.pairs[{place}]", pair, rules)


def _events(at: str, name: str, rules: TargetRules, live: dict[str, str]) -> None:
    if not rules.events:
        raise PolicyError(f"{at}.events", "none", "types of event")
    for kind in rules.events:
        if kind not in TYPES:
            raise PolicyError(f"{at}.events", repr(kind)[:60], expected(kind, set(TYPES), "types of event"))
        if rules.live and live.setdefault(kind, name) != name:
            found = f"{kind}, at which targets.{live[kind]} is live, too"
            raise PolicyError(f"{at}.events", found, "each event in one section that is live")


def _feature(key: str, name: str, rules: TargetRules, kind: str = "") -> None:
    known = NUMBERS if kind == "number" else LABELS if kind == "label" else {**NUMBERS, **LABELS}
    if name.startswith(NEVER):
        raise PolicyError(key, "what is known at the end only", "a feature that is known at the event")
    if name not in known:
        if kind and name in (LABELS if kind == "number" else NUMBERS):
            other = "label" if kind == "number" else "number"
            raise PolicyError(key, f"a {other}", f"it under {other}s")
        raise PolicyError(key, "an unknown feature", expected(name, set(known), "a feature"))
    if name in _PROTECTED and not rules.protected:
        raise PolicyError(key, "a protected attribute", "none, or `protected = true` in this section")


def _pair(key: str, pair: Pair, rules: TargetRules) -> None:
    counts = []
    sides = (("first", pair.features[0], pair.first), ("second", pair.features[1], pair.second))
    for side, name, bins in sides:
        _feature(f"{key}.features", name, rules)
        if (bins.edges is None) == (bins.labels is None):
            raise PolicyError(f"{key}.{side}", "both or neither", "either edges or labels")
        if (bins.edges is None) != (name in LABELS):
            found = "labels" if bins.edges is None else "edges"
            raise PolicyError(f"{key}.{side}", f"{found} of {name}", "edges of a number, labels of a label")
        if bins.edges is not None:
            _edges(f"{key}.{side}.edges", bins.edges)
        if bins.labels is not None and (not bins.labels or len(set(bins.labels)) < len(bins.labels)):
            raise PolicyError(f"{key}.{side}.labels", repr(bins.labels)[:60], "labels, each once")
        counts.append(len(bins.edges or bins.labels or ()) + 1)
    if pair.features[0] == pair.features[1]:
        raise PolicyError(f"{key}.features", "one feature twice", "two features")
    if len(pair.log_odds) != counts[0]:
        raise PolicyError(f"{key}.log_odds", f"{len(pair.log_odds)} rows", f"{counts[0]}: one a bin of first")
    for row in pair.log_odds:
        _row(f"{key}.log_odds", row, counts[1], "in each row, one a bin of second")
    _odds(f"{key}.missing", [pair.missing])


def _edges(key: str, edges: Sequence[float]) -> None:
    if not edges:
        raise PolicyError(key, "none", "at least one edge")
    for at, edge in enumerate(edges):
        if not abs(edge) <= _MOST_EDGE:
            raise PolicyError(key, str(edge), f"numbers between -{_MOST_EDGE:.0e} and {_MOST_EDGE:.0e}")
        if at and edge <= edges[at - 1]:
            raise PolicyError(key, f"{edge} after {edges[at - 1]}", "edges that ascend")


def _row(key: str, values: Sequence[float], count: int, why: str) -> None:
    if len(values) != count:
        raise PolicyError(key, f"{len(values)} numbers", f"{count} ({why})")
    _odds(key, values)


def _odds(key: str, values: Sequence[float]) -> None:
    for value in values:
        if not abs(value) <= _MOST_ODDS:
            raise PolicyError(key, str(value), f"numbers between -{_MOST_ODDS:.0e} and {_MOST_ODDS:.0e}")
