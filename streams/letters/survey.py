"""What lies in the dead letters: counts by reason and source, and the newest ones."""

from __future__ import annotations

from heapq import heappush, heappushpop
from typing import NamedTuple

import msgspec

from streams.head import guess
from streams.letters.choice import Choice, State, state
from streams.letters.ledger import Ledger, is_mark
from streams.letters.letter import Letter, read
from streams.letters.reader import Progress, Reader
from streams.settings import Settings

__all__ = ["Group", "Line", "Survey", "ledger", "survey"]

# Distinct pairs of reason and source that are told apart; a source can be anything.
MOST_GROUPS = 500
OTHERS = "(others)"


class Group(msgspec.Struct):
    """Letters of one reason and source; times are in ms since the epoch."""

    reason: str
    source: str
    count: int
    first: int
    last: int


class Line(NamedTuple):
    """One letter, without its bytes."""

    place: str
    stamp: int
    reason: str
    source: str
    came_from: str
    size: int
    state: State


class Survey(msgspec.Struct):
    """``groups`` the largest first, ``newest`` the newest last."""

    total: int
    states: dict[State, int]
    groups: list[Group]
    newest: list[Line]


def ledger(reader: Reader, progress: Progress) -> Ledger:
    """What was sent again: the marks are behind their letters, so all of the topic is read for them."""
    found = Ledger()
    for record in reader.records(progress):
        found.take(record.partition, record.headers, record.value)
    return found


def survey(settings: Settings, choice: Choice, *, newest: int, progress: Progress) -> Survey:
    """Look through the topic. Raises OperationError where the brokers fail."""
    groups: dict[tuple[str, str], Group] = {}
    states: dict[State, int] = {"open": 0, "resent": 0, "came back": 0}
    lines: list[tuple[int, int, Line]] = []
    count = 0
    with Reader(settings) as reader:
        marks = ledger(reader, progress)
        for record in reader.records(progress, choice.starts):
            if is_mark(record.headers):
                continue
            letter = read(record)
            if not choice.takes(letter):
                continue
            count += 1
            found, source = state(letter, marks), guess(letter.value)
            states[found] += 1
            _count(groups, letter, source)
            if newest:
                line = Line(
                    letter.place, letter.stamp, letter.said, source, letter.came_from, letter.size, found
                )
                if len(lines) < newest:
                    heappush(lines, (line.stamp, count, line))
                else:
                    heappushpop(lines, (line.stamp, count, line))
    largest = sorted(groups.values(), key=lambda group: (-group.count, group.reason, group.source))
    return Survey(count, states, largest, [line for _, _, line in sorted(lines)])


def _count(groups: dict[tuple[str, str], Group], letter: Letter, source: str) -> None:
    key = (letter.said, source)
    if key not in groups and len(groups) >= MOST_GROUPS:
        key = (OTHERS, "")
    group = groups.get(key)
    if group is None:
        groups[key] = Group(*key, 1, letter.stamp, letter.stamp)
    else:
        group.count += 1
        group.first, group.last = min(group.first, letter.stamp), max(group.last, letter.stamp)
