"""The lanes' producer: batches built here, one open and one in flight per partition.

``aiokafka`` makes a future and several calls of every record; a lane needs one acknowledgement per batch.
While a batch is on its way the next one fills, so batches grow with the load and a single record leaves at
once. ``acks=all``; idempotent where the broker can give producer ids, and with one batch in flight a retry
cannot overtake another batch in any case.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.codec import has_lz4
from aiokafka.errors import IncompatibleBrokerVersion, NoError, UnknownTopicOrPartitionError, for_code
from aiokafka.protocol.transaction import InitProducerIdRequest

from streams.errors import OperationError
from streams.kafka.partitioner import partition_of
from streams.lanes.api import Output

__all__ = ["BatchProducer"]

# Half of the brokers' default limit for a batch (1 MiB), which counts what compression leaves.
BATCH_BYTES = 512 * 1024
# A broker may restart meanwhile; one that is away for longer ends the process.
DELIVERY_MS = 30_000


class BatchProducer:
    """Owned by the lanes' event loop."""

    def __init__(self, client: Mapping[str, Any], *, unacknowledged_bytes: int) -> None:
        """``client``: the brokers and how to get in, as aiokafka's clients take it."""
        self._client = dict(client)
        self._limit = unacknowledged_bytes
        self._producer: Any = None
        self._partitions: dict[str, int] = {}
        self._spools: dict[tuple[str, int], _Spool] = {}
        self._unkeyed = 0
        self.idempotent = False

    async def start(self) -> None:
        """Connect. Raises ``aiokafka``'s KafkaError when no broker answers."""
        self._producer = self._new_producer(idempotent=False)
        await self._producer.start()
        self.idempotent = await self._gives_ids()
        if self.idempotent:
            await self._producer.stop()
            self._producer = self._new_producer(idempotent=True)
            await self._producer.start()

    async def _gives_ids(self) -> bool:
        """Ask for a producer id: the embedded broker lists the request and answers it with an error."""
        client = self._producer.client
        ask = InitProducerIdRequest(transactional_id=None, transaction_timeout_ms=DELIVERY_MS)
        try:
            answer = await client.send(client.get_random_node(), ask)
        except IncompatibleBrokerVersion:
            return False
        return bool(for_code(answer.error_code) is NoError)

    def _new_producer(self, *, idempotent: bool) -> Any:
        return AIOKafkaProducer(
            **self._client,
            acks="all",
            enable_idempotence=idempotent,
            # Its codec package is optional; without one JSON travels as it is.
            compression_type="lz4" if has_lz4() else None,
            max_batch_size=BATCH_BYTES,
            request_timeout_ms=DELIVERY_MS,
        )

    async def stop(self) -> None:
        """Close the connections. What is not acknowledged is not waited for."""
        for spool in self._spools.values():
            spool.cancel()
        if self._producer is not None:
            await self._producer.stop()

    async def partitions(self, topic: str) -> int:
        """How many partitions a topic has. Raises OperationError when there is no such topic."""
        known = self._partitions.get(topic)
        if known is None:
            cluster = await self._producer.client.fetch_all_metadata()
            found = cluster.partitions_for_topic(topic)
            if not found:
                raise OperationError(f"topic {topic} does not exist")
            try:
                await self._producer.partitions_for(topic)
            except UnknownTopicOrPartitionError:
                raise OperationError(f"topic {topic} does not exist") from None
            known = self._partitions[topic] = len(found)
        return known

    async def send(self, outputs: Iterable[Output]) -> set[asyncio.Future[None]]:
        """Take outputs, in order, and return what tells that all of them are acknowledged.

        Waits while too much is unacknowledged. Raises OperationError for a topic that does not exist.
        """
        spools = self._spools
        acknowledgements: set[asyncio.Future[None]] = set()
        for topic, partition, key, value, headers in outputs:
            count = self._partitions.get(topic) or await self.partitions(topic)
            if partition is None:
                partition = self._spread(count) if key is None else partition_of(key, count)
            spool = spools.get((topic, partition))
            if spool is None:
                spool = spools[topic, partition] = _Spool(self._producer, topic, partition)
            acknowledgements.add(spool.add(key, value, list(headers)))
        if self._waiting() > self._limit:
            await asyncio.wait(acknowledgements)
        return acknowledgements

    def _spread(self, partitions: int) -> int:
        self._unkeyed += 1
        return self._unkeyed % partitions

    def _waiting(self) -> int:
        return sum(spool.bytes for spool in self._spools.values())


class _Batch:
    def __init__(self, builder: Any) -> None:
        self.builder = builder
        self.bytes = 0
        self.acknowledged: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class _Spool:
    """One partition's batches, in order. After one that failed it takes nothing any more.

    Otherwise a position mark could arrive where the states before it did not.
    """

    def __init__(self, producer: Any, topic: str, partition: int) -> None:
        self._producer, self._topic, self._partition = producer, topic, partition
        self._open: _Batch | None = None
        self._closed: deque[_Batch] = deque()
        self._shipping: asyncio.Task[None] | None = None
        self._broken: Exception | None = None
        self.bytes = 0

    def add(
        self, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]]
    ) -> asyncio.Future[None]:
        if self._broken is not None:
            raise self._broken
        batch = self._open or self._begin()
        if batch.builder.append(timestamp=None, key=key, value=value, headers=headers) is None:
            self._closed.append(batch)
            batch = self._begin()
            # A batch takes its first record whatever its size; the broker judges that.
            batch.builder.append(timestamp=None, key=key, value=value, headers=headers)
        size = len(value) if value else 0
        batch.bytes += size
        self.bytes += size
        return batch.acknowledged

    def _begin(self) -> _Batch:
        batch = self._open = _Batch(self._producer.create_batch())
        if self._shipping is None:
            # It runs when the caller next waits: by then all of a chunk's outputs are in.
            self._shipping = asyncio.get_running_loop().create_task(self._ship())
        return batch

    def _take(self) -> _Batch | None:
        if self._closed:
            return self._closed.popleft()
        batch, self._open = self._open, None
        return batch

    async def _ship(self) -> None:
        batch = None
        try:
            while batch := self._take():
                batch.builder.close()
                sent = await self._producer.send_batch(batch.builder, self._topic, partition=self._partition)
                await sent
                batch.acknowledged.set_result(None)
                self.bytes -= batch.bytes
        except Exception as error:
            self._broken = error
            for failed in (batch, *self._closed, self._open):
                if failed is not None and not failed.acknowledged.done():
                    failed.acknowledged.set_exception(error)
        finally:
            self._shipping = None

    def cancel(self) -> None:
        if self._shipping is not None:
            self._shipping.cancel()
