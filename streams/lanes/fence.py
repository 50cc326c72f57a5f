"""The fence: a partition of a changelog has one writer, and the brokers see to it.

A process that is cut off or frozen past its session may still have states on their way: in a socket, or in a
producer that tries again for as long as it takes. If they arrived after the new owner's, they would be the
last of their keys, and a compaction before the next restore would take the state back. So each partition of
a changelog has a transactional id of its own (``<topic>-<partition>``). A new owner asks the brokers for its
next *epoch* and writes one record under it before it reads anything: from then on the partition's leader,
and whoever becomes it, refuses what bears an older epoch.

There are no transactions in this: batches are the usual idempotent ones, stamped with the id's producer and
epoch in place of aiokafka's own, so that a checkpoint costs what it did before. An owner asks for its next
epoch each hour, because a transactional id that nobody asks about is forgotten (after 7 days by default). It
names the one it has: who has been replaced is refused that, too.

Brokers without transactional ids (the embedded one) cannot fence. There the record with the highest position
wins at a restore, and a compaction in between is the gap.
"""

from __future__ import annotations

import asyncio

from aiokafka.client import AIOKafkaClient, ConnectionGroup, CoordinationType
from aiokafka.errors import (
    InvalidProducerEpoch,
    KafkaError,
    NoError,
    ProducerFenced,
    TransactionalIdAuthorizationFailed,
    for_code,
)
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import CompactString, Int16, Int32, Int64, Schema, TaggedFields

from streams.clock import monotonic
from streams.errors import OperationError

__all__ = ["Fence", "FencedBatch", "NextEpoch", "fenced_out", "raise_fence"]

# Well within the brokers' 7 days for an id and 1 day for a producer, even where these are set shorter.
RENEW_S = 3_600.0
# A coordinator moves with its broker within seconds, and is made when first asked for.
PATIENCE_S = 30.0
RETRY_S = 0.1
# The brokers want one; nothing here is ever left open.
TRANSACTION_MS = 60_000
SEQUENCES = 2**31


class _Answer(Response):  # type: ignore[misc]  # aiokafka has no types that are read here
    API_KEY = 22
    API_VERSION = 3
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("error_code", Int16),
        ("producer_id", Int64),
        ("producer_epoch", Int16),
        ("tags", TaggedFields),
    )


class _Ask(RequestStruct):  # type: ignore[misc]  # aiokafka has no types that are read here
    FLEXIBLE_VERSION = True
    API_KEY = 22
    API_VERSION = 3
    RESPONSE_TYPE = _Answer
    SCHEMA = Schema(
        ("transactional_id", CompactString("utf-8")),
        ("transaction_timeout_ms", Int32),
        ("producer_id", Int64),
        ("producer_epoch", Int16),
        ("tags", TaggedFields),
    )


class NextEpoch(Request[_Ask]):  # type: ignore[misc]  # aiokafka has no types that are read here
    """InitProducerId of Kafka 2.5: the next epoch, on condition that ``producer`` and ``epoch`` are the last.

    aiokafka has the first version only, which asks without a condition.
    """

    API_KEY = 22

    def __init__(self, name: str | None, producer: int = -1, epoch: int = -1) -> None:
        """``name`` None asks for a producer without a transactional id."""
        self._name, self._producer, self._epoch = name, producer, epoch

    def build(self, request_struct_class: type[_Ask]) -> _Ask:
        """See aiokafka."""
        return request_struct_class(self._name, TRANSACTION_MS, self._producer, self._epoch, {})


class Fence:
    """One owner's right to write to one partition. Belongs to the spool of that partition."""

    def __init__(self, name: str, producer: int, epoch: int) -> None:
        self.name, self.producer, self.epoch = name, producer, epoch
        self._sequence = 0
        self._raised = monotonic()

    def old(self) -> bool:
        """Whether it is time for the next epoch."""
        return monotonic() - self._raised > RENEW_S

    def next(self, records: int) -> int:
        """The number of the first of so many records that are sent now."""
        first = self._sequence
        self._sequence = (first + records) % SEQUENCES
        return first


class FencedBatch(BatchBuilder):  # type: ignore[misc]  # aiokafka has no types that are read here
    """aiokafka's batch, stamped for a fence when it is first sent, in the order of sending.

    Nothing here may refer back to the batch: half a megabyte would stay until the collector comes by.
    """

    fence: Fence | None = None

    def _set_producer_state(self, producer: int, epoch: int, sequence: int) -> None:
        if (fence := self.fence) is not None:
            producer, epoch, sequence = fence.producer, fence.epoch, fence.next(self.record_count())
        super()._set_producer_state(producer, epoch, sequence)


async def raise_fence(client: AIOKafkaClient, name: str, mine: Fence | None = None) -> Fence:
    """The next epoch of a transactional id; whoever had the last one is out with our first write.

    ``mine``: only if that is still the last. Raises OperationError where it is not, where the brokers deny
    the id, and where they do not answer.
    """
    ask = NextEpoch(name, mine.producer, mine.epoch) if mine else NextEpoch(name)
    deadline = monotonic() + PATIENCE_S
    while True:
        try:
            node = await client.coordinator_lookup(CoordinationType.TRANSACTION, name)
            answer = await client.send(node, ask, group=ConnectionGroup.COORDINATION)
            error = for_code(answer.error_code)
            if error is NoError:
                return Fence(name, answer.producer_id, answer.producer_epoch)
            raise error()
        except (ProducerFenced, InvalidProducerEpoch):
            raise fenced_out(name) from None
        except TransactionalIdAuthorizationFailed:
            raise OperationError(
                f"Kafka denies the transactional id {name}: the user needs Describe and Write for it"
            ) from None
        except NotImplementedError:
            raise OperationError("the brokers are older than Kafka 2.5 and cannot fence") from None
        except KafkaError as failure:
            # Anything else passes: a coordinator that moves, loads or is not made yet.
            if monotonic() > deadline:
                raise OperationError(
                    f"Kafka gives no producer for the transactional id {name}: {type(failure).__name__}"
                ) from None
        await asyncio.sleep(RETRY_S)
        await client.force_metadata_update()


def fenced_out(name: str) -> OperationError:
    """What ends a process that finds itself replaced."""
    return OperationError(f"another process has taken over {name}; nothing of ours was written after that")
