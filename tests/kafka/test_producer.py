"""The producer and the lag on real brokers."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.structs import OffsetAndMetadata

from streams.embedded_broker import EmbeddedBroker
from streams.errors import OperationError
from streams.kafka import urls
from streams.kafka.admin import connect
from streams.kafka.lag import group_lag
from streams.kafka.partitioner import partition_of
from streams.kafka.producer import Producer


def _topic(url: str, name: str, partitions: int = 4) -> str:
    with connect(url) as client:
        client.create_topics({name: {"num_partitions": partitions, "replication_factor": 1}})
        client.wait_for_topics([name])
    return name


def _consumer(url: str, **options: object) -> KafkaConsumer:
    return KafkaConsumer(**urls.parse(url).client(), enable_auto_commit=False, **options)


def _read(
    url: str, topic: str, expected: int
) -> list[tuple[int, bytes, bytes, tuple[tuple[str, bytes], ...]]]:
    with _consumer(url) as consumer:
        partitions = [TopicPartition(topic, partition) for partition in range(4)]
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        found = []
        deadline = time.monotonic() + 20
        while len(found) < expected and time.monotonic() < deadline:
            for records in consumer.poll(timeout_ms=200).values():
                found += [(r.partition, r.key, r.value, tuple(r.headers)) for r in records]
    return found


@pytest.mark.parametrize(("key", "partition"), [(b"21", 6), (b"foobar", 6), (b"a-little-bit-long-string", 2)])
def test_the_partition_of_a_key_is_everyones(key: bytes, partition: int) -> None:
    """The hashes are those of the Java client's own test (Utils.murmur2), modulo eight."""
    hashes = {b"21": -973932308, b"foobar": -790332482, b"a-little-bit-long-string": -985981536}
    assert partition_of(key, 8) == (hashes[key] & 0x7FFFFFFF) % 8


def test_order_keys_and_explicit_partitions(broker_url: str) -> None:
    topic = _topic(broker_url, "order")
    with Producer(broker_url) as producer:
        assert producer.partitions(topic) == 4
        for number in range(3_000):
            producer.send(topic, b"key-%d" % (number % 7), b"%d" % number, headers=[("n", b"1")])
        for partition in range(4):
            producer.send(topic, None, b"tick", partition=partition)
    found = _read(broker_url, topic, 3_004)
    assert sorted(partition for partition, _, value, _ in found if value == b"tick") == [0, 1, 2, 3]
    events = [record for record in found if record[1]]
    assert len(events) == 3_000
    assert {record[3] for record in events} == {(("n", b"1"),)}
    for key in {record[1] for record in events}:
        mine = [record for record in events if record[1] == key]
        assert {record[0] for record in mine} == {partition_of(key, 4)}
        numbers = [int(record[2]) for record in mine]
        assert numbers == sorted(numbers)


def test_a_missing_topic_and_a_record_too_large(broker_url: str) -> None:
    topic = _topic(broker_url, "large")
    with Producer(broker_url, delivery_s=3) as producer:
        with pytest.raises(OperationError, match="topic nowhere is missing"):
            producer.send("nowhere", b"k", b"v")
        with pytest.raises(OperationError, match="did not take a record of large: MessageSizeTooLargeError"):
            producer.send(topic, b"k", bytes(9 * 1024 * 1024))


def test_a_broker_that_dies_is_an_error_not_a_loss(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path) as broker:
        topic = _topic(broker.url, "gone")
        producer = Producer(broker.url, delivery_s=2)
        producer.send(topic, b"k", b"v")
        producer.flush()
        broker.stop()
        producer.send(topic, b"k", b"v")
        with pytest.raises(OperationError, match=r"REHUMAN_KAFKA_URL"):
            producer.flush()
        producer.close()


def test_lag(broker_url: str) -> None:
    topic = _topic(broker_url, "lag")
    with Producer(broker_url) as producer:
        for _ in range(9):
            producer.send(topic, None, b"v", partition=1)
        producer.flush()
        # A batch of its own: Tansu's end of a partition is only right after one.
        producer.send(topic, None, b"v", partition=1)
    with connect(broker_url) as client:
        fresh = group_lag(client, "lag-group", [topic, "nowhere"])
        assert {key: lag.behind for key, lag in fresh.items()} == {
            (topic, 0): 0,
            (topic, 1): 10,
            (topic, 2): 0,
            (topic, 3): 0,
        }
        assert fresh[topic, 1].committed is None
        with _consumer(broker_url, group_id="lag-group") as consumer:
            consumer.assign([TopicPartition(topic, 1)])
            consumer.commit({TopicPartition(topic, 1): OffsetAndMetadata(7, "", -1)})
        lag = group_lag(client, "lag-group", [topic])[topic, 1]
        assert (lag.committed, lag.end, lag.behind) == (7, 10, 3)


def test_the_embedded_broker_starts_stops_and_starts(tmp_path: Path) -> None:
    began = time.monotonic()
    broker = EmbeddedBroker(tmp_path)
    broker.start()
    assert time.monotonic() - began < 5
    assert broker.alive()
    first = broker.pid
    broker.stop()
    broker.stop()
    assert not broker.alive()
    broker.start()
    assert broker.pid not in (None, first)
    assert broker.log_path.read_text()
    broker.stop()


def test_the_embedded_broker_dies_with_its_parent(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from streams.embedded_broker import EmbeddedBroker\n"
        "broker = EmbeddedBroker(Path(sys.argv[1])); broker.start()\n"
        "print(broker.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    pid = int(parent.stdout.readline())
    assert _running(pid)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 5
    while _running(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _running(pid)


def _running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
