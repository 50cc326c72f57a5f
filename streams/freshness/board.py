"""The board: a compacted topic where each worker writes what it saw, and reads what the others did.

Key: the source; value: the event time in ms when it was last seen, as decimal digits; no value: forgotten.
Every worker reads all of it from its beginning, without a group, so that a restart knows what was known.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams import metrics
from streams.freshness.sources import Sources
from streams.lanes.api import Output

__all__ = ["Board"]

# Ticks are a second apart.
POLL_MS = 1_000


class Board:
    """One worker's view."""

    def __init__(self, topic: str, sources: Sources) -> None:
        self._topic = topic
        self._sources = sources
        # Until everything there was has been read, a source may look older than it is.
        self.read = False

    async def follow(self, client: Mapping[str, Any], stopped: Callable[[], bool]) -> None:
        """Read for as long as the worker lives. Raises aiokafka's KafkaError."""
        consumer = AIOKafkaConsumer(
            **client,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=POLL_MS,
        )
        await consumer.start()
        try:
            place = TopicPartition(self._topic, 0)
            consumer.assign([place])
            await consumer.seek_to_beginning(place)
            end = (await consumer.end_offsets([place]))[place]
            while not stopped():
                fetched = await consumer.getmany(place, timeout_ms=POLL_MS)
                for record in fetched.get(place, ()):
                    self._hear(record.key, record.value)
                # The embedded broker gives an end that is inside the last batch; a fetch brings the true one.
                end = max(end, consumer.highwater(place) or 0)
                self.read = self.read or await consumer.position(place) >= end
        finally:
            await consumer.stop()

    async def tell(self, now: int, send: Callable[[Iterable[Output]], Awaitable[Any]]) -> list[str]:
        """Write what is new; the sources that are silent at ``now`` (ms by the wall clock)."""
        outputs = []
        for source, time in self._sources.news(now):
            value = None if time is None else b"%d" % time
            outputs.append(Output(self._topic, 0, source.encode(), value))
            self._sources.heard(source, time)
        if outputs:
            await send(outputs)
        silent = self._sources.silent(now)
        metrics.SOURCES.labels("silent").set(len(silent))
        metrics.SOURCES.labels("fresh").set(len(self._sources) - len(silent))
        return silent

    def _hear(self, key: bytes | None, value: bytes | None) -> None:
        if key is not None and (value is None or value.isdigit()):
            self._sources.heard(key.decode("utf-8", "replace"), None if value is None else int(value))
