"""Ports of this machine: one that is free, and whether one is.

>>> port = free_port()
>>> is_free("127.0.0.1", port)
True
"""

from __future__ import annotations

import random
import socket
from pathlib import Path

__all__ = ["free_port", "is_free"]

LOWEST = 15_000
TRIES = 100
# The first and the last port that the kernel chooses from for connections and for whoever asks for any.
CHOSEN_FROM = Path("/proc/sys/net/ipv4/ip_local_port_range")
_random = random.SystemRandom()
_given: set[int] = set()


def free_port() -> int:
    """A port on the loopback address that nobody has; until it is bound, somebody else may take it.

    It lies below those that the kernel gives away, where it can: of these each may be the next connection's,
    and while a server is away, the very client that tries to reach it may be given its port.
    """
    for _ in range(TRIES):
        port = _random.randrange(LOWEST, max(LOWEST + 1, _first_given()))
        if is_free("127.0.0.1", port):
            return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _first_given() -> int:
    try:
        return int(CHOSEN_FROM.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 32_768


def is_free(host: str, port: int) -> bool:
    """Whether a server could bind this port now."""
    with socket.socket() as probe:
        # As servers do: a port whose last connections are still fading away is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
