"""What goes wrong with ClickHouse, as the one line that a user or a log sees.

Server messages may quote values of rows, so they are passed on only where the statement was the user's own.
"""

from __future__ import annotations

import ssl

from clickhouse_driver import errors

from streams.errors import OperationError

__all__ = [
    "DOWN",
    "KINDS",
    "RETRY_CODES",
    "SCHEMA_CODES",
    "SchemaMismatch",
    "Unavailable",
    "first_line",
    "is_network",
    "is_slow",
    "kind_of",
    "refusal",
]

# Why rows cannot be written, in the words of a metric's label: who must do what follows from it.
KINDS = (
    "unreachable",
    "timeout",
    "refused",
    "read_only",
    "disk_full",
    "too_many_parts",
    "memory",
    "busy",
    "schema",
    "other",
)
# Of these, nothing that a server said.
DOWN = ("unreachable", "timeout")


class Unavailable(OperationError):  # noqa: N818 - reads as the finding it is; an error by its base
    """ClickHouse takes no rows for now; ``kind`` is one of :data:`KINDS`."""

    def __init__(self, message: str, kind: str) -> None:
        super().__init__(message)
        self.kind = kind


class SchemaMismatch(Unavailable):
    """The database lacks a table or column, or has another type there: waiting alone does not mend it."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "schema")


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

_SAYS = {
    "timeout": "it is too slow",
    "refused": "it refuses the user or the password",
    "read_only": "it is read-only",
    "disk_full": "its disk is full",
    "too_many_parts": "it has too many parts to merge",
    "memory": "it is out of memory",
    "busy": "it is busy with other queries",
}
_KIND_OF_CODE = {
    errors.ErrorCodes.TIMEOUT_EXCEEDED: "timeout",
    errors.ErrorCodes.SOCKET_TIMEOUT: "timeout",
    errors.ErrorCodes.TOO_MANY_SIMULTANEOUS_QUERIES: "busy",
    errors.ErrorCodes.MEMORY_LIMIT_EXCEEDED: "memory",
    errors.ErrorCodes.READONLY: "read_only",
    errors.ErrorCodes.TABLE_IS_READ_ONLY: "read_only",
    774: "read_only",  # TABLE_IS_PERMANENTLY_READ_ONLY: a setting of the table
    errors.ErrorCodes.NOT_ENOUGH_SPACE: "disk_full",
    252: "too_many_parts",
    # Wrong user or password, the newer common code of both, and a right that the user lacks.
    192: "refused",
    193: "refused",
    194: "refused",
    497: "refused",
    516: "refused",
}
# What the operating system says of a full disk, a quota and a limit comes with the code of whatever failed.
_FULL = ("No space left on device", "Disk quota exceeded", "File too large", "errno: 28", "errno: 122")


def refusal(error: errors.ServerException, doing: str) -> Unavailable:
    """What a server's exception means for whoever was ``doing`` something; holds nothing of its text."""
    full = any(sign in str(error.message) for sign in _FULL)
    kind = "disk_full" if full else _KIND_OF_CODE.get(error.code, "other")
    why = _SAYS.get(kind, "it refuses")
    return Unavailable(f"{doing}: {why} (code {error.code})", kind)


def kind_of(error: OperationError) -> str:
    """One of :data:`KINDS`."""
    return error.kind if isinstance(error, Unavailable) else "unreachable"


def is_slow(error: BaseException) -> bool:
    """Whether the connection is there, or may be, and nothing came through it in time."""
    return isinstance(error, TimeoutError | errors.SocketTimeoutError)


def is_network(error: BaseException) -> bool:
    """Whether the connection failed rather than the statement."""
    network = (errors.NetworkError, errors.SocketTimeoutError, EOFError, OSError, ssl.SSLError)
    return isinstance(error, network)


def first_line(error: BaseException) -> str:
    """A server's or driver's message on one line, without the stack trace."""
    message = str(getattr(error, "message", None) or error).split("Stack trace", maxsplit=1)[0]
    return " ".join(message.replace("DB::Exception: ", "").split()).rstrip(". ") or type(error).__name__
