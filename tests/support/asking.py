"""How far a group is, asked again and again over one connection.

Tests ask all the time while they wait: connecting takes more of the machine than the question does.
"""

from __future__ import annotations

from contextlib import ExitStack, suppress

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from streams.kafka import admin
from streams.kafka.lag import Lag, group_lag

__all__ = ["Asking"]


class Asking:
    """Connects with the first question, and again where the broker it was connected to is gone."""

    def __init__(self, url: str, group: str) -> None:
        self._url, self._group = url, group
        self._held = ExitStack()
        self._client: KafkaAdminClient | None = None

    def lags(self, *topics: str) -> list[Lag]:
        """Of every partition of these topics. Raises KafkaError; OperationError where no broker answers."""
        if self._client is not None:
            with suppress(KafkaError):
                return list(group_lag(self._client, self._group, topics).values())
            self.close()
        self._client = self._held.enter_context(admin.connect(self._url))
        return list(group_lag(self._client, self._group, topics).values())

    def close(self) -> None:
        """Hang up; the next question connects again."""
        self._held.close()
        self._client = None
