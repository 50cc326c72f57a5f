"""Surgery on a policy's text: one section replaced or appended, and every other line as it was.

A reader and writer of TOML would lose comments or their places, and those say why a number is what it is.
So lines are cut out and put in, and afterwards both texts are read and compared: nothing else may differ.

>>> text = "# mine\\n[a]\\nx = 1  # why\\n\\n[b.c]\\ny = 2\\n\\n# of d\\n[d]\\nz = 3\\n"
>>> print(with_section(text, "b.c", "[b.c]\\ny = 5\\n[b.c.e]\\nw = 6\\n"), end="")
# mine
[a]
x = 1  # why
<BLANKLINE>
[b.c]
y = 5
[b.c.e]
w = 6
<BLANKLINE>
# of d
[d]
z = 3
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any, Final

from detectors.policy_errors import PolicyError

__all__ = ["with_fitted", "with_section"]

_MULTILINE = ('"""', "'''")
# key = "value"  # comment
_LINE: Final = re.compile(
    r"""(?P<key>\s*["']?(?P<name>[\w-]+)["']?\s*=\s*)(?P<value>"[^"\\]*"|'[^']*')(?P<space>\s*)(?:\#\s*(?P<said>.*))?"""
)
_FITTED: Final = re.compile(r"fitted to \S+, \S+ before(?:; )?")


def with_section(base_text: str, section_path: str, section_text: str) -> str:
    """``base_text`` with the section (and its sub-tables) replaced, or appended where there is none.

    Raises PolicyError where the base writes the section in a way that has no lines of its own, such as an
    inline table.
    """
    path = tuple(section_path.split("."))
    kept: list[str] = []
    place = -1
    # What stands after a table's last key is about what follows.
    after: list[str] = []
    for header, lines in _blocks(base_text):
        if header[: len(path)] == path:
            place = len(kept) if place < 0 else place
            end = len(lines)
            while end and lines[end - 1].lstrip()[:1] in ("", "#"):
                end -= 1
            after = lines[end:]
        else:
            kept += after + lines
            after = []
    kept += after
    new = section_text.strip("\n").split("\n")
    if place >= 0:
        kept[place:place] = new
    else:
        while kept and not kept[-1].strip():
            kept.pop()
        kept += [*([""] if kept else []), *new, ""]
    text = "\n".join(kept)
    _check(base_text, text, path, section_text)
    return text


def with_fitted(base_text: str, section: str, key: str, value: str, target: str) -> str:
    """``base_text`` with the words of one key replaced; its comment stays, and begins with what it was
    fitted to.

    >>> text = '[effort]\\nacute = "20min"   # one visit\\n'
    >>> text = with_fitted(text, "effort", "acute", "5min", "reopen")
    >>> print(text, end="")
    [effort]
    acute = "5min"   # fitted to reopen, 20min before; one visit
    >>> print(with_fitted(text, "effort", "acute", "1h", "reopen"), end="")
    [effort]
    acute = "1h"   # fitted to reopen, 5min before; one visit

    Raises PolicyError where the key has no line of its own.
    """
    lines: list[str] = []
    for header, block in _blocks(base_text):
        within = _Within()
        for line in block:
            found = _LINE.fullmatch(line) if within.fresh and header == (section,) else None
            within.read(line)
            if found is not None and found["name"] == key:
                said = _FITTED.sub("", found["said"] or "", count=1)
                why = f"fitted to {target}, {found['value'][1:-1]} before" + (f"; {said}" if said else "")
                lines.append(f'{found["key"]}"{value}"{found["space"] or "  "}# {why}')
            else:
                lines.append(line)
    text = "\n".join(lines)
    _check(base_text, text, (section, key), f'[{section}]\n{key} = "{value}"\n', "a line of its own")
    return text


def _blocks(text: str) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Lines by the table they stand in, in their order; the first block has no header."""
    header: tuple[str, ...] = ()
    lines: list[str] = []
    within = _Within()
    for line in text.split("\n"):
        if within.fresh and line.lstrip().startswith("["):
            yield header, lines
            header, lines = _path(line), []
        lines.append(line)
        within.read(line)
    yield header, lines


def _path(line: str) -> tuple[str, ...]:
    """The parts of a header's key, read by the library that reads the policy."""
    try:
        found: Any = tomllib.loads(line)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError("policy file", f"no TOML ({error})", "a file like the default policy") from None
    parts: list[str] = []
    while found:
        found = found[0] if isinstance(found, list) else found
        if not found:
            break
        ((name, found),) = found.items()
        parts.append(name)
    return tuple(parts)


class _Within:
    """Whether a line begins inside a value that goes over several lines."""

    def __init__(self) -> None:
        self._string = ""
        self._depth = 0

    @property
    def fresh(self) -> bool:
        return not self._string and not self._depth

    def read(self, line: str) -> None:
        at = 0
        while at < len(line):
            if self._string:
                at = self._inside(line, at)
                continue
            char = line[at]
            if char == "#":
                break
            triple = line[at : at + 3]
            if triple in _MULTILINE:
                self._string = triple
                at += 3
                continue
            if char in "\"'":
                self._string = char
            elif char in "[{":
                self._depth += 1
            elif char in "]}":
                self._depth -= 1
            at += 1
        if self._string not in _MULTILINE:
            # A plain string ends with its line at the latest.
            self._string = ""

    def _inside(self, line: str, at: int) -> int:
        """The place after the string's end, an escape, or one character."""
        if line.startswith(self._string, at):
            ended = len(self._string)
            self._string = ""
            return at + ended
        return at + (2 if line[at] == "\\" and self._string[0] == '"' else 1)


def _check(before: str, after: str, path: tuple[str, ...], section: str, wants: str = "") -> None:
    """Raises PolicyError unless ``after`` is ``before`` with exactly this section, or this key."""
    expected: Any = tomllib.loads(before)
    wanted: Any = tomllib.loads(section)
    inner = expected
    for part in path[:-1]:
        inner = inner.setdefault(part, {}) if isinstance(inner, dict) else None
        wanted = wanted[part]
    if isinstance(inner, dict):
        inner[path[-1]] = wanted[path[-1]]
    try:
        same = tomllib.loads(after) == expected
    except tomllib.TOMLDecodeError:
        same = False
    if not same:
        name = ".".join(path)
        if wants:
            raise PolicyError(name, "no such line", f"{wants}, below [{path[0]}]")
        raise PolicyError(name, "a section without a header of its own", f"[{name}] and its keys below it")
