"""What ClickHouse has: which offsets of each partition, and which events wherever they lie.

A fact's row says where its record lay. One question counts the offsets that have a row, in buckets, and
gives the missing ones of a bucket that is not full; so what comes back, and what is read from Kafka, grows
with what is missing and not with what there is. The plain tables are asked: a row that a merge will drop says
as well that its event is stored, for the one that stays is the same event's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from clickhouse_driver import Client, errors

from streams.errors import OperationError
from streams.reconcile.ranges import Range, joined, ranges
from streams.reconcile.records import Wanted

__all__ = ["LOOK_UP", "Facts", "Held"]

# Offsets counted together: as many as a bitmap of a kilobyte, and a million are a hundred rows to send.
BUCKET = 10_000
# Ids asked for in one statement; the server's limit is 256 KiB of text.
LOOK_UP = 4_000
# How far the clocks of the brokers and of ClickHouse may be apart.
APART_MS = 5 * 60_000

# Rows stored before the first record came are of an earlier topic of the same name.
_OFFSETS = """
SELECT partition, intDiv(offset, {bucket}) AS bucket, toUInt32(modulo(offset, {bucket})) AS at, {kind} AS kind
FROM {table}
WHERE partition >= 0 AND partition < length(%(firsts)s) {more}
    AND offset >= %(firsts)s[partition + 1] AND offset < %(ends)s[partition + 1]
    AND stored_at >= fromUnixTimestamp64Milli(%(stamps)s[partition + 1])
"""
_HELD = """
SELECT partition, bucket, groupBitmapIf(at, kind = 0), groupBitmap(at) AS held,
    if(held = {bucket}, [], bitmapToArray(
        bitmapAndnot(bitmapBuild(range(toUInt32(0), toUInt32({bucket}))), groupBitmapState(at))))
FROM ({offsets})
GROUP BY partition, bucket
ORDER BY partition, bucket
"""
_FIND = """
SELECT fact_id, partition, offset FROM {table}
WHERE tenant IN %(tenants)s AND fact_id IN %(ids)s {more}
LIMIT 1 BY fact_id
"""
# What the sorting key begins with; an event that comes twice is the same in these, as a rule.
_ALIKE = """
    AND journey IN %(journeys)s AND type IN %(types)s
    AND time >= fromUnixTimestamp64Milli(%(first)s) AND time <= fromUnixTimestamp64Milli(%(last)s)
"""


class Held(NamedTuple):
    """Offsets of a partition with a row of ``events``, others with one of ``dead_letters``, and the rest."""

    events: int
    dead_letters: int
    holes: list[Range]


class Facts:
    """Asks one client's database about the records of one topic."""

    def __init__(self, client: Client, topic: str) -> None:
        self._client = client
        self._topic = topic

    def held(self, spans: Mapping[int, Range], stamps: Mapping[int, int]) -> dict[int, Held]:
        """Of each partition's span of offsets what has a row that was stored after ``stamps`` (ms)."""
        count = max(spans) + 1
        offsets = " UNION ALL ".join(
            _OFFSETS.format(bucket=BUCKET, kind=kind, table=table, more=more)
            for kind, table, more in ((0, "events", ""), (1, "dead_letters", "AND topic = %(topic)s"))
        )
        given = {
            "firsts": [spans.get(number, (0, 0))[0] for number in range(count)],
            "ends": [spans.get(number, (0, 0))[1] for number in range(count)],
            "stamps": [max(0, stamps.get(number, 0) - APART_MS) for number in range(count)],
            "topic": self._topic,
        }
        buckets: dict[int, list[tuple[int, int, int, list[int]]]] = {number: [] for number in spans}
        with _told():
            statement = _HELD.format(bucket=BUCKET, offsets=offsets)
            for partition, *bucket in self._client.execute_iter(statement, given):
                buckets[partition].append(tuple(bucket))
        return {number: _held(spans[number], found) for number, found in buckets.items()}

    def find(self, wanted: Collection[Wanted]) -> dict[str, tuple[int, int]]:
        """Where each event's fact lies that is stored anywhere: id -> (partition, offset)."""
        if not wanted:
            return {}
        alike = {
            "journeys": tuple({each.journey for each in wanted}),
            "types": tuple({each.type for each in wanted}),
            "first": min(each.time for each in wanted),
            "last": max(each.time for each in wanted),
        }
        found = self._find("events", wanted, _ALIKE, alike)
        # One that came again may say something else under the same id.
        rest = [each for each in wanted if each.fact not in found]
        return found | self._find("events", rest, "", {})

    def find_letters(self, wanted: Collection[Wanted]) -> dict[str, tuple[int, int]]:
        """The same of dead letters."""
        return self._find("dead_letters", wanted, "", {})

    def _find(
        self, table: str, wanted: Collection[Wanted], more: str, given: Mapping[str, Any]
    ) -> dict[str, tuple[int, int]]:
        if not wanted:
            return {}
        ids = {"ids": tuple(each.fact for each in wanted), "tenants": tuple({each.tenant for each in wanted})}
        with _told():
            rows = self._client.execute(_FIND.format(table=table, more=more), {**ids, **given})
        return {fact: (partition, offset) for fact, partition, offset in rows}


def _held(span: Range, buckets: Iterable[tuple[int, int, int, list[int]]]) -> Held:
    first, end = span
    events = letters = 0
    holes: list[Range] = []
    at = first
    for number, of_events, held, missing in buckets:
        begin = number * BUCKET
        events += of_events
        letters += held - of_events
        if at < begin:
            holes.append((at, begin))
        holes += ranges(o for o in (begin + each for each in missing) if first <= o < end)
        at = begin + BUCKET
    if at < end:
        holes.append((at, end))
    return Held(events, letters, joined(holes, 0))


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (errors.Error, EOFError, OSError) as error:
        # Its text may quote the statement.
        raise OperationError(f"ClickHouse failed while it was asked: {type(error).__name__}") from None
