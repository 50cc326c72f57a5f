"""Which partition a key belongs to: the one answer for producers, lanes and tests."""

from __future__ import annotations

from functools import lru_cache

from kafka.partitioner import default

from detectors import quick

__all__ = ["partition_of"]

_hash = quick.murmur2 or default.murmur2


@lru_cache(65_536)
def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key, as every Kafka client has it: murmur2, the sign bit dropped.

    Remembered, because the hash is slow in Python and customers come again.

    >>> partition_of(b"21", 8) == partition_of(b"21", 8)
    True
    """
    return int(_hash(key) & 0x7FFFFFFF) % partitions
