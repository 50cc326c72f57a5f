"""What kind of statement a client sent: the little that the engine must know before chdb parses it.

>>> read("INSERT INTO a.b (x, `y z`) VALUES").insert
Insert(table='a.b', columns=('x', 'y z'), into='INSERT INTO a.b (x, `y z`)', settings='')
>>> read("INSERT INTO t SETTINGS a = 1, b = 'x' VALUES").insert
Insert(table='t', columns=(), into='INSERT INTO t', settings=" SETTINGS a = 1, b = 'x'")
>>> read("insert into t values (1)").insert is None
True
>>> read("SELECT 1 FORMAT JSON;").sql
'SELECT 1'
"""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["Insert", "Statement", "read"]

IDENTIFIER = r"(?:`[^`]+`|\"[^\"]+\"|[A-Za-z_]\w*)"
# Comments and literals, so that what they hold is not taken for SQL.
QUOTED = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:\\.|''|[^'\\])*'", re.DOTALL)
LEADING = re.compile(r"(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*", re.DOTALL)
# An INSERT whose rows come as blocks: nothing after VALUES or FORMAT.
INSERT = re.compile(
    rf"INSERT\s+INTO\s+(?:TABLE\s+)?(?P<table>{IDENTIFIER}(?:\.{IDENTIFIER})?)\s*"
    rf"(?:\((?P<columns>\s*{IDENTIFIER}(?:\s*,\s*{IDENTIFIER})*\s*)\))?"
    r"(?P<settings>\s+SETTINGS\s+[^;]*?)?"
    r"(?P<tail>\s*(?:VALUES|FORMAT\s+\w+)?\s*)\Z",
    re.IGNORECASE | re.DOTALL,
)
INLINE_ROWS = re.compile(r"INSERT\b.*\b(?:VALUES|FORMAT)\b", re.IGNORECASE | re.DOTALL)
# A client formats by itself; chdb must always answer in Native.
OUTPUT_FORMAT = re.compile(r"\s+FORMAT\s+\w+\s*\Z", re.IGNORECASE)
# chdb 4.4: creating one of these fails and leaves a directory that never opens again.
BRICKING = re.compile(r"\bENGINE\s*=?\s*(Kafka|RabbitMQ|NATS)\b", re.IGNORECASE)


class Insert(NamedTuple):
    """An INSERT that waits for blocks: all up to the columns, and what it sets; no ``columns`` means all."""

    table: str
    columns: tuple[str, ...]
    into: str
    settings: str


class Statement(NamedTuple):
    """A statement: its first word in capitals, and what decides how it is run."""

    verb: str
    sql: str
    insert: Insert | None
    refused: str
    inline_rows: bool

    @property
    def selects(self) -> bool:
        """Whether chdb may stream its result."""
        return self.verb in ("SELECT", "WITH", "")


def read(sql: str) -> Statement:
    """Classify ``sql``; never raises, what is not understood is left to chdb."""
    start = LEADING.match(sql)
    bare = (sql[start.end() :] if start else sql).rstrip().rstrip(";").rstrip()
    word = re.match(r"[A-Za-z]+", bare)
    verb = word.group().upper() if word else ""
    if verb == "INSERT":
        return Statement(verb, bare, _insert(bare), "", INLINE_ROWS.match(bare) is not None)
    refused = BRICKING.search(QUOTED.sub(" ", bare)) if verb in ("CREATE", "ATTACH", "REPLACE") else None
    return Statement(verb, OUTPUT_FORMAT.sub("", bare), None, refused.group(1) if refused else "", False)


def _insert(sql: str) -> Insert | None:
    found = INSERT.match(sql)
    if found is None:
        return None
    columns = found["columns"]
    names = tuple(_unquote(name) for name in re.findall(IDENTIFIER, columns)) if columns else ()
    settings = found["settings"] or ""
    into = sql[: found.start("settings") if settings else found.start("tail")]
    return Insert(found["table"], names, into, settings)


def _unquote(name: str) -> str:
    return name[1:-1] if name[0] in '`"' else name
