"""The restore: reads changelog partitions from their beginning to their end, all of an assignment at once.

One consumer without a group reads them together in large fetches, in the lanes' loop, while the consumer
thread keeps the group's heartbeat. The end is where each partition ends when the reading starts, and not
before the fence: whatever an earlier owner could write was written below that.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.lanes.changelog import Merge
from streams.lanes.chunk import Place

__all__ = ["read_changelogs"]

# Large enough that a fetch is worth its round trip, small enough that 256 partitions fit in memory.
FETCH_BYTES = 2 * 1024 * 1024
# Records merged before other lanes get a turn.
STEP = 5_000
POLL_MS = 200


async def read_changelogs(
    client: Mapping[str, Any], places: Collection[Place], fences: Mapping[Place, int] | None = None
) -> AsyncIterator[tuple[Place, Merge]]:
    """Yield each place with everything in it, as it is finished. Raises aiokafka's KafkaError.

    ``fences``: the offset that a place is read up to at least.
    """
    merges = {Place(*place): Merge() for place in places}
    consumer = AIOKafkaConsumer(
        **client,
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=FETCH_BYTES,
        fetch_max_wait_ms=50,
    )
    await consumer.start()
    try:
        waiting = [TopicPartition(*place) for place in merges]
        consumer.assign(waiting)
        await consumer.seek_to_beginning(*waiting)
        ends = await consumer.end_offsets(waiting)
        for place in waiting:
            ends[place] = max(ends[place], (fences or {}).get(Place(*place), 0))
        while waiting:
            # The embedded broker gives an end that is inside the last batch; a fetch brings the true one.
            for place in waiting:
                ends[place] = max(ends[place], consumer.highwater(place) or 0)
            finished = [place for place in waiting if await consumer.position(place) >= ends[place]]
            for place in finished:
                consumer.pause(place)
                waiting.remove(place)
                yield Place(*place), merges.pop(Place(*place))
            if waiting:
                fetched = await consumer.getmany(*waiting, timeout_ms=POLL_MS, max_records=STEP)
                for place, records in fetched.items():
                    offer = merges[Place(*place)].offer
                    for record in records:
                        offer(record.key, record.value, record.headers)
    finally:
        await consumer.stop()
