"""Connect to whatever ClickHouse the settings name, with one driver."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clickhouse_driver import Client, errors

from streams.engine.launch import ensure_running
from streams.errors import OperationError
from streams.warehouse.errors import SchemaMismatch, first_line, is_network
from streams.warehouse.url import Target, parse

__all__ = ["arguments", "connect"]

# What a server may take to greet; together with the time-outs of connecting it stays below 10 s.
HELLO_S = 3.0
# The driver's default is 300 s; an insert or question that says nothing for this long is lost.
SILENCE_S = 60.0
# Wrong password, unknown user, and their newer common name.
REFUSED_CODES = (192, 193, 194, 516)


def connect(url: str, *, database: str | None = None, settings: Mapping[str, Any] | None = None) -> Client:
    """A connected client (one thread's own) for ``url``; an embedded engine is started when none runs.

    ``database`` replaces the URL's, "" meaning the server's default; ``settings`` go with every statement.
    Raises SettingError (bad URL), SchemaMismatch (no such database), OperationError (unreachable or refused);
    the latter within 10 s as long as the URL sets no longer ``connect_timeout``.
    """
    target = parse(url)
    client = Client(**arguments(target, database=database), settings=dict(settings or {}))
    _greet(client, target)
    return client


def arguments(target: Target, *, database: str | None = None) -> dict[str, Any]:
    """The driver's arguments for ``target``; starts its embedded engine. Raises OperationError."""
    host, port = ensure_running(target.directory) if target.directory else (target.host, target.port)
    defaults = {"send_receive_timeout": SILENCE_S, "client_name": "rehuman"}
    chosen = {
        "host": host,
        "port": port,
        "user": target.user,
        "password": target.password,
        "database": target.database if database is None else database,
    }
    return defaults | target.options | chosen


def _greet(client: Client, target: Target) -> None:
    connection = client.connection
    patience, connection.send_receive_timeout = connection.send_receive_timeout, HELLO_S
    try:
        connection.connect()
    except (errors.Error, EOFError, OSError, ValueError) as error:
        database = connection.database
        client.disconnect()
        raise _failure(error, target, database) from None
    connection.send_receive_timeout = patience
    connection.socket.settimeout(patience)


def _failure(error: Exception, target: Target, database: str) -> OperationError:
    if isinstance(error, errors.ServerException):
        return _refusal(error, target, database)
    if isinstance(error, EOFError):
        return OperationError(f"{target.name} hung up without a greeting")
    if is_network(error):
        return OperationError(f"{target.name} does not answer: {first_line(error)}")
    return OperationError(f"{target.name} does not speak ClickHouse's native protocol")


def _refusal(error: errors.ServerException, target: Target, database: str) -> OperationError:
    if error.code == errors.ErrorCodes.UNKNOWN_DATABASE:
        return SchemaMismatch(f"{target.name} has no database {database}; 'rehuman migrate' makes it")
    if error.code in REFUSED_CODES:
        return OperationError(f"{target.name} refuses the user or the password")
    return OperationError(f"{target.name} refuses the connection with code {error.code}")
