"""What a process printed, looked through so that a failure shows the lines that matter."""

from __future__ import annotations

__all__ = ["excerpt", "no_traceback", "tracebacks"]

BEGINS = "Traceback (most recent call last)"
# Lines before a traceback, of its own beginning and end, and behind its error.
BEFORE, FIRST, LAST, AFTER = 3, 3, 24, 2
MOST = 3
ENOUGH = 3_000


def tracebacks(told: str) -> list[str]:
    """Each traceback in ``told`` with a few lines around it, without the middle of a long one.

    >>> tracebacks("a\\nTraceback (most recent call last):\\n  File 1\\nKeyError: 7\\nb\\n")
    ['a\\nTraceback (most recent call last):\\n  File 1\\nKeyError: 7\\nb']
    >>> tracebacks("alert raised")
    []
    """
    lines = told.splitlines()
    return [_around(lines, number) for number, line in enumerate(lines) if BEGINS in line]


def _around(lines: list[str], start: int) -> str:
    # The error's line is the first that is not further in than the traceback's first.
    margin = len(lines[start]) - len(lines[start].lstrip()) + 1
    inner = (n for n in range(start + 1, len(lines)) if not lines[n].startswith(" " * margin))
    end = next(inner, len(lines) - 1) + 1
    own = lines[start:end]
    if len(own) > FIRST + LAST + 1:
        own = [*own[:FIRST], "  ...", *own[-LAST:]]
    return "\n".join([*lines[max(0, start - BEFORE) : start], *own, *lines[end : end + AFTER]])


def excerpt(told: str) -> str:
    """What of ``told`` a failure should show: its tracebacks, or else its end."""
    found = tracebacks(told)
    return "\n...\n".join(found[:MOST]) if found else told[-ENOUGH:]


def no_traceback(told: str) -> None:
    """Fail where there is a traceback in ``told``, and show it alone: what CI prints is cut."""
    assert "Traceback" not in told.replace(BEGINS, ""), excerpt(told)
    if found := tracebacks(told):
        raise AssertionError(f"{len(found)} traceback(s) in what was printed:\n{excerpt(told)}")
