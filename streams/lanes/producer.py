"""The lanes' producer: batches built here, one open and one in flight per partition.

``aiokafka`` makes a future and several calls of every record; a lane needs one acknowledgement per batch.
While a batch is on its way the next one fills, so batches grow with the load and a single record leaves at
once. ``acks=all``; idempotent where the broker can give producer ids, and with one batch in flight a retry
cannot overtake another batch in any case. What has a fence (:mod:`streams.lanes.fence`) goes out under it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    IncompatibleBrokerVersion,
    KafkaError,
    NoError,
    ProducerFenced,
    UnknownTopicOrPartitionError,
    for_code,
)
from aiokafka.protocol.transaction import InitProducerIdRequest
from aiokafka.record.default_records import DefaultRecordBatch

from streams.clock import monotonic
from streams.errors import OperationError
from streams.kafka.partitioner import partition_of
from streams.lanes.api import Headers, Output
from streams.lanes.changelog import FENCE, pack
from streams.lanes.chunk import Place
from streams.lanes.fence import Fence, FencedBatch, fenced_out, raise_fence

__all__ = ["BatchProducer"]

# Half of the brokers' default limit for a batch (1 MiB), which counts what compression leaves.
BATCH_BYTES = 512 * 1024
# A broker may restart meanwhile; one that is away for longer ends the process.
DELIVERY_MS = 30_000
RETRY_S = 0.1
# What every client can read; and, for what our lanes alone read, half of that size.
PLAIN, DENSE = DefaultRecordBatch.CODEC_LZ4, DefaultRecordBatch.CODEC_ZSTD


class BatchProducer:
    """Owned by the lanes' event loop."""

    def __init__(
        self,
        client: Mapping[str, Any],
        *,
        unacknowledged_bytes: int,
        builder: Callable[[int], Any] = lambda codec: FencedBatch(BATCH_BYTES, codec),
    ) -> None:
        """``client``: the brokers and how to get in, as aiokafka's clients take it; ``builder`` makes an
        empty batch for a codec.
        """
        self._builder = builder
        self._client = dict(client)
        self._limit = unacknowledged_bytes
        self._producer: Any = None
        self._partitions: dict[str, int] = {}
        self._spools: dict[tuple[str, int], _Spool] = {}
        self._load = _Load()
        self._unkeyed = 0
        self._dense: set[str] = set()
        self.idempotent = False

    def dense(self, topics: Iterable[str]) -> None:
        """Topics that only lanes read."""
        self._dense.update(topics)

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
        """Ask for a producer id: the embedded broker lists the request and answers it with an error.

        Raises OperationError where the user may not have one, or nobody can say.
        """
        client = self._producer.client
        ask = InitProducerIdRequest(transactional_id=None, transaction_timeout_ms=DELIVERY_MS)
        deadline = monotonic() + DELIVERY_MS / 1000
        while True:
            try:
                answer = await client.send(client.get_random_node(), ask)
                error = for_code(answer.error_code)
            except IncompatibleBrokerVersion:
                return False
            except KafkaError as failure:
                error = type(failure)
            if error is ClusterAuthorizationFailedError:
                raise OperationError("Kafka denies a producer id: the user needs Write or IdempotentWrite")
            if not error.retriable:
                return bool(error is NoError)
            # One broker of several may be down, and one that has just started has no ids yet: that must not
            # pass for one that never has any.
            if monotonic() > deadline:
                raise OperationError(f"Kafka gives no producer ids: {error.__name__}")
            await asyncio.sleep(RETRY_S)

    def _new_producer(self, *, idempotent: bool) -> Any:
        return AIOKafkaProducer(
            **self._client,
            acks="all",
            enable_idempotence=idempotent,
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

    async def fence(self, place: Place) -> int:
        """Shut every former writer out of a partition; the offset below which all of theirs is.

        Returns 0 where the brokers cannot fence. Raises OperationError.
        """
        if not self.idempotent:
            return 0
        spool = self._spool(place.topic, place.partition)
        # What an earlier owner in this process has left goes before it, under the epoch that it had; or it
        # has found itself shut out, as it should.
        await spool.rest()
        if spool.fence is not None:
            spool = self._spools[place] = self._new_spool(*place)
        spool.fence = await raise_fence(self._producer.client, f"{place.topic}-{place.partition}")
        acknowledged = spool.add(FENCE, pack(0, None), ())
        # Not awaited itself: who is cancelled while waiting would cancel it.
        await asyncio.wait([acknowledged])
        acknowledged.result()
        return spool.offset

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
            spool = spools.get((topic, partition)) or self._spool(topic, partition)
            acknowledgements.add(spool.add(key, value, headers))
        if self._load.bytes > self._limit:
            await asyncio.wait(acknowledgements)
        return acknowledgements

    def _spool(self, topic: str, partition: int) -> _Spool:
        spool = self._spools.get((topic, partition))
        if spool is None:
            spool = self._spools[topic, partition] = self._new_spool(topic, partition)
        return spool

    def _new_spool(self, topic: str, partition: int) -> _Spool:
        codec = DENSE if topic in self._dense else PLAIN
        return _Spool(self._producer, self._load, topic, partition, lambda: self._builder(codec))

    def _spread(self, partitions: int) -> int:
        self._unkeyed += 1
        return self._unkeyed % partitions


class _Load:
    """Bytes of all spools that are not acknowledged."""

    def __init__(self) -> None:
        self.bytes = 0


class _Batch:
    def __init__(self, builder: Any) -> None:
        self.builder = builder
        self.bytes = 0
        self.acknowledged: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class _Spool:
    """One partition's batches, in order. After one that failed it takes nothing any more.

    Otherwise a position mark could arrive where the states before it did not.
    """

    def __init__(
        self, producer: Any, load: _Load, topic: str, partition: int, builder: Callable[[], Any]
    ) -> None:
        self._producer, self._load, self._topic, self._partition = producer, load, topic, partition
        self._builder = builder
        self.fence: Fence | None = None
        # The one after the last that was acknowledged.
        self.offset = 0
        self._open: _Batch | None = None
        self._closed: deque[_Batch] = deque()
        self._shipping: asyncio.Task[None] | None = None
        self._broken: Exception | None = None

    def add(self, key: bytes | None, value: bytes | None, headers: Headers) -> asyncio.Future[None]:
        if self._broken is not None:
            raise self._broken
        batch = self._open or self._begin()
        listed = list(headers)
        if batch.builder.append(timestamp=None, key=key, value=value, headers=listed) is None:
            self._closed.append(batch)
            batch = self._begin()
            # A batch takes its first record whatever its size; the broker judges that.
            batch.builder.append(timestamp=None, key=key, value=value, headers=listed)
        size = len(value) if value else 0
        batch.bytes += size
        self._load.bytes += size
        return batch.acknowledged

    def _begin(self) -> _Batch:
        batch = self._open = _Batch(self._builder())
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
                if self.fence is not None:
                    await self._stamp(batch.builder, self.fence)
                sent = await self._producer.send_batch(batch.builder, self._topic, partition=self._partition)
                at = await sent
                self.offset = at.offset + batch.builder.record_count()
                batch.acknowledged.set_result(None)
                self._load.bytes -= batch.bytes
        except ProducerFenced:
            self._break(batch, fenced_out(f"{self._topic}-{self._partition}"))
        except Exception as error:
            self._break(batch, error)
        finally:
            self._shipping = None

    def _break(self, batch: _Batch | None, error: Exception) -> None:
        self._broken = error
        for failed in (batch, *self._closed, self._open):
            if failed is not None and not failed.acknowledged.done():
                failed.acknowledged.set_exception(error)
                # Whoever waits for it hears it; where the lane is gone, nobody has to.
                failed.acknowledged.exception()
                self._load.bytes -= failed.bytes

    async def _stamp(self, builder: Any, fence: Fence) -> None:
        if fence.old():
            # Nothing of this partition is on its way now.
            fence = self.fence = await raise_fence(self._producer.client, fence.name, fence)
        builder.fence = fence

    async def rest(self) -> None:
        """Return when nothing is on its way."""
        if self._shipping is not None:
            await asyncio.wait([self._shipping])

    def cancel(self) -> None:
        if self._shipping is not None:
            self._shipping.cancel()
