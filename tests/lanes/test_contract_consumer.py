"""What the lanes rely on in Faust's and aiokafka's consumers, done without a broker."""

from __future__ import annotations

import asyncio
import inspect
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mode
import pytest
from aiokafka import TopicPartition
from aiokafka.consumer import fetcher as fetching
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import Assignment
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from faust.app.base import App
from faust.types import TP

from streams.errors import OperationError
from streams.kafka.urls import parse
from streams.lanes import LaneOptions, Record
from streams.lanes.app import make_app
from streams.lanes.chunk import Chunk, Place
from streams.lanes.feed import Feed
from streams.lanes.hooks import LaneConsumer, LaneConsumerThread
from streams.lanes.registry import Lanes
from streams.lanes.slices import Kept


def test_heartbeats_go_on_while_the_revoke_callback_waits() -> None:
    """A lane may take longer than a session for its last checkpoint."""
    source = inspect.getsource(GroupCoordinator.ensure_active_group)
    assert source.index("self._on_join_prepare") < source.index("self._stop_heartbeat_task")


def test_no_heartbeat_before_the_assigned_callback_has_returned() -> None:
    """The reason why restores are tasks of their own."""
    source = inspect.getsource(GroupCoordinator.ensure_active_group)
    assert source.index("self._do_rejoin_group") < source.index("self._start_heartbeat_task")
    assert "self._on_join_complete" in inspect.getsource(GroupCoordinator._do_rejoin_group)


def test_a_seek_drops_what_is_buffered() -> None:
    place = TopicPartition("t", 0)
    sought: list[tuple[TopicPartition, int]] = []
    fetcher = fetching.Fetcher.__new__(fetching.Fetcher)
    fetcher._subscriptions = SimpleNamespace(seek=lambda tp, offset: sought.append((tp, offset)))
    fetcher._records = OrderedDict({place: "buffered"})
    fetcher._wait_consume_future = None
    fetcher.seek_to(place, 7)
    assert sought == [(place, 7)]
    assert not fetcher._records


def fetched(assignment: Any, place: TopicPartition, count: int) -> Any:
    """``count`` records at offset 0, as a fetch response brings them."""
    builder = DefaultRecordBatchBuilder(2, 0, False, -1, -1, 0, 1 << 20)
    for offset in range(count):
        builder.append(offset, 1000 + offset, b"k%d" % offset, b"v%d" % offset, [("h", b"x")])
    batches = fetching.PartitionRecords(
        place, Kept(bytes(builder.build())), [], 0, None, None, True, fetching.READ_UNCOMMITTED
    )
    return fetching.FetchResult(place, assignment=assignment, partition_records=batches, backoff=0)


class Fetching:
    """A fetcher that has fetched, without a client."""

    def __init__(self) -> None:
        self.place = TopicPartition("t", 0)
        self.assignment = Assignment([self.place])
        self.state = self.assignment.state_value(self.place)
        self.notified: list[Any] = []
        self.fetcher = SimpleNamespace(
            _records=OrderedDict(),
            _subscriptions=SimpleNamespace(subscription=SimpleNamespace(assignment=self.assignment)),
            _wait_consume_future="consumed",
            _notify=self.notified.append,
            seek_to=lambda place, offset: self.state.seek(offset),
        )
        options = LaneOptions(chunk_records=4)
        loop = asyncio.get_running_loop()
        self.feed = Feed(SimpleNamespace(_fetcher=self.fetcher), loop, lambda error: None, options)

    async def open(self, *, headers: bool = False) -> None:
        # No pump: the tests drain by hand.
        self.feed._pumping = asyncio.get_running_loop().create_task(asyncio.sleep(0))
        await self.feed.open(Place("t", 0), 0, headers, lambda chunk: None)

    def drain(self) -> Chunk | None:
        return self.feed._drain(Place("t", 0), self.feed._taps[Place("t", 0)])


def run(test: Callable[[Fetching], Any]) -> None:
    async def main() -> None:
        await test(Fetching())

    asyncio.run(main())


def test_the_drain_takes_light_records_in_chunks_and_moves_the_position() -> None:
    async def test(it: Fetching) -> None:
        await it.open()
        assert it.drain() is None
        it.fetcher._records[it.place] = fetched(it.assignment, it.place, 6)
        it.state.highwater = 9
        chunk = it.drain()
        assert chunk is not None
        assert list(chunk.records) == [Record(n, 1000 + n, b"k%d" % n, b"v%d" % n) for n in range(4)]
        assert type(chunk.records[0]) is Record
        assert (chunk.position, chunk.end, it.state.position) == (4, 9, 4)
        assert "consumed" not in it.notified
        chunk = it.drain()
        assert chunk is not None
        assert ([record.offset for record in chunk.records], chunk.position) == ([4, 5], 6)
        assert not it.fetcher._records, "the fetcher fetches on only when its data are gone"
        assert "consumed" in it.notified

    run(test)


def test_a_batch_that_is_read_from_its_middle_on() -> None:
    """Brokers send whole batches, also where what is asked for begins within one."""

    async def test(it: Fetching) -> None:
        await it.open()
        it.feed._taps[Place("t", 0)].position = 3
        it.state.seek(3)
        found = fetched(it.assignment, it.place, 9)
        found._partition_records.next_fetch_offset = 3
        it.fetcher._records[it.place] = found
        read = []
        while it.fetcher._records:
            chunk = it.drain()
            assert chunk is not None
            read.append(([record.offset for record in chunk.records], chunk.position))
        assert read == [([3, 4, 5, 6], 7), ([7, 8], 9)]

    run(test)


def test_what_fails_its_checksum_is_not_read() -> None:
    async def test(it: Fetching) -> None:
        await it.open()
        builder = DefaultRecordBatchBuilder(2, 0, False, -1, -1, 0, 1 << 20)
        builder.append(0, 1000, b"k", b"value", [])
        raw = bytearray(builder.build())
        raw[-2] ^= 1
        batches = fetching.PartitionRecords(
            it.place, Kept(bytes(raw)), [], 0, None, None, True, fetching.READ_UNCOMMITTED
        )
        it.fetcher._records[it.place] = fetching.FetchResult(
            it.place, assignment=it.assignment, partition_records=batches, backoff=0
        )
        with pytest.raises(CorruptRecordException):
            it.drain()

    run(test)


def test_the_drain_gives_headers_to_those_who_ask() -> None:
    async def test(it: Fetching) -> None:
        await it.open(headers=True)
        it.fetcher._records[it.place] = fetched(it.assignment, it.place, 1)
        chunk = it.drain()
        assert chunk is not None
        assert chunk.records[0].headers == (("h", b"x"),)

    run(test)


def test_without_credit_records_stay_with_the_fetcher() -> None:
    async def test(it: Fetching) -> None:
        await it.open()
        it.fetcher._records[it.place] = fetched(it.assignment, it.place, 1)
        tap = it.feed._taps[Place("t", 0)]
        tap.credits = 0
        assert it.drain() is None
        it.feed.credit(Place("t", 0))
        assert it.drain() is not None

    run(test)


def test_a_lane_that_was_still_restoring_at_the_end_opens_nothing() -> None:
    """Its feed would read on while the group gives the partition to another, or under a closing consumer."""

    async def test(it: Fetching) -> None:
        await it.feed.close()
        await it.feed.open(Place("t", 0), 0, False, lambda chunk: None)
        assert not it.feed._taps
        assert it.feed._pumping is None

    run(test)


def test_the_guard_ends_it_when_anything_else_has_moved_the_position() -> None:
    async def test(it: Fetching) -> None:
        await it.open()
        it.state.seek(3)
        with pytest.raises(OperationError, match="position moved: t/0 is at 3, was left at 0"):
            it.drain()
        it.state.await_reset(0)
        with pytest.raises(OperationError, match="is at None"):
            it.drain()

    run(test)


def faust_app(directory: Path) -> tuple[Any, Lanes]:
    app = make_app(parse("kafka://127.0.0.1:1"), group="contract", data_dir=directory)
    lanes = Lanes(app)
    lanes.sink(topic="lane", make=lambda partition: pytest.fail("no lane starts here"))
    return app, lanes


@pytest.fixture
def app(tmp_path: Path) -> Any:
    """An app with a lane on the topic ``lane``; nothing is started."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        made, _ = faust_app(tmp_path)
        yield made
        made.consumer._thread.thread_loop.close()
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def test_faust_makes_our_consumer_and_subscribes_lane_topics(app: Any) -> None:
    assert isinstance(app.consumer, LaneConsumer)
    assert isinstance(app.consumer._thread, LaneConsumerThread)
    assert "lane" in app.loop.run_until_complete(app.topics._update_indices())


def test_faust_fetches_everything_but_lane_topics(app: Any) -> None:
    lane, other = TP("lane", 0), TP("other", 0)
    assert app.consumer._set_active_tps({lane, other}) == {other}
    app.consumer._set_active_tps(set())
    app.consumer.resume_partitions({lane, other})
    assert app.consumer._get_active_partitions() == {other}


def test_no_active_partitions_means_none_and_not_all(app: Any) -> None:
    """aiokafka takes an empty set for all partitions: records of lanes would be drained and dropped."""
    assert app.loop.run_until_complete(app.consumer._thread.getmany(set(), 1.0)) == {}


def test_no_seek_of_lane_partitions(app: Any) -> None:
    thread = app.consumer._thread
    thread._consumer = SimpleNamespace(assignment=lambda: {TopicPartition("lane", 0)})
    assert app.loop.run_until_complete(thread.seek_to_committed()) == {}


def test_the_long_poll_is_ours(app: Any) -> None:
    async def made() -> int:
        consumer = app.consumer._thread._create_worker_consumer(app.transport)
        wait: int = consumer._fetch_max_wait_ms
        consumer._closed = True
        await consumer._client.close()
        return wait

    assert app.loop.run_until_complete(made()) == LaneOptions().fetch_wait_ms


def test_the_options_that_faust_must_know(app: Any) -> None:
    conf = app.conf
    assert conf.broker_session_timeout == 10.0
    assert conf.broker_heartbeat_interval == pytest.approx(10.0 / 3)
    assert conf.topic_allow_declare is False
    assert conf.topic_disable_leader is True
    assert conf.web_tables_enabled is False
    assert conf.web_enabled is False
    assert conf.agent_supervisor is mode.CrashingSupervisor
    assert conf.processing_guarantee.name == "AT_LEAST_ONCE"
    assert App is type(app)
