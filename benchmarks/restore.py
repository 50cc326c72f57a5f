"""A restart with many customers: how fast their state is back, and how much memory each of them takes.

The changelog is read and merged by the lanes' own :func:`streams.lanes.restore.read_changelogs` and loaded
into the events lanes' folds, in a process of its own that has done nothing else. Memory is the growth of the
resident set, with all that reading has left behind.

States are those that the workload leaves behind, each copied to other customers' keys until there are enough.
``python -m benchmarks.restore BOOTSTRAP CHANGELOG`` prints ``{"keys", "seconds", "bytes"}``.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator

from benchmarks.floor import folds, load
from benchmarks.quota import rss_bytes
from streams.clock import monotonic
from streams.lanes.api import Output
from streams.lanes.changelog import MARK, pack
from streams.lanes.chunk import Place
from streams.lanes.restore import read_changelogs

__all__ = ["restore", "states"]

# Every customer that these events have gets a state; of a larger number the mix is the same.
TEMPLATE_EVENTS = 100_000
STEP = 2_000


def states(
    changelog: str, customers: int, partitions: int, events: int = TEMPLATE_EVENTS
) -> Iterator[Output]:
    """Records of a changelog that holds ``customers`` customers, spread over its partitions."""
    templates: list[tuple[bytes, bytes]] = []
    clocks: list[list[tuple[bytes, bytes]]] = []
    for fold, log in zip(folds(partitions), load(events, partitions), strict=True):
        fold.apply(log)
        fold.flush()
        found = [(key, value) for key, value in fold.changed() if value is not None]
        # What begins with a zero is the partition's own.
        clocks.append([(key, value) for key, value in found if key.startswith(b"\x00")])
        templates += [(key, value) for key, value in found if not key.startswith(b"\x00")]
    for number in range(customers):
        key, value = templates[number % len(templates)]
        copy = number // len(templates)
        # Pseudonyms are hexadecimal: the copy's number goes where it makes another one of the same length.
        key = key[:-8] + f"{copy:08x}".encode() if copy else key
        yield Output(changelog, number % partitions, key, pack(events, value))
    for partition in range(partitions):
        for key, value in clocks[partition]:
            yield Output(changelog, partition, key, pack(events, value))
        yield Output(changelog, partition, MARK, pack(events, None))


async def restore(bootstrap: str, changelog: str, partitions: int) -> dict[str, float]:
    """Read and load everything; keys, seconds, and bytes of memory for all."""
    made = folds(partitions)
    before, began, keys = rss_bytes(), monotonic(), 0
    places = [Place(changelog, number) for number in range(partitions)]
    async for place, merge in read_changelogs({"bootstrap_servers": bootstrap}, places):
        fold = made[place.partition]
        for key, value in merge.states():
            fold.load(key, value)
            keys += 1
            if keys % STEP == 0:
                await asyncio.sleep(0)
        fold.ready()
    return {"keys": keys, "seconds": monotonic() - began, "bytes": rss_bytes() - before}


def main() -> None:
    """The command line."""
    bootstrap, changelog, partitions = sys.argv[1:]
    print(json.dumps(asyncio.run(restore(bootstrap, changelog, int(partitions)))))


if __name__ == "__main__":
    main()
