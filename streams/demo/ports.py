"""A port for the worker that is still free when the worker, some seconds later, comes to listen on it.

Two sockets hold it meanwhile. One is bound to the port beside the worker's (both may reuse the address, and
only one listens), so that no outgoing connection is given it. That does not keep another demonstration away,
which asks in the same way; the UDP port of the same number does, as it can be had once only.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from streams.errors import SettingError
from streams.settings import Settings

__all__ = ["HOST", "reserved"]

HOST = "127.0.0.1"
# Any free port may be taken as UDP: by other demonstrations, or by what has nothing to do with us.
TRIES = 50


@contextmanager
def reserved(wanted: int | None) -> Iterator[int]:
    """The metrics' port, kept until the end: ``wanted``, of which 0 and None leave the choice to us.

    Without a wish it is the usual one if that is free. Raises SettingError where a wish cannot be met.
    """
    with ExitStack() as held:
        yield _taken(held, wanted)


def _taken(held: ExitStack, wanted: int | None) -> int:
    usual = int(Settings.model_fields["metrics_port"].default)
    port = _take(held, usual if wanted is None else wanted)
    if port is None and wanted:
        raise SettingError("--port", f"{wanted} (in use)", "a free port")
    for _ in range(TRIES):
        port = port or _take(held, 0)
    if port is None:
        raise SettingError("--port", "no free port on this machine", "a free port")
    return port


def _take(held: ExitStack, port: int) -> int | None:
    """Hold ``port`` (0: any); None where somebody has it."""
    with ExitStack() as mine:
        beside = mine.enter_context(socket.socket())
        alone = mine.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        # As the metrics server binds: a port that only lingers from the last run is free.
        beside.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            beside.bind((HOST, port))
            found = int(beside.getsockname()[1])
            alone.bind((HOST, found))
        except OverflowError:
            return None
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise SettingError("--port", str(port), "a port of this user, 1024 to 65535") from None
            return None
        held.push(mine.pop_all())
        return found
