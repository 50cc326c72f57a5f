"""What the row of an attempt that was given up said and the state does not, to be said again.

It is a tuple: event id, source, policy version, where, wait_s, short, intent, segment, step, release, queue;
of a silent one the probability after those, so that no other takes a byte for it.

>>> said = ("e1", "web", 1, "", 420.0, 0, "", "", "ask", "", "")
>>> probability(said), probability((*said, 0.75))
(None, 0.75)
"""

from __future__ import annotations

__all__ = ["Told", "ToldSilent", "probability"]

Told = tuple[str, str, int, str, float | None, int, str, str, str, str, str]
ToldSilent = tuple[str, str, int, str, float | None, int, str, str, str, str, str, float]


def probability(told: Told | ToldSilent) -> float | None:
    """Of a silent one; None of any other."""
    last = told[-1]
    return last if isinstance(last, float) else None
