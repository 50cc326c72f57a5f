"""Write facts to ClickHouse; sending rows twice does no harm, facts replace themselves."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

from clickhouse_driver import Client, errors

from detectors.tables import TABLES, Table
from streams.errors import OperationError
from streams.warehouse.client import connect, let_go
from streams.warehouse.errors import (
    RETRY_CODES,
    SCHEMA_CODES,
    SchemaMismatch,
    Unavailable,
    is_network,
    is_slow,
    kind_of,
    refusal,
)
from streams.warehouse.packing import Piece, pack
from streams.warehouse.schema import check_schema
from streams.warehouse.sending import REVISION, ColumnsDifferError, PieceClient
from streams.warehouse.url import parse

__all__ = ["ATTEMPTS", "FactsSink", "FactsWriter"]

# Waits of 0.2, 0.4 and 0.8 s, each up to half longer: a restart or a fail-over of a moment is hidden, and
# what lasts comes to the caller within seconds, who waits for as long as it takes and says so.
ATTEMPTS = 4
FIRST_PAUSE_S = 0.2
INSERT_SETTINGS = {
    # An asynchronous insert is acknowledged without its deduplication; 26.x would make it the default.
    "async_insert": 0,
    # Merging rows of one fact already at the insert costs it as much as all the rest; merges do it anyway,
    # and the ``*_exact`` views never rely on it.
    "optimize_on_insert": 0,
}


class FactsSink(Protocol):
    """Where facts go: ClickHouse, or a list in a test."""

    def write(self, pieces: Sequence[Piece], attempts: int = ATTEMPTS) -> int:
        """Insert pieces of one table with the same names; the rows, durable on return.

        Together they must not span more months than a server takes (``split.MAX_PARTITIONS``).
        Raises SchemaMismatch naming what the database lacks, OperationError when it cannot be reached or
        refuses for now (the rows may be there in part: write them again).
        """


class FactsWriter:
    """Inserts into the ClickHouse of a URL. Any thread may call: each has a client of its own."""

    def __init__(
        self,
        url: str,
        *,
        tables: Mapping[str, Table] = TABLES,
        opens: Callable[..., Client] = connect,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Nothing is connected yet; raises SettingError for a bad ``url``."""
        self._name = parse(url).name
        self._url = url
        self._tables = tables
        self._opens = opens
        self._sleep = sleep
        self._thread = threading.local()
        # Of several hosts the one that answered last; shared, so that one thread's failure spares the others.
        self._host = 0

    def insert(self, table: str, names: Sequence[str], columns: Sequence[Sequence[Any]]) -> int:
        """Pack columns (one a name, times in ms) and :meth:`write` them.

        Raises ValueError for columns that are uneven or hold what does not fit.
        """
        if len(columns) != len(names) or len({len(column) for column in columns}) > 1:
            raise ValueError("columns must be as many as names, and of one length")
        known = self._tables.get(table)
        if known is None:
            raise self._mismatch(table, names, f"table {table} is missing")
        for name in names:
            if name not in known.names:
                raise self._mismatch(table, names, f"column {table}.{name} is missing")
        return sum(self.write([piece]) for piece in pack(known, names, columns))

    def write(self, pieces: Sequence[Piece], attempts: int = ATTEMPTS) -> int:
        """See :class:`FactsSink`; retries what passes by itself, on the next host if there are several."""
        for attempt in range(1, attempts + 1):
            try:
                failure = self._try(pieces)
            except OperationError:
                self._host += 1
                raise
            if failure is None:
                break
            self._host += 1
            if attempt == attempts:
                told = str(failure) if attempts == 1 else f"{failure}; tried {attempts} times"
                raise Unavailable(told, kind_of(failure))
            self._sleep(FIRST_PAUSE_S * 2 ** (attempt - 1) * random.uniform(1.0, 1.5))
        return sum(piece.rows for piece in pieces)

    def close(self) -> None:
        """Hang up this thread's client; the next insert connects again."""
        client: Client | None = getattr(self._thread, "client", None)
        if client is not None:
            client.disconnect()
            self._thread.client = None

    def _try(self, pieces: Sequence[Piece]) -> OperationError | None:
        """Why another try may help, or None when the rows are in; raises what does not pass by itself."""
        table, names = pieces[0].table.name, pieces[0].names
        try:
            self._send(pieces)
        except errors.ServerException as error:
            let_go(error)
            self.close()
            if error.code in SCHEMA_CODES:
                raise self._mismatch(table, names, f"table {table}: code {error.code}") from None
            refused = refusal(error, f"{self._name} takes no rows of {table}")
            if error.code not in RETRY_CODES and refused.kind == "other":
                raise refused from None
            return refused
        except ColumnsDifferError:
            self.close()
            raise self._mismatch(table, names, f"table {table} has other columns") from None
        except SchemaMismatch:
            raise
        except OperationError as error:
            let_go(error)
            return error
        except (errors.Error, EOFError, OSError) as error:
            let_go(error)
            self.close()
            slow = is_slow(error)
            how = "says nothing" if slow else "went away"
            if not is_network(error):
                how = "does not keep to the protocol"
            what = f"{self._name} {how} during an insert into {table} ({type(error).__name__})"
            return Unavailable(what, "timeout" if slow else "unreachable")
        return None

    def _send(self, pieces: Sequence[Piece]) -> None:
        client: Any = getattr(self._thread, "client", None)
        if client is None:
            # Anew from the URL: an embedded engine that was restarted listens elsewhere.
            # The driver's own reconnecting would wait a minute for a host that is frozen.
            client = self._thread.client = self._opens(
                self._url,
                kind=PieceClient,
                first=self._host,
                client_revision=REVISION,
                disable_reconnect=True,
            )
        quoted = ", ".join(f"`{name}`" for name in pieces[0].names)
        client.execute(
            f"INSERT INTO `{pieces[0].table.name}` ({quoted}) VALUES", list(pieces), settings=INSERT_SETTINGS
        )

    def _mismatch(self, table: str, names: Sequence[str], otherwise: str) -> SchemaMismatch:
        """What differs, and ``otherwise`` where the database does not say."""
        problems: list[str] = []
        if table in self._tables:
            with suppress(errors.Error, OperationError, EOFError, OSError):
                client = self._opens(self._url, first=self._host)
                try:
                    problems = _differences(client, self._tables[table], names)
                finally:
                    client.disconnect()
        told = "; ".join(problems) or otherwise
        return SchemaMismatch(f"{self._name}: {told}; 'rehuman migrate' brings it up to date")


def _differences(client: Client, table: Table, names: Sequence[str]) -> list[str]:
    known = {name for (name,) in client.execute(KNOWN_COLUMNS, {"table": table.name})}
    if not known:
        return [f"table {table.name} is missing"]
    if unknown := [f"column {table.name}.{name} is missing" for name in names if name not in known]:
        return unknown
    return check_schema(client, [table])


KNOWN_COLUMNS = "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = %(table)s"
