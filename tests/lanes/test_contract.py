"""Every name inside Faust and aiokafka that the lanes rely on, without a broker: fails with name and reason.

After a change of a pinned version this file says what to look at again. What the names do is in
``test_contract_consumer.py`` and ``test_contract_producer.py``; what a whole worker does, in
``test_exact.py``.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import faust
import mode
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.client import AIOKafkaClient, ConnectionGroup, CoordinationType
from aiokafka.conn import AIOKafkaConnection, create_conn
from aiokafka.consumer import fetcher as fetching
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.consumer.subscription_state import Assignment, SubscriptionState, TopicPartitionState
from aiokafka.producer.message_accumulator import BatchBuilder, MessageAccumulator, MessageBatch
from aiokafka.producer.sender import Sender, SendProduceReqHandler
from faust.app.base import App
from faust.transport.consumer import Consumer as BaseConsumer
from faust.transport.consumer import ConsumerThread
from faust.transport.drivers.aiokafka import (
    AIOKafkaConsumerThread,
    Consumer,
    Transport,
    credentials_to_aiokafka_auth,
    server_list,
)
from mode.threads import QueueServiceThread, ServiceThread
from mode.worker import Worker

LANES = Path(__file__).resolve().parents[2] / "streams" / "lanes"


@pytest.mark.parametrize(
    ("package", "pinned"),
    [("faust-streaming", "0.15.3"), ("mode-streaming", "0.7.1"), ("aiokafka", "0.14.0")],
)
def test_the_versions_that_all_this_was_read_and_measured_on(package: str, pinned: str) -> None:
    assert version(package) == pinned, f"{package} has changed: go through streams/lanes, then pin it here"


# Whose, its name, its parameters, and what for.
def named(value: object) -> str:
    """The same in every process: functions by their names, not by where they lie."""
    return str(getattr(value, "__qualname__", value))[:40]


NAMES: list[tuple[Any, str, list[str], str]] = [
    (Consumer, "_new_consumer_thread", ["self"], "puts our thread into Faust's consumer"),
    (BaseConsumer, "_set_active_tps", ["self", "tps"], "lane partitions are left out of Faust's fetching"),
    (BaseConsumer, "resume_partitions", ["self", "tps"], "the same after a recovery"),
    (BaseConsumer, "on_partitions_revoked", ["self", "revoked"], "the lanes' checkpoint goes before it"),
    (BaseConsumer, "on_partitions_assigned", ["self", "assigned", "generation_id"], "lanes start after it"),
    (BaseConsumer, "on_start", ["self"], "the lanes' producer is ready after it"),
    (BaseConsumer, "on_stop", ["self"], "the last checkpoint goes before it"),
    (BaseConsumer, "verify_event_path", ["self", "now", "tp"], "would complain about idle lane partitions"),
    (AIOKafkaConsumerThread, "_create_worker_consumer", ["self", "transport"], "where the long poll is set"),
    (AIOKafkaConsumerThread, "_ensure_consumer", ["self"], "gives aiokafka's consumer"),
    (AIOKafkaConsumerThread, "getmany", ["self", "active_partitions", "timeout"], "gets a frozen set"),
    (AIOKafkaConsumerThread, "seek_to_committed", ["self"], "must not move lane partitions"),
    (AIOKafkaConsumerThread, "close", ["self"], "closed aiokafka from another thread's loop"),
    (AIOKafkaConsumerThread, "on_start", ["self"], "heartbeats are heard from then on"),
    (ConsumerThread, "on_partitions_assigned", ["self", "assigned", "generation_id"], "renews the lease"),
    (QueueServiceThread, "call_thread", ["self", "fun", "args", "kwargs"], "seeks in the consumer's thread"),
    (Transport, "__init__", ["self", "args", "kwargs"], "is given urls and app, and keeps the lanes"),
    (GroupCoordinator, "_do_heartbeat", ["self"], "an accepted heartbeat renews the lease"),
    (SubscriptionState, "fetch_context", ["self"], "without it the group expels an idle-looking member"),
    (fetching.Fetcher, "_notify", ["self", "future"], "wakes the pump and the fetcher"),
    (fetching.Fetcher, "_create_fetch_waiter", ["self"], "tells the pump of fetched data"),
    (fetching.Fetcher, "seek_to", ["self", "tp", "offset"], "the one seek of a lane"),
    (fetching.FetchResult, "check_assignment", ["self", "tp"], "drops what a seek has made stale"),
    (fetching.FetchResult, "has_more", ["self"], "whether there is anything left"),
    (fetching.FetchResult, "_update_position", ["self"], "moves the fetch position"),
    (fetching.FetchError, "check_raise", ["self"], "a partition's error ends the process"),
    (fetching.PartitionRecords, "_consumer_record", ["self", "tp", "record"], "is given slices of records"),
    (Assignment, "state_value", ["self", "tp"], "where the guard reads the position"),
    (AIOKafkaConsumer, "assignment", ["self"], "what is sought for Faust's own topics"),
    (AIOKafkaConsumer, "commit", ["self", "offsets"], "the lanes' own commits"),
    (AIOKafkaConsumer, "committed", ["self", "partition"], "where a lane begins; None where there is none"),
    (AIOKafkaConsumer, "beginning_offsets", ["self", "partitions"], "tells what retention has deleted"),
    (AIOKafkaConsumer, "end_offsets", ["self", "partitions"], "how far a restore reads"),
    (AIOKafkaConsumer, "highwater", ["self", "partition"], "the same on the embedded broker"),
    (AIOKafkaConsumer, "getmany", ["self", "partitions", "timeout_ms", "max_records"], "reads changelogs"),
    (AIOKafkaProducer, "send_batch", ["self", "batch", "topic", "partition"], "sends them"),
    (AIOKafkaProducer, "partitions_for", ["self", "topic"], "makes the client learn a topic's leaders"),
    (
        BatchBuilder,
        "__init__",
        [
            "self",
            "batch_size",
            "compression_type",
            "is_transactional",
            "key_serializer",
            "value_serializer",
        ],
        "makes our batches, compressed by topic",
    ),
    (BatchBuilder, "append", ["self", "timestamp", "key", "value", "headers"], "fills a batch"),
    (BatchBuilder, "close", ["self"], "nothing more goes into a batch"),
    (BatchBuilder, "record_count", ["self"], "counts its sequence numbers"),
    (
        BatchBuilder,
        "_set_producer_state",
        ["self", "producer_id", "producer_epoch", "base_sequence"],
        "stamps a batch with the fence's epoch in place of aiokafka's",
    ),
    (AIOKafkaClient, "send", ["self", "node_id", "request", "group"], "asks for producer ids and epochs"),
    (AIOKafkaClient, "coordinator_lookup", ["self", "coordinator_type", "coordinator_key"], "whom to ask"),
    (AIOKafkaClient, "get_random_node", ["self"], "any broker gives producer ids"),
    (AIOKafkaClient, "force_metadata_update", ["self"], "before it is tried again"),
    (AIOKafkaClient, "fetch_all_metadata", ["self"], "which topics there are"),
    (AIOKafkaConnection, "close", ["self", "reason", "exc"], "ends the one that asks why we are refused"),
    (App, "topic", ["self", "topics", *list(inspect.signature(App.topic).parameters)[2:]], "is subscribed"),
]


@pytest.mark.parametrize(("owner", "name", "parameters", "reason"), NAMES, ids=named)
def test_names(owner: Any, name: str, parameters: list[str], reason: str) -> None:
    found = getattr(owner, name, None)
    assert found is not None, f"{owner.__name__}.{name} is gone: {reason}"
    assert list(inspect.signature(found).parameters) == parameters, f"{owner.__name__}.{name}: {reason}"


# A place in the source, what must stand there, and what for.
ATTRIBUTES: list[tuple[Any, str, str]] = [
    (AIOKafkaConsumer.__init__, "self._fetch_max_wait_ms = ", "set before start"),
    (AIOKafkaConsumer.start, "fetch_max_wait_ms=self._fetch_max_wait_ms", "read at start"),
    (AIOKafkaConsumer.start, "self._fetcher = Fetcher(", "where the feed drains"),
    (AIOKafkaConsumer.start, "self._coordinator = GroupCoordinator(", "whose heartbeats renew the lease"),
    (fetching.Fetcher.__init__, "self._records = ", "what is fetched and not taken"),
    (fetching.Fetcher.__init__, "self._subscriptions = ", "assignment and positions"),
    (fetching.Fetcher.__init__, "self._wait_consume_future", "told when a partition's data are taken"),
    (fetching.Fetcher.error_future.fget, "self._fetch_task", "tells that the fetcher died"),
    (fetching.FetchResult.__init__, "self._partition_records = ", "the batches of one partition"),
    (fetching.PartitionRecords.__init__, "self._records_iterator = ", "what the drain reads"),
    (
        fetching.Fetcher._proc_fetch_request,
        "records = MemoryRecords(part_data[-1])",
        "keeps what was fetched",
    ),
    (fetching.Fetcher._proc_fetch_request, "records.size_in_bytes()", "the other thing asked of it"),
    (fetching.PartitionRecords.__init__, "self._records = records", "is given slices of its batches"),
    (fetching.PartitionRecords._unpack_records, "records = self._records\n", "looked up at the first record"),
    (fetching.PartitionRecords._unpack_records, "while records.has_next():", "how batches are asked for"),
    (fetching.PartitionRecords._unpack_records, "next_batch = records.next_batch()", "and taken"),
    (fetching.PartitionRecords._unpack_records, "for record in next_batch:", "a slice passes for a record"),
    (
        fetching.PartitionRecords._unpack_records,
        "if record.offset < self.next_fetch_offset:",
        "its last offset",
    ),
    (fetching.PartitionRecords._unpack_records, "self._consumer_record(tp, record)", "looked up per slice"),
    (
        fetching.PartitionRecords._unpack_records,
        "self.next_fetch_offset = record.offset + 1",
        "is left behind it",
    ),
    (TopicPartitionState.__init__, "self._position = None", "the guard compares it"),
    (TopicPartitionState.__init__, "self.highwater = ", "how far behind a lane is"),
    (GroupCoordinator._heartbeat_routine, "await self._do_heartbeat()", "looked up at each heartbeat"),
    (GroupCoordinator.commit_offsets, "raise Errors.CommitFailedError", "a refused commit raises"),
    (
        BaseConsumer._wait_next_records,
        "if is_client_only or active_partitions",
        "no fetching without streams",
    ),
    (ServiceThread.__init__, "self.thread_loop = ", "the loop that the feed runs in"),
    (Transport, "Consumer = Consumer", "the class that the transport makes consumers of"),
    (Consumer, "_thread: ", "where the registry finds the thread"),
    (faust.Worker.__init__, "self.spinner = ", "set to None: no animation among log lines"),
    (Worker._shutdown_loop, "if self.crash_reason:", "why a worker failed"),
    (
        mode.services.Service.stop,
        "await self.on_stop()\n            await self._stop_children()",
        "the thread lives while the lanes make their last checkpoint",
    ),
    (AIOKafkaProducer.__init__, "self.client = AIOKafkaClient(", "asks for producer ids and epochs"),
    (
        MessageAccumulator._pop_batch,
        "batch.set_producer_state(",
        "a batch is stamped once, when it is first sent",
    ),
    (
        MessageBatch.set_producer_state,
        "self._builder._set_producer_state(producer_id, producer_epoch, base_sequence)",
        "looked up on the builder, where the fence has put its own",
    ),
    (Sender._maybe_wait_for_pid, "self._txn_manager.transactional_id is not None", "a producer without one"),
    (SendProduceReqHandler.handle_response, "exc = ProducerFenced()", "an older epoch is refused for good"),
    (SendProduceReqHandler._can_retry, "self._sender._txn_manager is None and", "idempotent ones go on"),
]


@pytest.mark.parametrize(("owner", "text", "reason"), ATTRIBUTES, ids=named)
def test_attributes(owner: Any, text: str, reason: str) -> None:
    assert text in inspect.getsource(owner), f"{owner.__qualname__} without {text!r}: {reason}"


# Functions and values without an owner, and what for.
OTHERS: list[tuple[Any, str]] = [
    (server_list, "the brokers of the app's settings, for aiokafka's clients"),
    (credentials_to_aiokafka_auth, "TLS and passwords likewise"),
    (create_conn, "asks why a broker does not let us in"),
    (CoordinationType.TRANSACTION, "whose epochs fence"),
    (ConnectionGroup.COORDINATION, "apart from what is being produced"),
    (mode.CrashingSupervisor, "an agent that fails ends the process"),
]


def test_others() -> None:
    for found, reason in OTHERS:
        assert found is not None, reason


def foreign_private_names() -> Iterator[tuple[str, str]]:
    """Each private name in the lanes that is not of the object's own class: file and name."""
    for file in sorted(LANES.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Attribute) or not node.attr.startswith("_") or node.attr[1] == "_":
                continue
            if not (isinstance(node.value, ast.Name) and node.value.id == "self") and node.attr != "_exit":
                yield file.name, node.attr


def test_every_private_name_that_the_lanes_use_stands_above() -> None:
    pinned = {name for _, name, _, _ in NAMES} | {
        word.partition(" ")[0].rstrip("(:") for _, text, _ in ATTRIBUTES for word in text.split("self.")
    }
    used = set(foreign_private_names())
    assert len(used) > 15
    missing = {f"{file}: {name}" for file, name in used if name not in pinned}
    assert not missing, f"not in the contract, with a reason: {sorted(missing)}"


def test_every_method_that_the_lanes_override_stands_above() -> None:
    from streams.lanes.hooks import LaneConsumer, LaneConsumerThread, LaneTransport

    pinned = {name for _, name, _, _ in NAMES}
    for made in (LaneConsumer, LaneConsumerThread, LaneTransport):
        (base,) = made.__bases__
        overridden = {name for name, found in vars(made).items() if callable(found) and hasattr(base, name)}
        assert overridden - {"Consumer"} <= pinned, f"{made.__name__} overrides what is not in the contract"
