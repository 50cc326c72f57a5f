"""A producer for what runs outside the lanes: replays, policies, tests.

Records of one partition arrive in the order they were sent, each acknowledged by all in-sync copies. The
first record that cannot be delivered ends it: the next call raises, so nothing is lost unseen.
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any

from kafka import KafkaAdminClient, KafkaProducer
from kafka.errors import KafkaError, NodeNotReadyError
from kafka.protocol.api_key import ApiKey

from streams.errors import OperationError
from streams.kafka import urls
from streams.kafka.admin import BOOTSTRAP_MS, LARGE, LOST, asked, connect, partitions_of
from streams.kafka.partitioner import partition_of

__all__ = ["Producer"]

# Records sent and not acknowledged: kafka-python 3 has no bound of its own on what waits in memory.
IN_FLIGHT = 20_000
# A broker may restart meanwhile; one that is gone for longer is an error.
DELIVERY_S = 30.0
# Waiting this long for company costs a replay nothing and makes batches of hundreds.
LINGER_MS = 10


class Producer:
    """Sends records; use as a context manager, which flushes at the end. One thread at a time."""

    def __init__(self, url: str, *, delivery_s: float = DELIVERY_S) -> None:
        """Connect. Raises OperationError within ten seconds where no broker answers."""
        address = urls.parse(url)
        self._where = f"Kafka at {address} (REHUMAN_KAFKA_URL)"
        self._url = url
        self._delivery_s = delivery_s
        with connect(url) as client:
            # Without it a retry may repeat a record, or overtake one unless only one request is in flight.
            self.idempotent = asked(lambda: ApiKey.InitProducerId in _versions(client))
        try:
            self._producer = KafkaProducer(
                **address.client(),
                client_id="rehuman-producer",
                acks="all",
                enable_idempotence=self.idempotent,
                max_in_flight_requests_per_connection=5 if self.idempotent else 1,
                linger_ms=LINGER_MS,
                batch_size=256 * 1024,
                max_request_size=LARGE,
                max_block_ms=int(delivery_s * 1000),
                request_timeout_ms=int(delivery_s * 500),
                delivery_timeout_ms=int(delivery_s * 1000),
                bootstrap_timeout_ms=BOOTSTRAP_MS,
                allow_auto_create_topics=False,
                metrics_enabled=False,
            )
        except KafkaError as error:
            raise OperationError(f"{self._where} does not answer: {type(error).__name__}") from None
        self._free = threading.Semaphore(IN_FLIGHT)
        self._failure: OperationError | None = None
        self._partitions: dict[str, int] = {}

    def partitions(self, topic: str) -> int:
        """How many partitions a topic has. Raises OperationError where there is no such topic."""
        if topic not in self._partitions:
            # Not from the producer: it waits long for a topic that is missing, and Tansu then makes one.
            self._partitions[topic] = partitions_of(self._url, topic)
        return self._partitions[topic]

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        *,
        partition: int | None = None,
        headers: list[tuple[str, bytes]] | None = None,
    ) -> Any:
        """Send one record, to the key's partition or an explicit one; waits while too many are in flight.

        Returns kafka-python's future of where the record lies. Raises OperationError if an earlier record, or
        this one, cannot be delivered.
        """
        self._raise_failure()
        if partition is None and key is not None:
            partition = partition_of(key, self.partitions(topic))
        elif topic not in self._partitions:
            self.partitions(topic)
        if not self._free.acquire(timeout=self._delivery_s):
            raise OperationError(f"{self._where} has acknowledged nothing for {self._delivery_s:.0f} s")
        try:
            future = self._producer.send(topic, value, key, headers, partition)
        except (KafkaError, ValueError, AssertionError) as error:
            self._free.release()
            raise self._error(topic, error) from None
        future.add_callback(self._acknowledged)
        future.add_errback(self._failed, topic)
        return future

    def flush(self) -> None:
        """Return when everything sent is acknowledged. Raises OperationError where something is not."""
        try:
            self._producer.flush(self._delivery_s)
        except KafkaError as error:
            raise self._error("", error) from None
        self._raise_failure()

    def close(self) -> None:
        """Let go of the connections; what is not flushed may be lost."""
        self._producer.close(timeout=1)

    def __enter__(self) -> Producer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.flush()
        finally:
            self.close()

    def _acknowledged(self, _: Any) -> None:
        self._free.release()

    def _failed(self, topic: str, error: BaseException) -> None:
        self._failure = self._failure or self._error(topic, error)
        self._free.release()

    def _error(self, topic: str, error: BaseException) -> OperationError:
        # Only the error's name: its text may quote the record.
        what = f"did not take a record of {topic}" if topic else "did not acknowledge everything"
        return OperationError(f"{self._where} {what}: {type(error).__name__}")

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure


def _versions(client: KafkaAdminClient) -> Any:
    """What a broker can do: any of them, for one that was lost is named among them for a while."""
    for broker in client.describe_cluster()["brokers"]:
        try:
            return client.get_broker_version_data(broker["broker_id"]).api_versions
        except LOST:
            continue
    raise NodeNotReadyError
