"""What the lanes rely on in aiokafka's producer, done without a broker."""

from __future__ import annotations

import asyncio
import gc
import struct
import weakref
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import (
    IncompatibleBrokerVersion,
    InvalidProducerEpoch,
    NotLeaderForPartitionError,
    ProducerFenced,
)
from aiokafka.producer.message_accumulator import MessageAccumulator
from aiokafka.producer.sender import Sender, SendProduceReqHandler
from aiokafka.producer.transaction_manager import TransactionManager

from streams.lanes.fence import SEQUENCES, Fence, FencedBatch, NextEpoch
from streams.lanes.producer import DENSE

PLACE = TopicPartition("t", 0)
MINE = (41, 3)


class Stamp(NamedTuple):
    """Where a batch of format 2 says who has sent it."""

    producer: int
    epoch: int
    sequence: int
    records: int

    @staticmethod
    def of(raw: bytes) -> Stamp:
        return Stamp(*struct.unpack_from(">qhii", raw, 43))


class Sending:
    """aiokafka's idempotent producer up to where it would send."""

    def __init__(self) -> None:
        self.manager = TransactionManager(None, 60_000)
        self.manager.set_pid_and_epoch(7, 0)
        cluster = SimpleNamespace(leader_for_partition=lambda place: 1)
        self.accumulator = MessageAccumulator(cluster, 1 << 20, 0, 30, txn_manager=self.manager)
        self.sender = Sender(
            None,
            acks=-1,
            txn_manager=self.manager,
            message_accumulator=self.accumulator,
            retry_backoff_ms=1,
            request_timeout_ms=1_000,
        )

    async def batch(self, fence: Fence | None, records: int) -> Any:
        """Put a batch of so many records in, and take it out as it would be sent."""
        builder = FencedBatch(1 << 20, DENSE)
        for number in range(records):
            builder.append(timestamp=None, key=b"k", value=b"%d" % number, headers=[])
        builder.close()
        builder.fence = fence
        await self.accumulator.add_batch(builder, PLACE, 1)
        return self.drained()

    def drained(self) -> Any:
        batches, unknown = self.accumulator.drain_by_nodes(set())
        assert not unknown
        return batches[1][PLACE]

    def answer(self, batch: Any, error: int) -> SendProduceReqHandler:
        """What becomes of a batch when the broker answers so."""
        handler = SendProduceReqHandler(self.sender, {PLACE: batch})
        handler._client = SimpleNamespace(force_metadata_update=lambda: None)
        handler.handle_response(SimpleNamespace(API_VERSION=7, topics=[("t", [(0, error, 5, -1, 0)])]))
        return handler


def test_a_batch_that_was_sent_is_gone_at_once() -> None:
    """It is no part of a cycle: half a megabyte each would stay until the collector comes by."""

    async def sent(sending: Sending) -> None:
        batch = await sending.batch(Fence("t-0", 42, 3), 5)
        gone = weakref.ref(batch._builder)
        sending.answer(batch, 0)
        gc.disable()
        try:
            await batch.future
            del batch
            # The accumulator hears of it from the loop.
            await asyncio.sleep(0)
            assert gone() is None
        finally:
            gc.enable()

    run(sent)


def run(test: Callable[[Sending], Awaitable[None]]) -> None:
    async def main() -> None:
        await test(Sending())

    asyncio.run(main())


def test_a_fenced_batch_bears_our_producer_epoch_and_sequence() -> None:
    async def test(it: Sending) -> None:
        fence = Fence("t-0", *MINE)
        stamps = [Stamp.of((await it.batch(fence, records)).get_data_buffer()) for records in (3, 2, 4)]
        assert stamps == [(*MINE, 0, 3), (*MINE, 3, 2), (*MINE, 5, 4)]
        plain = Stamp.of((await it.batch(None, 1)).get_data_buffer())
        assert plain[:2] == (7, 0), "others keep aiokafka's own"

    run(test)


def test_sequences_begin_again_at_nought() -> None:
    async def test(it: Sending) -> None:
        fence = Fence("t-0", *MINE)
        fence._sequence = SEQUENCES - 2
        stamps = [Stamp.of((await it.batch(fence, 3)).get_data_buffer()) for _ in range(2)]
        assert [stamp.sequence for stamp in stamps] == [SEQUENCES - 2, 1]

    run(test)


def test_a_batch_that_is_sent_again_is_the_same() -> None:
    async def test(it: Sending) -> None:
        fence = Fence("t-0", *MINE)
        batch = await it.batch(fence, 3)
        first = bytes(batch.get_data_buffer())
        handler = it.answer(batch, NotLeaderForPartitionError.errno)
        assert handler._to_reenqueue == [batch]
        it.accumulator.reenqueue(batch)
        again = it.drained()
        assert again is batch
        assert bytes(again.get_data_buffer()) == first
        assert Stamp.of((await it.batch(fence, 1)).get_data_buffer()).sequence == 3

    run(test)


def test_an_older_epoch_is_refused_for_good() -> None:
    async def test(it: Sending) -> None:
        batch = await it.batch(Fence("t-0", *MINE), 1)
        handler = it.answer(batch, InvalidProducerEpoch.errno)
        assert handler._to_reenqueue == []
        assert isinstance(batch.future.exception(), ProducerFenced)

    run(test)


def test_an_acknowledgement_tells_the_offset() -> None:
    """A restore reads to the fence at least."""

    async def test(it: Sending) -> None:
        batch = await it.batch(Fence("t-0", *MINE), 1)
        it.answer(batch, 0)
        assert batch.future.result().offset == 5

    run(test)


def test_the_next_epoch_is_asked_for_on_a_condition() -> None:
    request = NextEpoch("t-0", *MINE).prepare({22: (0, 6)})
    assert (request.API_KEY, request.API_VERSION) == (22, 3)
    assert request.encode() == b"\x04t-0" + struct.pack(">iqh", 60_000, *MINE) + b"\x00"
    assert NextEpoch(None).prepare({22: (0, 3)}).encode()[:1] == b"\x00"
    answer = request.RESPONSE_TYPE.decode(struct.pack(">ihqh", 0, 0, 41, 4) + b"\x00")
    assert (answer.error_code, answer.producer_id, answer.producer_epoch) == (0, 41, 4)
    header = request.build_request_header(correlation_id=1, client_id="c").encode()
    assert header.endswith(b"c\x00"), "the header of a flexible version ends in tags"


def test_brokers_that_are_too_old_are_told_apart() -> None:
    with pytest.raises(IncompatibleBrokerVersion):
        NextEpoch("t-0").prepare({})
    with pytest.raises(NotImplementedError):
        NextEpoch("t-0").prepare({22: (0, 2)})
