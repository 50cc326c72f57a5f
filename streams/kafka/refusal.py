"""Why a broker does not let us in, in one line: clients say only that nobody answered in time.

One connection is made as aiokafka makes it, as far as TLS and the password go, to the first broker that is
there. That a broker lets an address in is remembered, so that only the first client of a process pays for it.
"""

from __future__ import annotations

import asyncio
import ssl
from concurrent.futures import ThreadPoolExecutor

from aiokafka.conn import AIOKafkaConnection, create_conn
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)

from streams.kafka.urls import KafkaAddress

__all__ = ["refusal"]

# A broker that is there answers in milliseconds; a command must give up within ten seconds.
ANSWER_MS = 3_000

_let_in: set[KafkaAddress] = set()


def refusal(address: KafkaAddress) -> str:
    """What keeps us out, without secrets; empty where nothing does, or where nobody is there to say."""
    if address in _let_in:
        return ""
    # A thread, because the caller may be inside an event loop.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, _ask(address)).result()


async def _ask(address: KafkaAddress) -> str:
    for server in address.servers:
        try:
            connection = await _connect(address, server)
        except (KafkaError, OSError, TimeoutError) as error:
            if why := _why(error, address):
                return why
        else:
            connection.close()
            _let_in.add(address)
            break
    return ""


async def _connect(address: KafkaAddress, server: str) -> AIOKafkaConnection:
    host, _, port = server.rpartition(":")
    options = address.client()
    del options["bootstrap_servers"]
    return await create_conn(host.strip("[]"), int(port), request_timeout_ms=ANSWER_MS, **options)


def _why(error: BaseException, address: KafkaAddress) -> str:
    tls = address.security.endswith("SSL")
    if isinstance(error, SaslAuthenticationFailed):
        return "refuses the user or the password"
    if isinstance(error, UnsupportedSaslMechanismError):
        return f"does not offer the mechanism {address.mechanism}"
    if isinstance(error, IllegalSaslStateError):
        return f"wants no password there (security is {address.security})"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"shows a certificate that is not trusted: {error.verify_message} (the option ca names a file)"
    if isinstance(error.__context__, ssl.SSLError):
        return "does not accept our certificate, or wants one (the options cert and key name files)"
    if tls and isinstance(error, ssl.SSLError | ConnectionResetError):
        return f"does not speak TLS there (security is {address.security})"
    if isinstance(error.__context__, asyncio.IncompleteReadError):
        return f"ends the connection: security is {address.security}, and it may want another"
    return ""
