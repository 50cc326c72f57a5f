"""Simple counts, as scores of the same rows: what human need has to beat to be worth anything.

>>> from streams.sources.api import cloud_event
>>> from streams.targets.labels import told
>>> from streams.targets.spec import parse
>>> ticket = {"case_id": "T1"}
>>> names = ("ticket.created", "ticket.updated", "ticket.assignment_changed", "ticket.solved")
>>> known = list(told([cloud_event(name, at, "t", name, "c", ticket) for at, name in enumerate(names)]))
>>> for name, found in references(parse("reopen"), known).items(): print(name, found)
updates {('t', 'ticket.solved'): 4.0}
reassignments {('t', 'ticket.solved'): 1.0}
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec

from streams.targets.labels import GIVEN_UP, KINDS, Told
from streams.targets.spec import TargetSpec

__all__ = ["references"]

Counts = dict[tuple[str, str], float]
# Alarms would not be counts; the only flag is the one that every telephone system has.
_FLAG: Final = "gave_up"


class _Case(msgspec.Struct, gc=False):
    last: int | None = None
    moments: int = 0
    moved: int = 0


def references(spec: TargetSpec, known: Sequence[Told]) -> dict[str, Counts]:
    """By name, the count at each event at which the target is scored, of what was known by then.

    ``known`` was told with contacts, but for ``reopen``.
    """
    kinds = KINDS[spec.name]
    if spec.name == "reopen":
        return _of_cases(kinds, known)
    found: dict[str, Counts] = {"contacts": {}}
    if kinds & GIVEN_UP:
        found[_FLAG] = {}
    begun: Counter[str] = Counter()
    for one in known:
        if one.begins:
            begun[one.customer] += 1
        if one.type in kinds:
            found["contacts"][one.ref] = float(begun[one.customer])
            if _FLAG in found:
                found[_FLAG][one.ref] = float(one.type in GIVEN_UP)
    return found


def _of_cases(kinds: frozenset[str], known: Sequence[Told]) -> dict[str, Counts]:
    """What happened to a case: moments at which something of it was written down, and changes of hands."""
    updates: dict[str, Counts] = {"updates": {}, "reassignments": {}}
    cases: dict[tuple[str, str], _Case] = {}
    for one in known:
        if not one.data.case_id:
            continue
        name = (one.tenant, one.data.case_id)
        case = cases.get(name)
        if case is None:
            case = cases[name] = _Case()
        if case.last != one.time:
            case.last = one.time
            case.moments += 1
        if one.type == "ticket.assignment_changed":
            case.moved += 1
        if one.type in kinds:
            updates["updates"][one.ref] = float(case.moments)
            updates["reassignments"][one.ref] = float(case.moved)
    return updates
