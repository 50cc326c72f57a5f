"""How far a consumer group is behind the end of its topics.

Tansu gives as the end of a partition the first offset of its last batch, plus one: on the embedded broker a
lag is too small by up to a batch.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from kafka import KafkaAdminClient, OffsetSpec, TopicPartition

from streams.kafka.admin import asked

__all__ = ["Lag", "group_lag"]


class Lag(NamedTuple):
    """One partition. ``committed`` is None where the group never committed; then all there is is behind."""

    committed: int | None
    start: int
    end: int

    @property
    def behind(self) -> int:
        """Records between what the group has done and the end; retention may have taken some of them."""
        done = self.start if self.committed is None else max(self.committed, self.start)
        return max(0, self.end - done)


def group_lag(client: KafkaAdminClient, group: str, topics: Iterable[str]) -> dict[tuple[str, int], Lag]:
    """The lag by (topic, partition), of those topics that exist. Raises ``KafkaError``.

    Asked again for a while: a new cluster makes its offsets topic when the first group is asked for, and a
    group's broker may just be restarting.
    """
    names = list(topics)
    return asked(lambda: _group_lag(client, group, names))


def _group_lag(client: KafkaAdminClient, group: str, topics: list[str]) -> dict[tuple[str, int], Lag]:
    partitions = [
        TopicPartition(topic["name"], partition["partition_index"])
        for topic in client.describe_topics(topics)
        for partition in topic["partitions"]
    ]
    if not partitions:
        return {}
    committed = client.list_group_offsets({group: partitions})[group]
    starts = client.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.EARLIEST))
    ends = client.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.LATEST))
    lags = {}
    for partition in partitions:
        offset = committed[partition].offset if partition in committed else -1
        lags[partition.topic, partition.partition] = Lag(
            None if offset < 0 else offset, starts[partition].offset, ends[partition].offset
        )
    return lags
