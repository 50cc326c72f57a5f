"""Connect to whatever ClickHouse the settings name, with one driver."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clickhouse_driver import Client, errors

from streams.engine.launch import ensure_running
from streams.errors import OperationError
from streams.warehouse.errors import (
    DOWN,
    SchemaMismatch,
    Unavailable,
    first_line,
    is_network,
    is_slow,
    kind_of,
    refusal,
)
from streams.warehouse.url import Target, parse

__all__ = ["LeanClient", "arguments", "connect", "let_go"]

# What all hosts together may take to greet; with the time-outs of connecting it stays below 10 s.
HELLO_S = 3.0
# The driver's default is 300 s; an insert or question that says nothing for this long is lost.
SILENCE_S = 60.0


class LeanClient(Client):  # type: ignore[misc] # the driver has no types
    """The driver's client, of which nothing stays when it has hung up.

    With compression the driver's stream and its reader hold each other, and a buffer of a megabyte, until the
    collector comes by.
    """

    def disconnect(self) -> None:
        """Also called by the driver itself after any error."""
        stream = self.connection.block_in
        super().disconnect()
        if stream is not None:
            stream.fin = None


def connect(
    url: str,
    *,
    database: str | None = None,
    settings: Mapping[str, Any] | None = None,
    kind: type[Client] = LeanClient,
    first: int = 0,
    **options: Any,
) -> Client:
    """A connected client (one thread's own) for ``url``; an embedded engine is started when none runs.

    Of several hosts the first that greets is taken, beginning with number ``first`` of them and going round.
    ``database`` replaces the URL's, "" meaning the server's default; ``settings`` go with every statement;
    ``kind`` and ``options`` are the driver's class and arguments.
    Raises SettingError (bad URL), SchemaMismatch (no such database), OperationError (unreachable or refused);
    the latter within 10 s as long as the URL sets no longer ``connect_timeout``.
    """
    target = parse(url)
    chosen = arguments(target, database=database) | options
    chosen.pop("alt_hosts", None)
    hosts = target.hosts or ((chosen["host"], chosen["port"]),)
    failure: OperationError | None = None
    for number in range(len(hosts)):
        host, port = hosts[(first + number) % len(hosts)]
        # Not by the driver's own list: that takes a host that hangs up (a proxy without its server) for good.
        client = kind(**(chosen | {"host": host, "port": port}), settings=dict(settings or {}))
        try:
            _greet(client, target, HELLO_S / len(hosts))
        except OperationError as error:
            # What a host refuses says more than that another one is down.
            failure = error if failure is None or kind_of(error) not in DOWN else failure
        else:
            return client
    assert failure is not None  # noqa: S101 - there is a host, and it failed
    try:
        raise failure
    finally:
        del failure  # this frame would hold what holds it


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


def _greet(client: Client, target: Target, patience_s: float) -> None:
    connection = client.connection
    silence, connection.send_receive_timeout = connection.send_receive_timeout, patience_s
    try:
        connection.connect()
    except (errors.Error, EOFError, OSError, ValueError) as error:
        let_go(error)
        database = connection.database
        client.disconnect()
        raise _failure(error, target, database) from None
    connection.send_receive_timeout = silence
    connection.socket.settimeout(silence)


def let_go(error: BaseException) -> None:
    """Forget where an error came from, and those behind it.

    The driver raises what the server refuses from a frame that keeps it: error, traceback and frame hold each
    other, and with them the connection with its megabytes, until the collector comes by. So does who returns
    an error to a frame that it came through.
    """
    behind: BaseException | None = error
    while behind is not None:
        behind.__traceback__ = None
        behind = behind.__context__


def _failure(error: Exception, target: Target, database: str) -> OperationError:
    if isinstance(error, errors.ServerException):
        return _refusal(error, target, database)
    if isinstance(error, EOFError):
        return OperationError(f"{target.name} hung up without a greeting")
    if is_slow(error):
        # The driver's text of it is the address alone.
        return Unavailable(f"{target.name} does not answer: timed out {first_line(error)}", "timeout")
    if is_network(error):
        return OperationError(f"{target.name} does not answer: {first_line(error)}")
    return OperationError(f"{target.name} does not speak ClickHouse's native protocol")


def _refusal(error: errors.ServerException, target: Target, database: str) -> OperationError:
    if error.code == errors.ErrorCodes.UNKNOWN_DATABASE:
        return SchemaMismatch(f"{target.name} has no database {database}; 'rehuman migrate' makes it")
    refused = refusal(error, f"{target.name} refuses the connection")
    if refused.kind == "refused":
        return Unavailable(f"{target.name} refuses the user or the password", "refused")
    return refused
