"""Two ways to the same facts: what the worker stored, and what a back-test of the same files finds.

Both as ``{fact_id: row}`` by table, without the columns that say where a row came from.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import Any

from detectors.policy import default
from detectors.tables import PROVENANCE, TABLES
from streams.backtest import Found, fold_events
from streams.clock import wall_ms
from streams.identity import Pseudonyms
from streams.settings import Settings
from streams.sources.api import SourceEvent
from streams.ticks import TickAt, under
from streams.warehouse.client import connect
from tests.sources.datasets import once, paths, replayed
from tests.support.world import PSEUDONYM_KEY, REFERENCE_KEY, World

__all__ = ["Facts", "all_accounted", "backtested", "differences", "facts_of", "items", "stored"]

Facts = dict[str, dict[str, dict[str, Any]]]
# Alert events are the desk's, not the fold's; they are compared by their candidates.
COMPARED = ["events", "signals", "abandonments", "channel_switches", "waits", "surveys"]


@cache
def items(source: str, *files: Path) -> tuple[SourceEvent | TickAt, ...]:
    """The files' events with the ticks that a replay sends between them, under the default policy."""
    return tuple(under(default(), once(source, *files).events, now_ms=wall_ms()))


@cache
def backtested(source: str, *files: Path) -> tuple[Facts, dict[str, dict[str, Any]]]:
    """The final facts of a back-test, and its candidates by alert id (the first message of each).

    Under the keys of every :class:`tests.support.world.World`, so that it is worked out once in a test run.
    """
    names = Pseudonyms(PSEUDONYM_KEY.encode(), REFERENCE_KEY.encode())
    return facts_of(fold_events(items(source, *files), default(), names))


def facts_of(folds: Iterable[Found]) -> tuple[Facts, dict[str, dict[str, Any]]]:
    """The final facts of records that were folded, and their candidates by alert id (the first of each)."""
    best: dict[str, dict[str, Sequence[Any]]] = {table: {} for table in COMPARED}
    at = {table: tuple(map(TABLES[table].names.index, ("fact_id", "ver"))) for table in COMPARED}
    raised: dict[str, dict[str, Any]] = {}
    for folded in folds:
        for table, rows in folded.findings.rows.items():
            if table not in best:
                continue
            fact, ver = at[table]
            for row in rows:
                known = best[table].get(row[fact])
                if known is None or row[ver] >= known[ver]:
                    best[table][row[fact]] = row
        for message in folded.findings.desk:
            if message["type"] == "candidate.raised":
                raised[message["id"]] = message
    facts: Facts = {}
    for table, found in best.items():
        kept = _compared(table)
        places = itemgetter(*map(TABLES[table].names.index, kept))
        facts[table] = {fact: dict(zip(kept, places(row), strict=True)) for fact, row in found.items()}
    return facts, raised


def stored(settings: Settings) -> Facts:
    """The facts in ClickHouse, each once."""
    client = connect(settings.clickhouse_url)
    found: Facts = {}
    try:
        for table in COMPARED:
            kept = _compared(table)
            chosen = ", ".join(
                f"toUnixTimestamp64Milli(`{column.name}`)"
                if column.kind in ("ms", "msn")
                else f"`{column.name}`"
                for column in TABLES[table].columns
                if column.name in kept
            )
            rows = client.execute(f"SELECT {chosen} FROM {table}_exact")
            facts = [dict(zip(kept, values, strict=True)) for values in rows]
            found[table] = {fact["fact_id"]: fact for fact in facts}
            assert len(found[table]) == len(facts), f"{table} has a fact twice"
    finally:
        client.disconnect()
    return found


def differences(expected: Facts, actual: Facts, tolerance: float = 1e-9) -> list[str]:
    """The first few differences, in words; scores may differ by ``tolerance``."""
    found = []
    for table, rows in expected.items():
        others = actual[table]
        for fact in rows.keys() ^ others.keys():
            found.append(f"{table} {fact} only in {'expected' if fact in rows else 'actual'}")
        for fact in rows.keys() & others.keys():
            if rows[fact] == others[fact]:
                continue
            for name, value in rows[fact].items():
                other = others[fact][name]
                if isinstance(value, float) and isinstance(other, float):
                    same = abs(value - other) <= tolerance
                else:
                    same = value == other
                if not same:
                    found.append(f"{table} {fact} {name}: {value!r} expected, {other!r} found")
        if len(found) > 20:
            break
    return found[:20]


def all_accounted(world: World, source: str) -> None:
    """Replay a data set through a worker: its rows are events and named rejects, each event stored once.

    Fails where a row is neither, an event is missing or twice, or a fact is not the back-test's.
    """
    told = json.loads(world.rehuman("replay", source, *paths(source), "--json"))
    counts = replayed(source).counts
    assert counts.rows == counts.used + counts.rejects > 0
    assert told["counts"]["rows"] == counts.rows
    world.settle()
    timed = items(source, *paths(source))
    sent = {(event.source, event.id) for event in timed if isinstance(event, SourceEvent)}
    assert world.value("SELECT count() FROM events_exact") == len(sent) == told["events"]
    assert world.value("SELECT uniqExact(source, event_id) FROM events_exact") == len(sent)
    assert world.value("SELECT count() FROM dead_letters_exact") == 0
    expected, _ = backtested(source, *paths(source))
    assert differences(expected, stored(world.settings)) == []
    print(
        f"{source}: {counts.rows} rows in = {counts.used} used + {counts.rejects} rejected; "
        f"{told['events']} events sent = stored; {sum(map(len, expected.values()))} facts as in a back-test"
    )


def _compared(table: str) -> list[str]:
    return [name for name in TABLES[table].names if name not in PROVENANCE]
