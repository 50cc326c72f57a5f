"""Ports of this machine: one that is free, and whether one is.

>>> port = free_port()
>>> is_free("127.0.0.1", port)
True
"""

from __future__ import annotations

import socket

__all__ = ["free_port", "is_free"]


def free_port() -> int:
    """A port on the loopback address that nobody has; until it is bound, somebody else may take it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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
