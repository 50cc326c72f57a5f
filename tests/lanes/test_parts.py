"""The small parts alone: the lease, commits together, batches, and what a failure tells."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaError
from kafka.partitioner.default import murmur2

from streams.errors import OperationError
from streams.kafka.partitioner import partition_of
from streams.lanes import Output
from streams.lanes.chunk import Place
from streams.lanes.commits import Commits
from streams.lanes.failure import describe
from streams.lanes.lease import Lease
from streams.lanes.producer import BatchProducer


def test_a_lease_holds_from_when_the_heartbeat_was_sent() -> None:
    now = 100.0
    lease = Lease(9.0, clock=lambda: now)
    assert not lease.held()
    lease.renew(100.0)
    now = 108.9
    assert lease.held()
    lease.renew(95.0)  # an answer that came late says nothing new
    assert lease.held()
    now = 109.0
    assert not lease.held()
    lease.renew(109.0)
    assert lease.held()


def test_who_waits_for_the_lease_goes_on_with_the_next_heartbeat() -> None:
    async def main() -> None:
        lease = Lease(9.0)
        waiting = asyncio.ensure_future(lease.hold())
        await asyncio.sleep(0.1)
        assert not waiting.done()
        lease.renew(asyncio.get_running_loop().time())
        await asyncio.wait_for(waiting, 1)

    asyncio.run(main())


def test_commits_that_come_while_one_is_on_its_way_go_together() -> None:
    sent: list[dict[Place, int]] = []

    async def commit(offsets: Mapping[Place, int]) -> None:
        sent.append(dict(offsets))
        await asyncio.sleep(0.01)

    async def main() -> None:
        commits = Commits(commit)
        first = asyncio.ensure_future(commits.commit(Place("t", 0), 5))
        await asyncio.sleep(0.001)
        await asyncio.gather(*(commits.commit(Place("t", number), number) for number in (1, 2, 3)), first)

    asyncio.run(main())
    assert sent == [{("t", 0): 5}, {("t", 1): 1, ("t", 2): 2, ("t", 3): 3}]


def test_a_refused_commit_reaches_everyone_who_waits_for_it() -> None:
    async def commit(offsets: Mapping[Place, int]) -> None:
        raise KafkaError("refused")

    async def main() -> None:
        commits = Commits(commit)
        waiting = [commits.commit(Place("t", number), 1) for number in range(3)]
        assert [type(error) for error in await asyncio.gather(*waiting, return_exceptions=True)] == [
            KafkaError
        ] * 3

    asyncio.run(main())


def test_a_refused_commit_that_all_have_given_up_is_nobodys_error() -> None:
    told: list[object] = []

    async def commit(offsets: Mapping[Place, int]) -> None:
        await asyncio.sleep(0.01)
        raise KafkaError("refused")

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["message"]))
        waiting = asyncio.ensure_future(Commits(commit).commit(Place("t", 0), 1))
        await asyncio.sleep(0.001)
        waiting.cancel()
        await asyncio.sleep(0.05)
        gc.collect()
        await asyncio.sleep(0)

    asyncio.run(main())
    assert told == []


class Builder:
    """A batch of at most three records."""

    def __init__(self) -> None:
        self.values: list[bytes] = []

    def append(
        self, *, timestamp: None, key: bytes | None, value: bytes, headers: list[Any]
    ) -> object | None:
        if len(self.values) == 3:
            return None
        self.values.append(value)
        return object()

    def close(self) -> None:
        return

    def record_count(self) -> int:
        return len(self.values)


class Sending:
    """An aiokafka producer that writes down its batches, and fails when told to."""

    def __init__(self) -> None:
        self.batches: list[tuple[str, int, list[bytes]]] = []
        self.failing = False

    async def send_batch(self, batch: Builder, topic: str, *, partition: int) -> asyncio.Future[Any]:
        sent: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self.failing:
            sent.set_exception(KafkaError("no leader"))
        else:
            self.batches.append((topic, partition, batch.values))
            asyncio.get_running_loop().call_soon(sent.set_result, SimpleNamespace(offset=0))
        return sent


def producer(sending: Sending) -> BatchProducer:
    made = BatchProducer({}, unacknowledged_bytes=1000, builder=lambda codec: Builder())
    made._producer = sending
    made._partitions = {"t": 4}
    return made


def outputs(*values: bytes) -> list[Output]:
    return [Output("t", 1, b"k", value) for value in values]


def test_batches_keep_the_order_and_are_acknowledged_as_a_whole() -> None:
    sending = Sending()

    async def main() -> None:
        waiting = await producer(sending).send(outputs(*(b"%d" % number for number in range(7))))
        assert len(waiting) == 3
        await asyncio.wait(waiting)

    asyncio.run(main())
    assert [values for _, _, values in sending.batches] == [[b"0", b"1", b"2"], [b"3", b"4", b"5"], [b"6"]]


def test_after_a_batch_that_failed_nothing_of_that_partition_is_sent() -> None:
    """A position mark must not arrive where the states before it did not."""
    sending = Sending()

    async def main() -> None:
        made = producer(sending)
        sending.failing = True
        (waiting,) = await made.send(outputs(b"state"))
        await asyncio.wait([waiting])
        assert isinstance(waiting.exception(), KafkaError)
        sending.failing = False
        with pytest.raises(KafkaError):
            await made.send(outputs(b"mark"))

    asyncio.run(main())
    assert sending.batches == []


def test_a_key_has_the_partition_that_every_client_gives_it() -> None:
    for number in range(200):
        key = b"customer-%d" % number
        assert partition_of(key, 8) == (murmur2(key) & 0x7FFFFFFF) % 8


def test_records_without_a_key_are_spread() -> None:
    sending = Sending()

    async def main() -> None:
        waiting = await producer(sending).send([Output("t", None, None, b"x") for _ in range(8)])
        await asyncio.wait(waiting)

    asyncio.run(main())
    assert sorted(partition for _, partition, _ in sending.batches) == [0, 1, 2, 3]


def test_a_failure_tells_nothing_that_a_record_may_hold() -> None:
    assert describe(OperationError("topic t does not exist")) == "topic t does not exist"
    assert describe(ValueError("customer 21")) == "ValueError"
    assert describe(KafkaError("refused")) == "KafkaError: refused"
