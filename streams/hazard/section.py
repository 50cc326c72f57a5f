"""A fitted hazard as the text of its section.

>>> from detectors.policy_model import HazardLabels, HazardRules, HazardShape, Ms
>>> rules = HazardRules(
...     target="abandon=60", interval=Ms(10_000), line=0.2, may_leave=3.0, base=-3.5,
...     wait=HazardShape([60.0], [0.0, -0.25]), labels={"queue": HazardLabels({"PS": 0.1, "": 0.2})},
... )
>>> print(text_of("queue", rules), end="")
[hazard.queue]
target = "abandon=60"
interval = "10s"
ahead = "60s"
line = 0.2
may_leave = 3.0
base = -3.5
protected = false
[hazard.queue.wait]
edges = [60.0]
log_odds = [0.0, -0.25]
[hazard.queue.labels.queue]
other = 0.0
[hazard.queue.labels.queue.log_odds]
"PS" = 0.1
"" = 0.2
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from detectors.policy_model import HazardRules, HazardShape

__all__ = ["text_of"]


def text_of(kind: str, rules: HazardRules) -> str:
    """The section ``[hazard.KIND]`` with its sub-tables."""
    return "\n".join(_lines(f"hazard.{kind}", rules)) + "\n"


def _lines(name: str, rules: HazardRules) -> Iterator[str]:
    yield f"[{name}]"
    yield f"target = {_quoted(rules.target)}"
    yield f'interval = "{_span(rules.interval)}"'
    yield f'ahead = "{_span(rules.ahead)}"'
    yield f"line = {rules.line}"
    yield f"may_leave = {rules.may_leave}"
    yield f"base = {rules.base}"
    yield f"protected = {str(rules.protected).lower()}"
    for part, shape in (("wait", rules.wait), ("hour", rules.hour), ("announced", rules.announced)):
        if shape is not None:
            yield from _shape(f"{name}.{part}", shape, part == "announced")
    for part, labels in sorted(rules.labels.items()):
        yield f"[{name}.labels.{part}]"
        yield f"other = {labels.other}"
        yield f"[{name}.labels.{part}.log_odds]"
        yield from (f"{_quoted(label)} = {value}" for label, value in labels.log_odds.items())


def _shape(name: str, shape: HazardShape, missing: bool) -> Iterator[str]:
    yield f"[{name}]"
    yield f"edges = {shape.edges}"
    yield f"log_odds = {shape.log_odds}"
    if missing:
        yield f"missing = {shape.missing}"


def _span(ms: int) -> str:
    return f"{ms // 1000}s" if ms % 1000 == 0 else f"{ms}ms"


def _quoted(text: str) -> str:
    # A basic string of TOML is one of JSON; what JSON need not escape, DEL, TOML must.
    return json.dumps(text).replace("\x7f", "\\u007f")
