"""Parts of a customer's record, as ``packed.py`` puts them together: replies that are owed, and the tally.

>>> from detectors.state import Owed
>>> chat = Owed(7, "chat", "order", "pay", 1_000, 121_000, 0, 9_000_000, "desk")
>>> len(owes(chat)), owed_of(list(owes(chat))).asked
(9, 1000)
>>> chat.spoke = 1
>>> len(owes(chat)), owed_of(list(owes(chat))).spoke
(12, 1)
"""

from __future__ import annotations

from typing import Any

from detectors.state import Owed
from detectors.tally import Case, Tally

__all__ = ["owed_of", "owes", "tally", "tally_of"]


def owes(o: Owed) -> tuple[object, ...]:
    """A reply that is owed; what most have nothing of is left out."""
    found = (o.key, o.channel, o.journey, o.step, o.since, o.promised, o.replied, o.due, o.source)
    if o.asked == o.since and not o.spoke and not o.ended:
        return found
    return (*found, o.asked, o.spoke, o.ended)


def owed_of(r: list[Any]) -> Owed:
    """Back from :func:`owes`."""
    owed = Owed(r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8] if len(r) > 8 else "")
    if len(r) > 11:
        owed.asked, owed.spoke, owed.ended = r[9], r[10], r[11]
    return owed


def tally(t: Tally) -> tuple[object, ...]:
    """Contacts and cases, counted."""
    return (
        t.first,
        t.begun,
        t.ended,
        t.apart,
        t.outcome,
        t.outcome_before,
        t.contacts,
        t.ends,
        t.followed,
        t.wait,
        t.talk,
        t.solved,
        t.came_back,
        t.c0,
        t.c1,
        t.c2,
        t.c3,
        t.g0,
        t.g1,
        t.g2,
        t.g3,
        [
            (
                c.key,
                c.opened,
                c.touched,
                c.idle,
                c.updates,
                c.moves,
                c.comments,
                c.returns,
                c.hands,
                c.solved,
            )
            for c in t.cases
        ],
    )


def tally_of(r: list[Any]) -> Tally:
    """Back from :func:`tally`."""
    t = Tally(r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10])
    t.solved, t.came_back, t.c0, t.c1, t.c2, t.c3, t.g0, t.g1, t.g2, t.g3 = r[11:21]
    t.cases = [Case(c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9]) for c in r[21]]
    return t
