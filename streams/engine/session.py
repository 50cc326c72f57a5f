"""One client's session on chdb: a chdb connection of its own, so that ``USE`` and settings stay its own.

chdb runs several connections of one process in parallel and releases the GIL while it works; one connection
runs one statement at a time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from chdb import _chdb

from streams.engine import native
from streams.engine.statements import Insert, Statement

__all__ = ["NOT_IMPLEMENTED", "EngineError", "Session"]

UNKNOWN_EXCEPTION, UNKNOWN_SETTING, UNKNOWN_DATABASE = 1002, 115, 81
NOT_IMPLEMENTED, NO_SUCH_COLUMN, BAD_ARGUMENTS = 48, 16, 36
# An acknowledged insert must be in the table, so what a client says about these is not heard.
FIXED_SETTINGS = {"async_insert": "0"}
CODE = re.compile(r"Code: (\d+)\. ?")
NO_STREAM = "Streaming query is not supported"
# Columns that an INSERT without a list does not fill.
COMPUTED = ("MATERIALIZED", "ALIAS", "EPHEMERAL")


class EngineError(Exception):
    """A statement failed; ``code`` is ClickHouse's, the text is chdb's."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code

    @classmethod
    def of(cls, error: RuntimeError) -> EngineError:
        """What chdb raised, with the code out of its text.

        >>> EngineError.of(RuntimeError("Code: 60. DB::Exception: no table. (UNKNOWN_TABLE)")).code
        60
        """
        message = str(error)
        found = CODE.match(message)
        if found is None:
            return cls(UNKNOWN_EXCEPTION, message)
        return cls(int(found[1]), message[found.end() :])


class Session:
    """Statements of one client connection, in its database and with its settings."""

    def __init__(self, path: str, database: str = "") -> None:
        """Open a connection on the chdb directory ``path``; EngineError 81 for an unknown ``database``."""
        # The name is missing from chdb's own stub.
        self._connection: Any = _chdb.connect(path)  # type: ignore[attr-defined]
        self._settings: dict[str, str] = {}
        for name, value in FIXED_SETTINGS.items():
            self._set(name, value)
        if database:
            try:
                self.rows(f"USE `{database}`")
            except EngineError:
                self.close()
                raise

    def close(self) -> None:
        """Give the chdb connection back."""
        self._connection.close()

    def apply(self, settings: Mapping[str, tuple[str, bool]]) -> None:
        """Make ``settings`` (value, important) those of the next statement, undoing the last one's.

        Unknown ones are ignored unless important (then EngineError 115), as a server does.
        """
        wanted = {name: value for name, (value, _) in settings.items() if name not in FIXED_SETTINGS}
        for name in self._settings.keys() - wanted.keys():
            self._set(name, None)
            del self._settings[name]
        for name, value in wanted.items():
            if self._settings.get(name) == value:
                continue
            try:
                self._set(name, value)
            except EngineError as fault:
                if fault.code != UNKNOWN_SETTING or settings[name][1]:
                    raise
            else:
                self._settings[name] = value

    def _set(self, name: str, value: str | None) -> None:
        if not re.fullmatch(r"\w+", name):
            raise EngineError(UNKNOWN_SETTING, f"DB::Exception: Unknown setting {name!r}. (UNKNOWN_SETTING)")
        self.rows(f"SET {name} = {'DEFAULT' if value is None else quote(value)}")

    def rows(self, sql: str) -> list[list[Any]]:
        """The whole result of a small statement of our own, decoded."""
        return [json.loads(line) for line in self._query(sql, "JSONCompactEachRow").splitlines()]

    def run(self, statement: Statement, mark: str) -> Iterator[native.Block]:
        """Run a statement and yield its result block by block, a header without rows first.

        ``mark`` is put into the statement as a comment, by which :func:`kill` finds it among the running
        ones. Raises EngineError.
        """
        if statement.refused:
            raise EngineError(
                NOT_IMPLEMENTED,
                f"DB::Exception: ENGINE = {statement.refused} is refused: the embedded engine cannot run it "
                "and its directory would never open again. (NOT_IMPLEMENTED)",
            )
        sql = statement.sql if statement.inline_rows else f"{statement.sql}\n/* {mark} */"
        if not statement.selects:
            yield from self._whole(sql)
            return
        try:
            stream = self._connection.send_query(sql, "Native", params={})
        except RuntimeError as error:
            fault = EngineError.of(error)
            if fault.code != BAD_ARGUMENTS or NO_STREAM not in str(fault):
                raise fault from None
            yield from self._whole(sql)
            return
        yield from self._stream(stream, statement.sql)

    def _whole(self, sql: str) -> Iterator[native.Block]:
        for number, block in enumerate(native.split(self._query(sql, "Native"))):
            if number == 0:
                yield native.header_block(block.columns)
            yield block

    def _stream(self, stream: Any, sql: str) -> Iterator[native.Block]:
        ended = headed = False
        try:
            while (chunk := self._connection.streaming_fetch_result(stream)) and chunk.rows_read():
                body = chunk.bytes()
                if not headed:
                    headed = True
                    yield self._header(body)
                yield native.Block(chunk.rows_read(), body, [])
            ended = True
        except RuntimeError as error:
            ended = True
            raise EngineError.of(error) from None
        finally:
            if not ended:
                self._connection.streaming_cancel_query(stream)
        if not headed:
            # chdb sends nothing at all for an empty result, the protocol wants its columns.
            columns = self.rows(f"DESCRIBE TABLE ({sql})")
            yield native.header_block([(row[0], row[1]) for row in columns])

    @staticmethod
    def _header(body: bytes) -> native.Block:
        try:
            return native.header_block(next(native.split(body)).columns)
        except native.UnsupportedTypeError:
            # Passed on all the same; the client learns the types from the block itself.
            return native.header_block([])

    def columns(self, insert: Insert) -> native.Block:
        """The header block that asks a client for the columns of ``insert``.

        Raises EngineError: 60 without the table, 16 without a column, 48 for a type that cannot be read.
        """
        described = self.rows(f"DESCRIBE TABLE {insert.table}")
        types = {name: kind for name, kind, default, *_ in described if default not in COMPUTED}
        names = insert.columns or tuple(types)
        if missing := [name for name in names if name not in types]:
            raise EngineError(
                NO_SUCH_COLUMN,
                f"DB::Exception: No such column {missing[0]} in table {insert.table}. "
                "(NO_SUCH_COLUMN_IN_TABLE)",
            )
        try:
            for name in names:
                native.skipper(types[name])
        except native.UnsupportedTypeError as error:
            raise EngineError(
                NOT_IMPLEMENTED, f"DB::Exception: type {error} cannot be inserted here. (NOT_IMPLEMENTED)"
            ) from None
        return native.header_block([(name, types[name]) for name in names])

    def insert(self, insert: Insert, blocks: Path) -> None:
        """Insert the Native blocks in the file ``blocks``: in the table when this returns.

        Not by chdb's own streaming insert: that of 4.4 says "200 rows written" for an insert that ClickHouse
        refused (too many partitions, a violated constraint) and of which nothing is in the table.
        """
        self._query(f"{insert.into} FROM INFILE {quote(str(blocks))}{insert.settings} FORMAT Native", "Null")

    def kill(self, mark: str) -> None:
        """Stop the statement that carries ``mark``, in whatever session it runs."""
        self._query(f"KILL QUERY WHERE position(query, {quote('/* ' + mark + ' */')}) > 0 ASYNC", "Null")

    def _query(self, sql: str, form: str) -> bytes:
        try:
            result: bytes = self._connection.query(sql, form, params={}).bytes()
        except RuntimeError as error:
            raise EngineError.of(error) from None
        return result


def quote(value: str) -> str:
    """``value`` as a string literal.

    >>> print(quote("it's"))
    'it\\'s'
    """
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
