"""What has to be said again after something came out of order: the difference between two foldings.

The same events are folded as they were known and as they are now. What only the first one found is retracted,
what both found with other values is told anew under its id, what is the same is not mentioned. Where a fact
came from (partition, offset) and its version are no part of what it says.

>>> before, after, told = Findings(), Findings(), Findings()
>>> def wait(fact, seconds, ver): return ("t", "p", fact, 5, "e", "s", 0, 0, ver, 1, 0, 7, seconds)
>>> for fact in ("a", "b", "c"): before.add("waits", wait(fact, 10.0, 1))
>>> for fact, seconds in (("a", 10.0), ("b", 12.0), ("d", 9.0)): after.add("waits", wait(fact, seconds, 1001))
>>> difference(before, after, 1, told)
>>> [(row[2], row[6], row[8], row[12]) for row in told.rows["waits"]]  # fact, retracted, ver, seconds
[('c', 1, 1000, 10.0), ('b', 0, 1001, 12.0), ('d', 0, 1001, 9.0)]
"""

from __future__ import annotations

from typing import Any, Final

from detectors import abandonment, waiting
from detectors.moment import VERSIONS, Findings
from detectors.state import Customer
from detectors.tables import COMMON, Row

__all__ = ["difference"]

_NAMES: Final = [column.name for column in COMMON]
_FACT: Final = _NAMES.index("fact_id")
_RETRACTED: Final = _NAMES.index("retracted")
_VER: Final = _NAMES.index("ver")
_PARTITION: Final = _NAMES.index("partition")
_OFFSET: Final = _NAMES.index("offset")
_SAYS_WHERE: Final = frozenset(["partition", "offset"])

Message = dict[str, Any]


def difference(
    before: Findings, after: Findings, epoch: int, out: Findings, base: Customer | None = None
) -> None:
    """Add to ``out`` what takes a reader from ``before`` to ``after``; ``epoch`` is that of ``after``.

    ``base`` is the state that both began with: what it had told of a fact holds again where ``after`` has
    nothing to say of it any more.
    """
    old, new = before.rows, after.rows
    for table in sorted(old.keys() | new.keys()):
        _rows(table, old.get(table, []), new.get(table, []), epoch, out, base)
    _messages(before.desk, after.desk, epoch, out)


def _rows(
    table: str, before: list[Row], after: list[Row], epoch: int, out: Findings, base: Customer | None
) -> None:
    known = {row[_FACT]: row for row in before}
    found = {row[_FACT]: row for row in after}
    for fact, row in known.items():
        if fact not in found:
            if base is not None and (held := _held(table, base, row, epoch)) is not None:
                out.add(table, held)
                continue
            # Above all that was said before, below all that may be found from now on.
            again = (*row[:_RETRACTED], 1, *row[_RETRACTED + 1 : _VER], epoch * VERSIONS)
            out.add(table, (*again, *row[_VER + 1 :]))
    for fact, row in found.items():
        same = known.get(fact)
        if same is None or _said(row) != _said(same):
            out.add(table, row)


def _held(table: str, base: Customer, row: Row, epoch: int) -> Row | None:
    """What was told of a fact before both foldings began; None where that was nothing."""
    # One more than its retraction would have: whatever is found of it from now on has more.
    ver = 1 + epoch * VERSIONS
    if table == "abandonments":
        return abandonment.again(base, row, ver)
    return waiting.again(base, row, ver) if table == "waits" else None


def _said(row: Row) -> Row:
    return row[:_VER] + row[_VER + 1 : _PARTITION] + row[_OFFSET + 1 :]


def _messages(before: list[Message], after: list[Message], epoch: int, out: Findings) -> None:
    """One message for each candidate of which something else is to be said: all that holds of it now."""
    ids: dict[str, None] = {}
    for message in before + after:
        ids[message["id"]] = None
    for candidate in ids:
        old, new = _taken(before, candidate), _taken(after, candidate)
        if [_told(message) for message in old] == [_told(message) for message in new]:
            continue
        last = new[-1] if new else old[-1]
        out.desk.append(
            {
                "type": "candidate.amended" if new else "candidate.withdrawn",
                "id": candidate,
                "ver": last["ver"] if new else epoch * VERSIONS,
                "time": last["time"],
                "tenant": last["tenant"],
                "customer": last["customer"],
                "partition": last["partition"],
                "offset": last["offset"],
                "before": [
                    {"type": message["type"], "ver": message["ver"] % VERSIONS, "time": message["time"]}
                    for message in old
                ],
                "after": [dict(_named(message)) for message in new],
            }
        )


def _taken(messages: list[Message], candidate: str) -> list[Message]:
    """What the desk takes of a candidate: of a journey that was forgotten it may be proposed once more."""
    taken: list[Message] = []
    for message in messages:
        if message["id"] == candidate and (not taken or message["ver"] > taken[-1]["ver"]):
            taken.append(message)
    return taken


def _named(message: Message) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in message.items() if name not in _SAYS_WHERE]


def _told(message: Message) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in _named(message) if name != "ver"]
