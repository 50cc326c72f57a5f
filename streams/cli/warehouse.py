"""``rehuman migrate`` and ``rehuman sql``: the configured ClickHouse."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Annotated

import typer

from streams.cli.options import AsJson, Config, load_settings, print_json

# As ClickHouse writes its TabSeparated format, so that other tools can read it.
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0", "\b": "\\b"})


def migrate(config: Config = None, as_json: AsJson = False) -> None:
    """Make the database and its tables, or bring them up to date; safe to repeat.

    Example: rehuman migrate --config production.toml
    """
    settings = load_settings(config)
    from streams.warehouse.migrate import migrate as apply

    applied = apply(settings.clickhouse_url)
    if as_json:
        print_json({"applied": applied})
    elif applied:
        typer.echo(f"applied {', '.join(str(version) for version in applied)}")
    else:
        typer.echo("up to date")


def sql(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="One statement.")],
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Ask ClickHouse: a table on a terminal, tab-separated rows elsewhere.

    Works beside a running worker, on the embedded engine too.

    Example: rehuman sql "SELECT count() FROM events_exact"
    """
    settings = load_settings(config)
    from streams.warehouse.query import run_sql

    names, rows = run_sql(settings.clickhouse_url, query)
    if as_json:
        print_json([dict(zip(names, row, strict=True)) for row in rows])
    elif sys.stdout.isatty():
        _table(names, rows)
    else:
        for row in rows:
            typer.echo(
                "\t".join(r"\N" if value is None else _text(value).translate(ESCAPES) for value in row)
            )


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="milliseconds")
    return str(value)


def _table(names: list[str], rows: list[tuple[object, ...]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    numeric = [all(isinstance(row[i], int | float) for row in rows) for i in range(len(names))]
    for name, right in zip(names, numeric, strict=True):
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for row in rows:
        # Text: what looks like markup in a value is only a value.
        table.add_row(*(Text("NULL", "dim") if value is None else Text(_text(value)) for value in row))
    Console().print(table)
