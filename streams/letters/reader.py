"""Reads the topic of dead letters as it is now, and single records of any topic."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from streams.clock import monotonic
from streams.errors import OperationError
from streams.kafka import urls
from streams.kafka.admin import BOOTSTRAP_MS, REQUEST_MS, asked, connect
from streams.kafka.closing import close
from streams.settings import Settings

__all__ = ["Progress", "Reader"]

# Called with how many records are read, and of how many.
Progress = Callable[[int, int], None]

POLL_MS = 200
# A broker that says nothing for so long while records are missing has failed.
SILENCE_S = 30.0


class Reader:
    """Use as a context manager. Raises OperationError where the brokers fail or the topic is missing."""

    def __init__(self, settings: Settings) -> None:
        self.topic = settings.topics.dead_letters
        self._address = urls.parse(settings.kafka_url)
        with connect(settings.kafka_url) as client:
            # Asked first, because a consumer waits for a topic that is missing, and Tansu makes it.
            (found,) = asked(lambda: client.describe_topics([self.topic]))
        if not found["partitions"]:
            raise OperationError(f"topic {self.topic} is missing: run 'rehuman topics create'")
        self.places = [TopicPartition(self.topic, number) for number in range(len(found["partitions"]))]
        self._consumer = self._connect()
        self._fetcher: Any = None
        self._seen: set[Any] = set()
        try:
            self._starts: dict[Any, int] = self._consumer.beginning_offsets(self.places)
            self._ends: dict[Any, int] = self._consumer.end_offsets(self.places)
        except KafkaError as error:
            raise self._failed(error) from None

    def __enter__(self) -> Reader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for consumer in (self._consumer, self._fetcher):
            if consumer is not None:
                close(consumer)

    def span(self, partition: int) -> tuple[int, int]:
        """The first offset that a partition holds, and the one after its last."""
        place = TopicPartition(self.topic, partition)
        return self._starts[place], self._ends[place]

    def records(self, progress: Progress, starts: Mapping[int, int] | None = None) -> Iterator[Any]:
        """Every record up to where the topic ended when this was made; by partition in order of offset.

        ``starts`` names partitions and where to begin in each; the others are left out.
        """
        begin = {
            place: max(self._starts[place], 0 if starts is None else starts[place.partition])
            for place in self.places
            if starts is None or place.partition in starts
        }
        total = sum(max(0, self._ends[place] - first) for place, first in begin.items())
        done = 0
        try:
            waiting = [place for place, first in begin.items() if first < self._ends[place]]
            self._consumer.assign(waiting)
            # Read a second time they are as the first reading left them.
            self._consumer.resume(*waiting)
            for place in waiting:
                self._consumer.seek(place, begin[place])
            heard = monotonic()
            while waiting:
                batches = self._consumer.poll(timeout_ms=POLL_MS)
                for place, batch in batches.items():
                    end = self._end(place)
                    for record in batch:
                        if record.offset < end:
                            done += 1
                            yield record
                    if self._consumer.position(place) >= end and place in waiting:
                        self._consumer.pause(place)
                        waiting.remove(place)
                if batches:
                    heard = monotonic()
                elif waiting and monotonic() - heard > SILENCE_S:
                    raise OperationError(f"Kafka at {self._address} (REHUMAN_KAFKA_URL) gives no records")
                progress(done, max(total, done))
        except KafkaError as error:
            raise self._failed(error) from None

    def _end(self, place: Any) -> int:
        """Where the topic ended when it was first read, whatever has come since."""
        if place not in self._seen:
            self._seen.add(place)
            # The embedded broker tells an end that lies within its last batch; a fetch brings the true one.
            self._ends[place] = max(self._ends[place], self._consumer.highwater(place) or 0)
        return self._ends[place]

    def fetch(self, topic: str, partition: int, offset: int) -> Any | None:
        """One record of any topic; None where it is not kept any more."""
        if self._fetcher is None:
            self._fetcher = self._connect()
        place = TopicPartition(topic, partition)
        try:
            self._fetcher.assign([place])
            first = self._fetcher.beginning_offsets([place])[place]
            end = self._fetcher.end_offsets([place])[place]
            if offset < first or end <= first:
                return None
            # The true end comes with the last batch (see _end): read that where the offset is beyond.
            self._fetcher.seek(place, min(offset, end - 1))
            began = monotonic()
            while monotonic() - began < SILENCE_S:
                for record in self._fetcher.poll(timeout_ms=POLL_MS).get(place, ()):
                    if record.offset >= offset:
                        return record if record.offset == offset else None
                end = max(end, self._fetcher.highwater(place) or 0)
                if self._fetcher.position(place) >= end:
                    return None
        except KafkaError as error:
            raise self._failed(error) from None
        raise OperationError(f"Kafka at {self._address} (REHUMAN_KAFKA_URL) gives no records")

    def _connect(self) -> Any:
        try:
            return KafkaConsumer(
                **self._address.client(),
                client_id="rehuman-dead-letters",
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                bootstrap_timeout_ms=BOOTSTRAP_MS,
                request_timeout_ms=REQUEST_MS,
                max_poll_records=2_000,
                allow_auto_create_topics=False,
            )
        except KafkaError as error:
            raise self._failed(error) from None

    def _failed(self, error: KafkaError) -> OperationError:
        # Only the error's name: its text may quote a record.
        return OperationError(f"Kafka at {self._address} (REHUMAN_KAFKA_URL) failed: {type(error).__name__}")
