"""The facts' tables as SQL, from the catalogue: what the first migration holds.

``python -m streams.warehouse.ddl`` prints it. ``${...}`` are filled in by ``migrate``, so that one tree
serves a laptop and a cluster.
"""

from __future__ import annotations

import sys

from detectors.tables import CLICKHOUSE_TYPES, TABLES, Column, Kind, Table

__all__ = ["STORED_AT", "exact_view", "facts_table", "variables"]

# ClickHouse's own column, last in every table: when the row came in, for the TTL and the roll-ups.
STORED_AT = "DateTime64(3, 'UTC')"
# Facts are kept this long; a year and a month, so that the same month of two years can be compared.
KEEP_DAYS = 400

# Neighbours in the sorting key are alike in few columns but time; ZSTD(1) costs the insert next to nothing.
CODECS: dict[Kind, str] = {
    "lc": "ZSTD(1)",
    "str": "ZSTD(1)",
    "f64": "ZSTD(1)",
    "f64n": "ZSTD(1)",
    "u8": "ZSTD(1)",
    "u32": "T64, ZSTD(1)",
    "i32": "T64, ZSTD(1)",
    "i64": "T64, ZSTD(1)",
    "ms": "Delta(8), ZSTD(1)",
    "msn": "Delta(8), ZSTD(1)",
}

# Server macros, not ours: {shard}, {replica}, {database} and {table} are expanded by ClickHouse.
REPLICATED = "ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', ver)"


def variables(cluster: str) -> dict[str, str]:
    """What the placeholders of the migrations become; ``cluster`` is empty for a single node.

    >>> variables("")
    {'ON_CLUSTER': '', 'REPLACING': 'ReplacingMergeTree(ver)'}
    >>> variables("main")["ON_CLUSTER"]
    ' ON CLUSTER `main`'
    """
    if not cluster:
        return {"ON_CLUSTER": "", "REPLACING": "ReplacingMergeTree(ver)"}
    return {"ON_CLUSTER": f" ON CLUSTER `{cluster}`", "REPLACING": REPLICATED}


def facts_table(table: Table) -> str:
    """CREATE TABLE of one kind of fact; of the rows with the same key the highest ``ver`` stays."""
    columns = "\n".join(f"    {_column(column)}," for column in table.columns)
    key = ", ".join(["tenant", *(f"`{name}`" for name in table.order_by), "toDate(time)", "fact_id"])
    return f"""CREATE TABLE IF NOT EXISTS `{table.name}`${{ON_CLUSTER}}
(
{columns}
    `stored_at` {STORED_AT} DEFAULT now64(3) CODEC(Delta(8), ZSTD(1))
)
ENGINE = ${{REPLACING}}
PARTITION BY toYYYYMM(time)
ORDER BY ({key})
TTL toDateTime(stored_at) + INTERVAL {KEEP_DAYS} DAY
SETTINGS ttl_only_drop_parts = 1;
"""


def exact_view(table: Table) -> str:
    """CREATE VIEW that gives each fact once: its highest version, whatever was redelivered, if not retracted.

    A fact's ``time`` never changes, so its versions share a partition and FINAL need not look across.
    """
    select = f"SELECT * FROM `{table.name}` FINAL"  # noqa: S608 - a name of the catalogue
    return f"""CREATE VIEW IF NOT EXISTS `{table.name}_exact`${{ON_CLUSTER}} AS
{select}
WHERE retracted = 0
SETTINGS do_not_merge_across_partitions_select_final = 1;
"""


def _column(column: Column) -> str:
    return f"`{column.name}` {CLICKHOUSE_TYPES[column.kind]} CODEC({CODECS[column.kind]})"


def first_migration() -> str:
    """The whole of ``migrations/001_facts.sql``."""
    statements = [part for table in TABLES.values() for part in (facts_table(table), exact_view(table))]
    return "-- Facts: one table for each kind, and a view that gives each fact once.\n\n" + "\n".join(
        statements
    )


if __name__ == "__main__":
    sys.stdout.write(first_migration())
