"""What is wrong with a policy, in one line of its own terms: the key, what was found, what is right.

>>> str(PolicyError("effort.scale", "-1", "a number above 0"))
'effort.scale: found -1; expected a number above 0'
>>> expected("rage_clik", {"rage_click", "dead_click"})
"one of this section's keys (did you mean rage_click?)"
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from typing import Final

import msgspec

from detectors import policy_model
from detectors.policy_model import PolicyDocument

__all__ = ["PolicyError", "expected", "readable"]


class PolicyError(ValueError):
    """One line: the key, what was found, what would be right."""

    def __init__(self, key: str, found: str, expected: str) -> None:
        super().__init__(f"{key}: found {found}; expected {expected}")
        self.key = key
        self.found = found
        self.expected = expected


def expected(name: str, known: set[str], what: str = "one of this section's keys") -> str:
    """``what`` is right: the keys that are known, with the one that was most likely meant."""
    near = difflib.get_close_matches(name, sorted(known), 1)
    return what + (f" (did you mean {near[0]}?)" if near else "")


_AT: Final = re.compile(r" - at `\$\.?(.*)`$")
_ANY: Final = "[...]"


def readable(
    message: str, raw: dict[str, object], convert: Callable[[object], PolicyDocument]
) -> PolicyError:
    """One line out of a validation error; ``convert`` says whether a document is valid."""
    match = _AT.search(message)
    path = match[1] if match else ""
    what = _AT.sub("", message)
    if _ANY in path:
        path = _culprit(message, path, raw, convert)
    if unknown := re.fullmatch(r"Object contains unknown field `(.*)`", what):
        key = f"{path}.{unknown[1]}".lstrip(".")
        return PolicyError(key, "an unknown key", expected(unknown[1], _keys(path)))
    if missing := re.fullmatch(r"Object missing required field `(.*)`", what):
        return PolicyError(f"{path}.{missing[1]}".lstrip("."), "nothing", "a value (see the default policy)")
    value: object = raw
    for part in re.findall(r'"[^"]*"|[^.\[\]]+', path):
        if isinstance(value, list):
            value = value[int(part)] if part.isdigit() and int(part) < len(value) else None
        else:
            value = value.get(part.strip('"')) if isinstance(value, dict) else None
    found = "a wrong value" if value is None else repr(value)[:60]
    return PolicyError(path or "policy", found, what.removeprefix("Expected "))


def _culprit(
    message: str, path: str, raw: dict[str, object], convert: Callable[[object], PolicyDocument]
) -> str:
    """``path`` with the entry that is meant: the one that is wrong when it stands alone in its table."""
    before, after = path.split(_ANY, 1)
    *outer, name = before.split(".")
    parent: object = raw
    for part in outer:
        parent = parent.get(part) if isinstance(parent, dict) else None
    table = parent.get(name) if isinstance(parent, dict) else None
    if not isinstance(parent, dict) or not isinstance(table, dict | list):
        return path
    entries = list(table.items() if isinstance(table, dict) else enumerate(table))
    found = path
    for key, value in entries:
        parent[name] = {key: value} if isinstance(table, dict) else [value]
        try:
            convert(raw)
        except msgspec.ValidationError as error:
            if str(error) == message:
                plain = str(key) if re.fullmatch(r"[\w-]+", str(key)) else f'"{key}"'
                found = f"{before}[{key}]{after}" if isinstance(table, list) else f"{before}.{plain}{after}"
                break
    parent[name] = table
    return found


def _keys(path: str) -> set[str]:
    """The keys of a section, to guess what was meant."""
    kind: object = PolicyDocument
    of_table = False
    for part in filter(None, re.sub(r"\[\d+\]", "", path).split(".")):
        if of_table:
            # A name of the user's own.
            of_table = False
            continue
        hints = getattr(kind, "__annotations__", {})
        hint = str(hints.get(part, ""))
        of_table = hint.startswith("dict[")
        name = hint.removeprefix("list[").removeprefix("dict[str, ").removesuffix("]")
        kind = getattr(policy_model, name, None)
    return set(getattr(kind, "__struct_fields__", ()))
