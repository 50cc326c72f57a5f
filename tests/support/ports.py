"""Ports for servers that tests stop and start again on the same one.

A port that the kernel has given is given again: to a connection of somebody else's while the server is away,
or to a client's that tries to reach it, which then speaks to itself. So they are chosen below the range that
the kernel gives from.
"""

from __future__ import annotations

import random
import socket
from pathlib import Path

__all__ = ["server_port"]

LOWEST = 15_000
GIVEN = Path("/proc/sys/net/ipv4/ip_local_port_range")
_random = random.SystemRandom()


def server_port() -> int:
    """A port of the loopback address that is free, and stays so unless somebody wants just this one."""
    highest = int(GIVEN.read_text().split()[0]) - 1 if GIVEN.exists() else 32_767
    while True:
        port = _random.randint(LOWEST, highest)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
