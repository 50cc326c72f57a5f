"""Policies in force: read from the settings' file, seeded as version 1, activated through the log.

The compacted policy topic holds every version's text by its number, and in its headers from when it holds and
whether every partition was told. A version becomes active by a record in the events' log that goes to every
partition and carries the whole text, so that the log alone tells how each event was scored.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from detectors.policy import DEFAULT_TEXT, Policy, PolicyError, parse
from detectors.vocabulary import ACTIVATION
from streams.errors import OperationError, SettingError
from streams.kafka import urls
from streams.settings import Settings
from streams.sources.api import rfc3339

if TYPE_CHECKING:
    from streams.kafka.producer import Producer

__all__ = [
    "Published",
    "activate",
    "activation_record",
    "configured",
    "history",
    "newest",
    "published",
    "read",
    "remember",
    "seed",
    "versions",
]

SOURCE = "rehuman/policy"
# The first version scores all of history: events of 1999 too are scored by some policy.
BEGINNING = 0
READ_MS = 5_000
# Headers of a version's record: from when it holds (ms), and "1" once every partition was told.
SINCE, COMPLETE = "from", "complete"


class Published(NamedTuple):
    """A published version."""

    version: int
    text: str
    since: int  # ms: it holds for events at or after
    complete: bool  # every partition was told
    stored: int = 0  # ms, by the broker's clock


def configured(settings: Settings) -> Policy:
    """The settings' policy file, or the built-in policy. Raises SettingError naming key and file."""
    return parse(DEFAULT_TEXT) if settings.policy is None else read("REHUMAN_POLICY", settings.policy)


def read(setting: str, path: Path) -> Policy:
    """The policy of a file. Raises SettingError naming the setting that gave it, and the key."""
    try:
        return parse(path.read_text("utf-8"))
    except OSError as error:
        raise SettingError(setting, str(error.strerror), "a file that can be read") from None
    except UnicodeDecodeError:
        raise SettingError(setting, "a file that is not UTF-8", "a policy file (TOML)") from None
    except PolicyError as error:
        raise SettingError(f"{setting}: {error.key}", error.found, error.expected) from None


def activation_record(policy: Policy, time_ms: int) -> bytes:
    """The record by which ``policy`` holds for events at or after ``time_ms``."""
    return msgspec.json.encode(
        {
            "specversion": "1.0",
            "id": f"policy/{policy.version}/{time_ms}",
            "source": SOURCE,
            "type": ACTIVATION,
            "time": rfc3339(time_ms),
            "data": {"version": policy.version, "policy": policy.text},
        }
    )


def seed(settings: Settings) -> bool:
    """Publish and activate the configured policy where no version is published yet; True if it was."""
    if versions(settings):
        return False
    # Reading a policy must not take the time to load a client.
    from streams.kafka.producer import Producer

    policy = configured(settings)
    with Producer(settings.kafka_url) as producer:
        # Only once it is active: a crash between the two activates the same policy twice, which is once.
        activate(settings, producer, policy, BEGINNING)
        remember(settings, producer, Published(policy.version, policy.text, BEGINNING, True))
    return True


def activate(settings: Settings, producer: Producer, policy: Policy, since: int) -> int:
    """Tell every partition of the events' log; how many there are."""
    record, topic = activation_record(policy, since), settings.topics.events
    partitions = producer.partitions(topic)
    for partition in range(partitions):
        producer.send(topic, None, record, partition=partition)
    producer.flush()
    return partitions


def remember(settings: Settings, producer: Producer, entry: Published) -> None:
    """Put a version into the policies' topic."""
    key, text = str(entry.version).encode(), entry.text.encode()
    told = [(SINCE, str(entry.since).encode()), (COMPLETE, b"1" if entry.complete else b"0")]
    producer.send(settings.topics.policy, key, text, partition=0, headers=told)
    producer.flush()


def versions(settings: Settings) -> dict[int, str]:
    """Every published version and its text. Raises OperationError where the brokers do not answer."""
    return {version: found.text for version, found in published(settings).items()}


def published(settings: Settings) -> dict[int, Published]:
    """Every published version by its number, in order. Raises OperationError as :func:`versions` does."""
    return newest(history(settings))


def newest(told: Iterable[Published]) -> dict[int, Published]:
    """What was said last of each version, by its number, in order."""
    return dict(sorted({entry.version: entry for entry in told}.items()))


def history(settings: Settings) -> list[Published]:
    """All that is said of versions, in its order; of long ago only what was said last."""
    return [_published(record) for record in _records(settings)]


def _published(record: Any) -> Published:
    told = dict(record.headers)
    since = int(told.get(SINCE, BEGINNING))
    complete = told.get(COMPLETE, b"1") == b"1"
    return Published(int(record.key), record.value.decode("utf-8"), since, complete, record.timestamp)


def _records(settings: Settings) -> list[Any]:
    """The records of the policies' topic, as kafka-python gives them."""
    from kafka import KafkaConsumer, TopicPartition
    from kafka.errors import KafkaError

    from streams.kafka.closing import close

    place = TopicPartition(settings.topics.policy, 0)
    found: list[Any] = []
    try:
        consumer = KafkaConsumer(
            **urls.parse(settings.kafka_url).client(),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            consumer_timeout_ms=READ_MS,
        )
        try:
            consumer.assign([place])
            end = consumer.end_offsets([place])[place]
            consumer.seek_to_beginning(place)
            while True:
                batches = consumer.poll(timeout_ms=READ_MS // 10)
                # An empty poll as well: the embedded broker tells an end that lies within its last batch.
                if not batches and consumer.position(place) >= end:
                    break
                for records in batches.values():
                    found += [record for record in records if record.key and record.value]
        finally:
            close(consumer)
    except KafkaError as error:
        address = urls.parse(settings.kafka_url)
        raise OperationError(
            f"Kafka at {address} (REHUMAN_KAFKA_URL) fails to give the policies: {type(error).__name__}"
        ) from None
    return found
