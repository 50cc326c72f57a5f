"""Write columns of facts to ClickHouse; sending a batch twice does no harm, facts replace themselves."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from clickhouse_driver import Client, errors

from detectors.tables import TABLES
from streams.errors import OperationError
from streams.warehouse.client import connect
from streams.warehouse.errors import RETRY_CODES, SCHEMA_CODES, SchemaMismatch, is_network
from streams.warehouse.schema import check_schema
from streams.warehouse.split import by_months
from streams.warehouse.url import parse

__all__ = ["FactsSink", "FactsWriter"]

# Waits of 0.2, 0.4 and 0.8 s, each up to half longer: a restart or a fail-over of a moment is hidden, and
# what lasts comes to the caller within seconds, who waits for as long as it takes and says so.
ATTEMPTS = 4
FIRST_PAUSE_S = 0.2
# The driver packs values for the types that the server's columns have; how it fails depends on the type.
PACKING_ERRORS = (errors.TypeMismatchError, AttributeError, TypeError, ValueError)
# An asynchronous insert is acknowledged without its deduplication; 26.x would make it the default.
INSERT_SETTINGS = {"async_insert": 0}

Columns = Sequence[Sequence[object]]


class FactsSink(Protocol):
    """Where facts go: ClickHouse, or a list in a test."""

    def insert(self, table: str, names: Sequence[str], columns: Columns) -> int:
        """Write ``columns`` (one sequence a name, of one length; times in ms); the rows, durable on return.

        Raises SchemaMismatch naming what the database lacks, OperationError when it cannot be reached or
        refuses for now (the batch may be there in part: insert it again), ValueError for columns that are
        uneven or whose values do not fit: a defect of the caller.
        """


class FactsWriter:
    """Inserts into the ClickHouse of a URL. Any thread may call: each has a client of its own."""

    def __init__(
        self,
        url: str,
        *,
        opens: Callable[[str], Client] = connect,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Nothing is connected yet; raises SettingError for a bad ``url``."""
        self._name = parse(url).name
        self._url = url
        self._opens = opens
        self._sleep = sleep
        self._thread = threading.local()

    def insert(self, table: str, names: Sequence[str], columns: Columns) -> int:
        """See :class:`FactsSink`; retries what passes by itself a few times."""
        count = _even(names, columns)
        if not count:
            return 0
        pieces = [columns]
        if "time" in names:
            times: Sequence[int] = columns[list(names).index("time")]  # type: ignore[assignment]  # ms by contract
            pieces = list(by_months(times, columns))
        for piece in pieces:
            self._insert(table, names, piece)
        return count

    def close(self) -> None:
        """Hang up this thread's client; the next insert connects again."""
        client: Client | None = getattr(self._thread, "client", None)
        if client is not None:
            client.disconnect()
            self._thread.client = None

    def _insert(self, table: str, names: Sequence[str], columns: Columns) -> None:
        quoted = ", ".join(f"`{name}`" for name in names)
        statement = f"INSERT INTO `{table}` ({quoted}) VALUES"
        reason = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                self._sleep(FIRST_PAUSE_S * 2 ** (attempt - 1) * random.uniform(1.0, 1.5))
            reason = self._try(statement, table, names, columns)
            if not reason:
                return
        raise OperationError(f"{reason}; tried {ATTEMPTS} times")

    def _try(self, statement: str, table: str, names: Sequence[str], columns: Columns) -> str:
        """Why another try may help, or "" when the rows are in; raises what does not pass by itself."""
        try:
            self._send(statement, columns)
        except errors.ServerException as error:
            self.close()
            if error.code in SCHEMA_CODES:
                told = self._differences(table, names) or f"table {table}: code {error.code}"
                raise self._mismatch(told) from None
            reason = f"{self._name} refuses an insert into {table} with code {error.code}"
            if error.code not in RETRY_CODES:
                raise OperationError(reason) from None
            return reason
        except PACKING_ERRORS as error:
            self.close()
            if told := self._differences(table, names):
                raise self._mismatch(told) from None
            # The tables are right, so the row is wrong; the driver's text might quote it.
            raise ValueError(f"a row of {table} does not fit ({type(error).__name__})") from None
        except SchemaMismatch:
            raise
        except OperationError as error:
            return str(error)
        except (errors.Error, EOFError, OSError) as error:
            self.close()
            if not is_network(error):
                raise
            return f"{self._name} went away during an insert into {table} ({type(error).__name__})"
        return ""

    def _send(self, statement: str, columns: Columns) -> None:
        client: Client | None = getattr(self._thread, "client", None)
        if client is None:
            # Anew from the URL: an embedded engine that was restarted listens elsewhere.
            client = self._thread.client = self._opens(self._url)
        client.execute(statement, columns, columnar=True, settings=INSERT_SETTINGS)

    def _mismatch(self, told: str) -> SchemaMismatch:
        return SchemaMismatch(f"{self._name}: {told}; 'rehuman migrate' brings it up to date")

    def _differences(self, table: str, names: Sequence[str]) -> str:
        try:
            client = self._opens(self._url)
            problems = _differences(client, table, names)
            client.disconnect()
        except (errors.Error, OperationError, EOFError, OSError):
            return ""
        return "; ".join(problems)


def _differences(client: Client, table: str, names: Sequence[str]) -> list[str]:
    known = {name for (name,) in client.execute(KNOWN_COLUMNS, {"table": table})}
    if not known:
        return [f"table {table} is missing"]
    if unknown := [f"column {table}.{name} is missing" for name in names if name not in known]:
        return unknown
    return check_schema(client, [TABLES[table]]) if table in TABLES else []


KNOWN_COLUMNS = "SELECT name FROM system.columns WHERE database = currentDatabase() AND table = %(table)s"


def _even(names: Sequence[str], columns: Columns) -> int:
    lengths = {len(column) for column in columns}
    if len(columns) != len(names) or len(lengths) > 1:
        raise ValueError("columns must be as many as names, and of one length")
    return lengths.pop() if lengths else 0
