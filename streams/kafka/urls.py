"""Kafka addresses: one URL says where the brokers are and how to get in.

``kafka://[user:password@]host[:port][,host[:port]...][?security=...&mechanism=...&ca=FILE&cert=FILE&key=FILE]``

>>> address = parse("kafka://b1,b2:9093?security=SSL")
>>> address.servers, address.security
(('b1:9092', 'b2:9093'), 'SSL')
>>> parse("kafka://me:secret@b1?security=SASL_SSL&mechanism=SCRAM-SHA-512").mechanism
'SCRAM-SHA-512'
>>> parse("http://b1")
Traceback (most recent call last):
ValueError: the scheme is 'http', not 'kafka'
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

__all__ = ["KafkaAddress", "parse"]

DEFAULT_PORT = 9092
SECURITIES = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
OPTIONS = ("security", "mechanism", "username", "password", "ca", "cert", "key")


@dataclass(frozen=True)
class KafkaAddress:
    """Where the brokers are; ``servers`` are ``host:port``. Its text never shows the password."""

    servers: tuple[str, ...]
    security: str = "PLAINTEXT"
    mechanism: str = "PLAIN"
    username: str = ""
    password: str = field(default="", repr=False)
    ca: str = ""
    cert: str = ""
    key: str = field(default="", repr=False)

    def __str__(self) -> str:
        return ",".join(self.servers)

    def client(self) -> dict[str, Any]:
        """Keyword arguments that kafka-python's and aiokafka's clients both take.

        Raises ``OSError`` (``ssl.SSLError`` is one) when a certificate file cannot be used.
        """
        options: dict[str, Any] = {
            "bootstrap_servers": list(self.servers),
            "security_protocol": self.security,
        }
        if self.security.endswith("SSL"):
            options["ssl_context"] = self.ssl_context()
        if self.security.startswith("SASL"):
            options["sasl_mechanism"] = self.mechanism
            options["sasl_plain_username"] = self.username
            options["sasl_plain_password"] = self.password
        return options

    def faust(self) -> dict[str, Any]:
        """Keyword arguments of ``faust.App``: the broker list, and credentials where there are any."""
        options: dict[str, Any] = {"broker": [f"kafka://{server}" for server in self.servers]}
        if self.security == "PLAINTEXT":
            return options
        # Only a secured cluster needs it, and importing faust takes most of a second.
        import faust

        context = self.ssl_context() if self.security.endswith("SSL") else None
        if self.security == "SSL":
            options["broker_credentials"] = faust.SSLCredentials(context)
        else:
            options["broker_credentials"] = faust.SASLCredentials(
                username=self.username, password=self.password, ssl_context=context, mechanism=self.mechanism
            )
        return options

    def ssl_context(self) -> ssl.SSLContext:
        """What TLS connections are made with. Raises ``OSError`` where a file cannot be used."""
        context = ssl.create_default_context(cafile=self.ca or None)
        if self.cert:
            context.load_cert_chain(self.cert, self.key or None)
        return context


def parse(url: str) -> KafkaAddress:
    """Read a Kafka URL. Raises ValueError with a reason that never holds a password."""
    try:
        parts = urlsplit(url)
        query = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise ValueError("it is not a URL") from None
    if parts.scheme != "kafka":
        raise ValueError(f"the scheme is {parts.scheme!r}, not 'kafka'")
    if parts.path not in ("", "/") or parts.fragment:
        raise ValueError("something follows the hosts")
    credentials, _, hosts = parts.netloc.rpartition("@")
    username, _, password = credentials.partition(":")
    options = {"username": unquote(username), "password": unquote(password)}
    for name, value in query:
        if name not in OPTIONS:
            raise ValueError(f"unknown option {name!r} (known: {', '.join(OPTIONS)})")
        options[name] = value
    address = KafkaAddress(servers=tuple(_server(host) for host in hosts.split(",")), **options)
    _check(address)
    return address


def _server(text: str) -> str:
    """``host[:port]`` with the port filled in; IPv6 addresses are in brackets."""
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("a port is not a number of 1 to 65535") from None
    if not host:
        raise ValueError("a host is missing")
    if port == 0:
        raise ValueError("a port is not a number of 1 to 65535")
    shown = f"[{host}]" if ":" in host else host
    return f"{shown}:{port or DEFAULT_PORT}"


def _check(address: KafkaAddress) -> None:
    if address.security not in SECURITIES:
        raise ValueError(f"security is none of {', '.join(SECURITIES)}")
    if address.mechanism not in MECHANISMS:
        raise ValueError(f"mechanism is none of {', '.join(MECHANISMS)}")
    sasl = address.security.startswith("SASL")
    if sasl != bool(address.username and address.password):
        raise ValueError(
            "SASL needs a user name and a password"
            if sasl
            else "a user name or password needs security=SASL_SSL"
        )
    for name, path in (("ca", address.ca), ("cert", address.cert), ("key", address.key)):
        if path and not Path(path).is_file():
            raise ValueError(f"the file of option {name!r} does not exist")
    if address.ca or address.cert:
        try:
            address.ssl_context()
        except OSError as error:
            # Its text may name a file, never what is in it.
            raise ValueError(
                f"ca, cert and key are not all PEM files that belong together ({error})"
            ) from None
    if address.key and not address.cert:
        raise ValueError("the option key needs cert")
