"""Does the database have what the catalogue says? Names each difference, so that a log line can."""

from __future__ import annotations

from collections.abc import Iterable

from clickhouse_driver import Client

from detectors.tables import CLICKHOUSE_TYPES, TABLES, Table
from streams.warehouse.client import connect
from streams.warehouse.ddl import STORED_AT
from streams.warehouse.errors import SchemaMismatch

__all__ = ["check_schema", "check_url"]


def check_url(url: str) -> list[str]:
    """:func:`check_schema` of the database of ``url``, a missing database being a problem like others.

    Raises SettingError, OperationError.
    """
    try:
        client = connect(url)
    except SchemaMismatch as error:
        return [str(error)]
    try:
        return check_schema(client)
    finally:
        client.disconnect()


def check_schema(client: Client, tables: Iterable[Table] = TABLES.values()) -> list[str]:
    """What differs between the client's database and ``tables``; empty when nothing does.

    Each problem is one line with the name of the table or column. Columns that only the database has are
    not problems: a newer version may have added them.
    """
    found: dict[str, dict[str, str]] = {}
    query = "SELECT table, name, type FROM system.columns WHERE database = currentDatabase()"
    for table, name, kind in client.execute(query):
        found.setdefault(table, {})[name] = kind
    return [problem for table in tables for problem in _problems(table, found)]


def _problems(table: Table, found: dict[str, dict[str, str]]) -> list[str]:
    columns = found.get(table.name)
    if columns is None:
        return [f"table {table.name} is missing"]
    wanted = {column.name: CLICKHOUSE_TYPES[column.kind] for column in table.columns}
    problems = []
    for name, kind in (wanted | {"stored_at": STORED_AT}).items():
        if name not in columns:
            problems.append(f"column {table.name}.{name} is missing")
        elif columns[name] != kind:
            problems.append(f"column {table.name}.{name} is {columns[name]}; it should be {kind}")
    if f"{table.name}_exact" not in found:
        problems.append(f"view {table.name}_exact is missing")
    return problems
