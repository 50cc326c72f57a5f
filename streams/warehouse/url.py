"""``REHUMAN_CLICKHOUSE_URL``: a server, a cluster behind several hosts, or the embedded engine's directory.

``clickhouse://user:password@host:9000/rehuman?secure=1&alt_hosts=h2:9000`` or ``embedded:///directory``.
No message made here holds any part of the URL that could be a password.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from streams.errors import SettingError

__all__ = ["DATABASE", "SETTING", "Target", "parse"]

SETTING = "REHUMAN_CLICKHOUSE_URL"
EXPECTED = "clickhouse://USER:PASSWORD@HOST:9000/DATABASE?secure=1 or embedded:///DIRECTORY"
DATABASE = "rehuman"
PORT, SECURE_PORT = 9000, 9440
# All hosts together must have been tried before a command has to say that nobody answers (10 s); a name
# may have two addresses, each tried for this long.
CONNECT_S, ALL_HOSTS_S = 3.0, 7.0


def _flag(text: str) -> bool:
    flags = {
        "1": True,
        "true": True,
        "yes": True,
        "on": True,
        "0": False,
        "false": False,
        "no": False,
        "off": False,
    }
    return flags[text.lower()]


def _compression(text: str) -> str | bool:
    return text if text in ("lz4", "lz4hc") else _flag(text)


def _file(text: str) -> str:
    if not Path(text).is_file():
        raise ValueError(text)
    return text


def _hosts(text: str) -> str:
    if not all(re.fullmatch(r"([\w.-]+|\[[\da-fA-F:]+\])(:\d{1,5})?", host) for host in text.split(",")):
        raise ValueError(text)
    return text


# What a URL may say after the question mark, by the driver's names, and how it is read.
OPTIONS: dict[str, Callable[[str], object]] = {
    "secure": _flag, "verify": _flag, "check_hostname": _flag, "tcp_keepalive": _flag,
    "compression": _compression,
    "connect_timeout": float, "send_receive_timeout": float, "sync_request_timeout": float,
    "ca_certs": _file, "certfile": _file, "keyfile": _file, "server_hostname": str, "alt_hosts": _hosts,
}  # fmt: skip


class Target(NamedTuple):
    """What a URL means. ``directory`` is set for the embedded engine, ``cluster`` for ``ON CLUSTER``."""

    directory: Path | None
    host: str
    port: int
    user: str
    password: str
    database: str
    cluster: str
    options: dict[str, Any]

    @property
    def hosts(self) -> tuple[tuple[str, int], ...]:
        """Each host with its port, the URL's own first; none for the embedded engine.

        >>> parse("clickhouse://db1?secure=1&alt_hosts=db2,[::1]:9999").hosts
        (('db1', 9440), ('db2', 9440), ('::1', 9999))
        """
        if self.directory:
            return ()
        standard = SECURE_PORT if self.options.get("secure") else PORT
        others = [urlsplit(f"//{host}") for host in self.options.get("alt_hosts", "").split(",") if host]
        return ((self.host, self.port), *((host.hostname or "", host.port or standard) for host in others))

    @property
    def name(self) -> str:
        """The place, for a message: never the user or the password."""
        if self.directory:
            return f"embedded engine {self.directory}"
        others = self.options.get("alt_hosts")
        return f"ClickHouse at {self.host}:{self.port}" + (f",{others}" if others else "")


def parse(url: str) -> Target:
    """Read ``url``; raises SettingError.

    >>> parse("clickhouse://u:p%40ss@db1/facts?secure=1&alt_hosts=db2").name
    'ClickHouse at db1:9440,db2'
    >>> parse("embedded:///var/rehuman").database
    'rehuman'
    >>> parse("clickhouse://u:secret@db:x/")
    Traceback (most recent call last):
    ...
    streams.errors.SettingError: REHUMAN_CLICKHOUSE_URL: found a port that is not a number; expected \
clickhouse://USER:PASSWORD@HOST:9000/DATABASE?secure=1 or embedded:///DIRECTORY
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise SettingError(SETTING, "something that is not a URL", EXPECTED) from None
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if parts.scheme == "embedded":
        return _embedded(parts.netloc, parts.path, options)
    if parts.scheme not in ("clickhouse", "clickhouses"):
        found = f"the scheme {parts.scheme!r}" if "://" in url else "no scheme"
        raise SettingError(SETTING, found, EXPECTED)
    if "@" in parts.path + parts.query + parts.fragment:
        raise SettingError(SETTING, "a '/', '?' or '#' in the user or password", "it percent-encoded")
    try:
        port = parts.port
    except ValueError:
        raise SettingError(SETTING, "a port that is not a number", EXPECTED) from None
    if not parts.hostname:
        raise SettingError(SETTING, "no host", EXPECTED)
    cluster = options.pop("cluster", "")
    read = _options(options)
    if parts.scheme == "clickhouses":
        read["secure"] = True
    return Target(
        directory=None,
        host=parts.hostname,
        port=port or (SECURE_PORT if read.get("secure") else PORT),
        user=unquote(parts.username or "default"),
        password=unquote(parts.password or ""),
        database=unquote(parts.path.strip("/")) or DATABASE,
        cluster=cluster,
        options={"compression": "lz4", "connect_timeout": _connect_timeout(read)} | read,
    )


def _embedded(netloc: str, path: str, options: dict[str, str]) -> Target:
    database = options.pop("database", DATABASE)
    if netloc or not path.strip("/") or options:
        raise SettingError(SETTING, "an embedded URL without a plain absolute path", "embedded:///DIRECTORY")
    # chdb reads what follows a question mark as its own options.
    if "?" in unquote(path):
        raise SettingError(SETTING, "a directory with a question mark", "a path without one")
    return Target(Path(unquote(path)), "", 0, "default", "", database, "", {"compression": False})


def _options(options: dict[str, str]) -> dict[str, Any]:
    read = {}
    for name, value in options.items():
        if name not in OPTIONS:
            raise SettingError(SETTING, f"the option {name!r}", "one of " + ", ".join([*OPTIONS, "cluster"]))
        try:
            read[name] = OPTIONS[name](value)
        except (ValueError, KeyError):
            raise SettingError(SETTING, f"{name}={value}", f"a value that {name} can have") from None
    return read


def _connect_timeout(options: dict[str, Any]) -> float:
    hosts = 1 + len([host for host in options.get("alt_hosts", "").split(",") if host])
    return min(CONNECT_S, ALL_HOSTS_S / (2 * hosts))
