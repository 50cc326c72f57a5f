"""How fast records come out of aiokafka when nobody looks at them: ``getmany``, a whole topic, one process.

``python -m benchmarks.raw BOOTSTRAP TOPIC PARTITIONS SECONDS`` prints ``{"raw_eps": ...}``.
"""

from __future__ import annotations

import asyncio
import json
import sys

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.clock import monotonic

__all__ = ["read"]


async def read(bootstrap: str, topic: str, partitions: int, seconds: float) -> float:
    """Records a second, of all partitions, for so long or to the end."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=None, auto_offset_reset="earliest")
    await consumer.start()
    try:
        places = [TopicPartition(topic, number) for number in range(partitions)]
        consumer.assign(places)
        left = sum((await consumer.end_offsets(places)).values())
        began, count = monotonic(), 0
        while count < left and monotonic() - began < seconds:
            count += sum(map(len, (await consumer.getmany(timeout_ms=500)).values()))
        return count / (monotonic() - began)
    finally:
        await consumer.stop()


def main() -> None:
    """The command line."""
    bootstrap, topic, partitions, seconds = sys.argv[1:]
    eps = asyncio.run(read(bootstrap, topic, int(partitions), float(seconds)))
    print(json.dumps({"raw_eps": eps}))


if __name__ == "__main__":
    main()
