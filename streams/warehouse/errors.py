"""What goes wrong with ClickHouse, as the one line that a user or a log sees.

Server messages may quote values of rows, so they are passed on only where the statement was the user's own.
"""

from __future__ import annotations

import ssl

from clickhouse_driver import errors

from streams.errors import OperationError

__all__ = ["RETRY_CODES", "SCHEMA_CODES", "SchemaMismatch", "first_line", "is_network"]


class SchemaMismatch(OperationError):  # noqa: N818 - reads as the finding it is; an error by its base
    """The database lacks a table or column, or has another type there: waiting does not mend it."""


# Codes of ClickHouse (src/Common/ErrorCodes.cpp) that say that tables differ from what we write.
SCHEMA_CODES = frozenset(
    {
        errors.ErrorCodes.NOT_FOUND_COLUMN_IN_BLOCK,
        errors.ErrorCodes.NO_SUCH_COLUMN_IN_TABLE,
        errors.ErrorCodes.NUMBER_OF_COLUMNS_DOESNT_MATCH,
        errors.ErrorCodes.UNKNOWN_IDENTIFIER,
        errors.ErrorCodes.TYPE_MISMATCH,
        errors.ErrorCodes.UNKNOWN_TABLE,
        errors.ErrorCodes.UNKNOWN_DATABASE,
    }
)

# Codes that pass by themselves: load, memory, replicas and disks that come back.
RETRY_CODES = frozenset(
    {
        errors.ErrorCodes.TIMEOUT_EXCEEDED,
        errors.ErrorCodes.TOO_MANY_SIMULTANEOUS_QUERIES,
        errors.ErrorCodes.SOCKET_TIMEOUT,
        errors.ErrorCodes.NETWORK_ERROR,
        errors.ErrorCodes.MEMORY_LIMIT_EXCEEDED,
        errors.ErrorCodes.TABLE_IS_READ_ONLY,
        errors.ErrorCodes.NOT_ENOUGH_SPACE,
        252,  # TOO_MANY_PARTS; the driver still has its old name
        285,  # TOO_FEW_LIVE_REPLICAS
        319,  # UNKNOWN_STATUS_OF_INSERT: sending again is right, facts replace themselves
        394,  # QUERY_WAS_CANCELLED: the server is being stopped
        999,  # KEEPER_EXCEPTION
    }
)


def is_network(error: BaseException) -> bool:
    """Whether the connection failed rather than the statement."""
    network = (errors.NetworkError, errors.SocketTimeoutError, EOFError, OSError, ssl.SSLError)
    return isinstance(error, network)


def first_line(error: BaseException) -> str:
    """A server's or driver's message on one line, without the stack trace."""
    message = str(getattr(error, "message", None) or error).split("Stack trace", maxsplit=1)[0]
    return " ".join(message.replace("DB::Exception: ", "").split()).rstrip(". ") or type(error).__name__
