"""Ask the configured ClickHouse a question: the core of ``rehuman sql``."""

from __future__ import annotations

from typing import Any

from clickhouse_driver import errors

from streams.errors import OperationError
from streams.warehouse.client import connect
from streams.warehouse.errors import first_line, is_network
from streams.warehouse.url import parse

__all__ = ["run_sql"]


def run_sql(url: str, query: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Column names and rows of ``query``; both empty for a statement without a result.

    Times of a column with a zone are aware datetimes to the millisecond, NULL is None. Raises SettingError,
    OperationError with ClickHouse's own message: the statement is the caller's.
    """
    client = connect(url)
    try:
        result = client.execute(query, with_column_types=True)
    except errors.ServerException as error:
        raise OperationError(f"ClickHouse: {first_line(error)} (code {error.code})") from None
    except (errors.Error, EOFError, OSError) as error:
        if not is_network(error):
            raise OperationError(f"the result cannot be read: {first_line(error)}") from None
        raise OperationError(f"{parse(url).name} went away: {first_line(error)}") from None
    finally:
        client.disconnect()
    rows, columns = result
    return [name for name, _ in columns], list(rows)
