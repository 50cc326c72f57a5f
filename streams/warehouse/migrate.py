"""Bring a database to the schema of this version with ``clickhouse-migrations``."""

from __future__ import annotations

from pathlib import Path
from string import Template

from clickhouse_driver import errors
from clickhouse_migrations.clickhouse_cluster import ClickhouseCluster
from clickhouse_migrations.exceptions import MigrationException

from detectors.tables import TABLES
from streams.errors import OperationError
from streams.warehouse.client import arguments, connect
from streams.warehouse.ddl import exact_view, facts_table, variables
from streams.warehouse.errors import first_line, is_network
from streams.warehouse.schema import check_schema
from streams.warehouse.url import parse

__all__ = ["MIGRATIONS", "migrate"]

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(url: str) -> list[int]:
    """Make the database of ``url`` if need be and apply what it lacks; the versions applied now.

    Idempotent; a table or view that was dropped by hand since is made again, empty. ``?cluster=NAME`` in the
    URL makes replicated tables on that cluster. Raises SettingError, OperationError (unreachable, refused, or
    a migration that was changed after it had been applied).
    """
    target = parse(url)
    # Says in our words, and soon, when nobody answers; also starts the embedded engine.
    connect(url, database="").disconnect()
    chosen = arguments(target)
    cluster = ClickhouseCluster(
        db_host=chosen.pop("host"),
        db_port=chosen.pop("port"),
        db_user=chosen.pop("user"),
        db_password=chosen.pop("password"),
        db_name=chosen.pop("database"),
        secure=chosen.pop("secure", False),
        **chosen,
    )
    try:
        applied = cluster.migrate(
            None, MIGRATIONS, cluster_name=target.cluster or None, variables=variables(target.cluster)
        )
        _make_again(url, target.cluster)
    except MigrationException as error:
        raise OperationError(f"{target.name}: cannot migrate: {first_line(error)}") from None
    except errors.ServerException as error:
        raise OperationError(f"{target.name}: cannot migrate: {first_line(error)}") from None
    except (errors.Error, EOFError, OSError) as error:
        if not is_network(error):
            raise
        raise OperationError(f"{target.name} went away while migrating: {first_line(error)}") from None
    return [migration.version for migration in applied]


def _make_again(url: str, cluster: str) -> None:
    """What an applied migration made and somebody dropped; the catalogue knows how it looks."""
    client = connect(url)
    try:
        missing = [problem.split() for problem in check_schema(client) if problem.endswith(" is missing")]
        names = {name.removesuffix("_exact") for what, name, *_ in missing if what in ("table", "view")}
        for name in sorted(names):
            for statement in (facts_table(TABLES[name]), exact_view(TABLES[name])):
                client.execute(Template(statement).substitute(variables(cluster)).rstrip(";\n"))
    finally:
        client.disconnect()
