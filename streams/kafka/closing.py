"""Ends a kafka-python client from the thread that reads its sockets.

A consumer's or an admin client's own ``close()`` (kafka-python 3.0) closes the sockets in the caller's
thread. Where an answer reaches the client's own thread at that moment, that thread reads from a socket that
is gone and logs a traceback.
"""

from __future__ import annotations

from contextlib import suppress

from kafka import KafkaAdminClient, KafkaConsumer
from kafka.errors import KafkaError

__all__ = ["close"]


def close(client: KafkaAdminClient | KafkaConsumer) -> None:
    """Close a client that has an I/O thread of its own and is in no group; nothing the second time."""
    # A RuntimeError where its thread has ended already: there is nobody to disturb then.
    with suppress(KafkaError, RuntimeError, OSError):
        client._manager.run(client._manager.close)
    client.close()
