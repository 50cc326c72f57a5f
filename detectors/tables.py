"""The catalogue of fact tables: the only place where a column of ``rehuman`` is named.

The fold appends one tuple a row in the order of :attr:`Table.columns`; the blocks of facts, the insert
statements and the check of the database's schema all read this catalogue, so they cannot disagree.
Column kinds are the few ClickHouse types that ``clickhouse-driver`` writes fast:

========  ==========================  =======================================
kind      ClickHouse type             Python value
========  ==========================  =======================================
``lc``    LowCardinality(String)      str, from a bounded set
``str``   String                      str
``f64``   Float64                     float
``f64n``  Nullable(Float64)           float or None
``u8``    UInt8                       0/1 or a small count
``u32``   UInt32                      int
``i32``   Int32                       int
``i64``   Int64                       int
``ms``    DateTime64(3, 'UTC')        int, milliseconds since the epoch
``msn``   Nullable(DateTime64(3))     int or None
========  ==========================  =======================================

>>> TABLES["signals"].names[:4]
('tenant', 'customer', 'fact_id', 'time')
>>> TABLES["events"].kinds[TABLES["events"].names.index("effort")]
'f64n'
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

Kind = Literal["lc", "str", "f64", "f64n", "u8", "u32", "i32", "i64", "ms", "msn"]
# One row: values in the order of its table's columns.
Row = tuple[object, ...]

CLICKHOUSE_TYPES: Final[dict[Kind, str]] = {
    "lc": "LowCardinality(String)",
    "str": "String",
    "f64": "Float64",
    "f64n": "Nullable(Float64)",
    "u8": "UInt8",
    "u32": "UInt32",
    "i32": "Int32",
    "i64": "Int64",
    "ms": "DateTime64(3, 'UTC')",
    "msn": "Nullable(DateTime64(3, 'UTC'))",
}


class Column(NamedTuple):
    """One column: its name in ClickHouse and its kind (see the module's table)."""

    name: str
    kind: Kind


class Table(NamedTuple):
    """One fact table. ``order_by`` follows ``tenant`` and precedes ``toDate(time), fact_id`` in the key."""

    name: str
    columns: tuple[Column, ...]
    order_by: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in row order (``stored_at`` is ClickHouse's own and never among them)."""
        return tuple(column.name for column in self.columns)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Column kinds in row order."""
        return tuple(column.kind for column in self.columns)


# On every row. ``time`` never changes for a ``fact_id``; later moments are columns of their own.
COMMON: Final[tuple[Column, ...]] = (
    Column("tenant", "lc"),
    Column("customer", "str"),
    Column("fact_id", "str"),
    Column("time", "ms"),
    Column("event_id", "str"),
    Column("source", "lc"),
    Column("retracted", "u8"),
    Column("late", "u8"),
    Column("ver", "u32"),
    Column("policy_version", "u32"),
    Column("partition", "i32"),
    Column("offset", "i64"),
)

# Columns that say where a row came from, not what it says: two runs over the same events may differ in them.
PROVENANCE: Final = ("partition", "offset", "ver", "stored_at")


def _table(name: str, order_by: str, own: str) -> Table:
    columns = []
    for entry in own.split():
        column, kind = entry.split(":")
        assert kind in CLICKHOUSE_TYPES, entry  # noqa: S101 - a typing slip in this file, found at import
        columns.append(Column(column, kind))
    return Table(name, COMMON + tuple(columns), tuple(order_by.split()))


TABLES: Final[dict[str, Table]] = {
    table.name: table
    for table in (
        _table(
            "events",
            "journey type",
            "type:lc channel:lc journey:lc step:lc intent:lc case_id:str session:str conversation:str "
            "segment:lc release:lc device:lc priority:lc actor:lc direction:lc anonymous:u8 queue:lc "
            "place:lc result:lc wait_s:f64n talk_s:f64n amount:f64n "
            "effort:f64n effort_customer:f64n effort_acute:f64 effort_chronic:f64 ces:f64n human_need:f64 "
            "coverage:f64 acute_sum:f64 chronic_sum:f64 customer_acute_sum:f64 customer_chronic_sum:f64 "
            "attributes:str",
        ),
        _table(
            "signals",
            "signal",
            "signal:lc points:f64 channel:lc journey:lc step:lc intent:lc release:lc segment:lc "
            "from_step:lc from_release:lc",
        ),
        _table(
            "abandonments",
            "kind journey",
            "kind:lc silent:u8 where:lc inferred:u8 short:u8 channel:lc journey:lc step:lc intent:lc "
            "segment:lc wait_s:f64n from_step:lc from_release:lc given_up_at:ms recovered_at:msn "
            "probability:f64n",
        ),
        _table(
            "channel_switches",
            # Not by kind: an amended switch has another one, and must still replace itself.
            "journey",
            "kind:lc from_channel:lc to_channel:lc from_device:lc to_device:lc journey:lc step:lc intent:lc "
            "segment:lc from_step:lc from_release:lc",
        ),
        _table(
            "waits",
            "kind",
            "kind:lc queue:lc channel:lc journey:lc opened:ms closed:ms outcome:lc short:u8 seconds:f64 "
            "priority:lc",
        ),
        _table(
            "alerts",
            "type",
            "type:lc alert_id:str team:lc level:lc customer_ref:str refs:str links:str journey:lc step:lc "
            "intent:lc language:lc effort:f64n effort_customer:f64n ces:f64n coverage:f64 base:f64 "
            "human_need:f64 cause:lc override:lc contributions:str factors:str tried:str do_not_ask:str "
            "recommended_channel:lc opened_at:ms trigger_source:str trigger_id:str reason:lc actor:str "
            "action_id:str outcome:lc",
        ),
        _table(
            "deliveries",
            "destination",
            "alert_id:str transition:lc destination:lc attempt:u32 result:lc",
        ),
        _table(
            "friction_spikes",
            "journey",
            "journey:lc step:lc from_release:lc share:f64 size:u32 examples:str",
        ),
        _table(
            "surveys",
            "metric",
            "metric:lc version:lc scale:str score:f64 value:f64n channel:lc journey:lc step:lc intent:lc "
            "segment:lc effort_before:f64n",
        ),
        _table(
            "dead_letters",
            "reason",
            "reason:lc topic:lc size:u32 hash:str",
        ),
    )
}
