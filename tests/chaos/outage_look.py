"""Whether all that a worker was given is in the tables, once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from detectors.tables import PROVENANCE, TABLES
from streams import blocks
from streams.warehouse.client import connect
from tests.support.world import World

__all__ = ["differences"]


def differences(world: World, sample: str = "0") -> list[str]:
    """What ``*_exact`` lacks, has twice or has otherwise than the topic of facts, in words; the first few.

    Every fact by its id and version; every column of those whose id begins with ``sample``.
    """
    best: dict[str, dict[str, tuple[int, dict[str, Any] | None]]] = {table: {} for table in TABLES}
    for raw in world.values_of(world.settings.topics.facts):
        try:
            block = blocks.decode(raw)
        except blocks.BadBlockError:
            continue  # a dead letter's matter
        place = {name: number for number, name in enumerate(block.names)}
        for values in zip(*block.columns, strict=True):
            fact, ver = values[place["fact_id"]], values[place["ver"]]
            if ver >= best[block.table].get(fact, (-1, None))[0]:
                whole = dict(zip(block.names, values, strict=True)) if fact.startswith(sample) else None
                best[block.table][fact] = (ver, whole)
    client = connect(world.settings.clickhouse_url)
    found: list[str] = []
    try:
        for table, facts in best.items():
            found += _compare(client, table, facts, sample)
    finally:
        client.disconnect()
    return found[:20]


def _compare(
    client: Any, table: str, facts: dict[str, tuple[int, dict[str, Any] | None]], sample: str
) -> Iterator[str]:
    seen: set[str] = set()
    for fact, ver in client.execute_iter(f"SELECT fact_id, ver FROM `{table}_exact`"):
        if fact in seen:
            yield f"{table} {fact} is there twice"
        if facts.get(fact, (-1, None))[0] != ver:
            yield f"{table} {fact} has version {ver}"
        seen.add(fact)
    gone = {fact for fact, (_, row) in facts.items() if row is None or not row["retracted"]} - seen
    for fact in sorted(gone)[:20]:
        yield f"{table} {fact} is missing"
    columns = [column for column in TABLES[table].columns if column.name not in PROVENANCE]
    shown = ", ".join(
        f"toUnixTimestamp64Milli(`{column.name}`)" if column.kind in ("ms", "msn") else f"`{column.name}`"
        for column in columns
    )
    where = f"WHERE startsWith(fact_id, '{sample}')"
    for row in client.execute_iter(f"SELECT fact_id, {shown} FROM `{table}_exact` {where}"):
        wanted = (facts.get(row[0], (0, None))[1]) or {}
        for column, value in zip(columns, row[1:], strict=True):
            if wanted.get(column.name) != value:
                yield f"{table} {row[0]} {column.name}: {value!r}, sent as {wanted.get(column.name)!r}"
