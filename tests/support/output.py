"""What a process printed, looked through so that a failure shows the lines that matter."""

from __future__ import annotations

__all__ = ["excerpt", "no_traceback", "tracebacks"]

BEGINS = "Traceback (most recent call last)"
BEFORE, AFTER = 3, 40
MOST = 3
ENOUGH = 3_000


def tracebacks(told: str) -> list[str]:
    """Each traceback in ``told`` with a few lines before it and the error, with what follows, after it.

    >>> tracebacks("a\\nTraceback (most recent call last):\\n  File 1\\nKeyError: 7\\nb\\n")
    ['a\\nTraceback (most recent call last):\\n  File 1\\nKeyError: 7\\nb']
    >>> tracebacks("alert raised")
    []
    """
    lines = told.splitlines()
    found: list[str] = []
    shown = 0
    for number, line in enumerate(lines):
        # Chained ones are shown with their first.
        if BEGINS in line and number >= shown:
            shown = number + AFTER
            found.append("\n".join(lines[max(0, number - BEFORE) : shown]))
    return found


def excerpt(told: str) -> str:
    """What of ``told`` a failure should show: its tracebacks, or else its end."""
    found = tracebacks(told)
    return "\n...\n".join(found[:MOST]) if found else told[-ENOUGH:]


def no_traceback(told: str) -> None:
    """Fail where there is a traceback in ``told``, and show it alone: what CI prints is cut."""
    assert "Traceback" not in told.replace(BEGINS, ""), excerpt(told)
    if found := tracebacks(told):
        raise AssertionError(f"{len(found)} traceback(s) in what was printed:\n{excerpt(told)}")
