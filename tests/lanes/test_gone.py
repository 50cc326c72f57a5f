"""Keys that go: out of the changelog for good, and exact wherever the process dies meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import pytest

from streams.lanes import LaneObserver, LaneOptions, Output, Record
from streams.lanes.changelog import MARK, Merge, pack, tombstone
from streams.lanes.lane import FoldLane
from tests.lanes.memory import PLACE, CrashError, MemoryBroker, MemoryWire, Written
from tests.lanes.test_lane import live

# Keys come again after 1 to 40 records: some within a checkpoint, some long after they have gone.
VALUES = [(b"k%d" % (number**2 % 23), b"bye" if number % 5 == 3 else b"v") for number in range(80)]
OPTIONS = LaneOptions(checkpoint_records=7, checkpoint_s=30.0)


class Forgetful:
    """Counts each key's records until it is told goodbye; what it sends tells the count."""

    def __init__(self) -> None:
        self.counts: dict[bytes, tuple[int, int]] = {}
        self.ahead: dict[bytes, int] = {}
        self.dirty: dict[bytes, None] = {}
        self.told: list[bytes] = []

    def load(self, key: bytes, value: bytes) -> None:
        count, applied = value.split()
        self.counts[key] = (int(count), int(applied))

    def gone(self, key: bytes, position: int) -> None:
        self.ahead[key] = position
        self.told.append(key)

    def ready(self) -> None:
        return

    def apply(self, records: Iterable[Record]) -> list[Output]:
        outputs = []
        for record in records:
            key = record.key or b""
            count, applied = self.counts.get(key, (0, self.ahead.get(key, 0)))
            if record.offset < applied:
                continue
            self.dirty[key] = None
            outputs.append(Output("outputs", 3, key, b"%d: %s %d" % (record.offset, key, count + 1)))
            if record.value == b"bye":
                self.counts.pop(key, None)
                self.ahead[key] = record.offset + 1
            else:
                self.counts[key] = (count + 1, record.offset + 1)
        return outputs

    def flush(self) -> list[Output]:
        return []

    def changed(self) -> Iterable[tuple[bytes, bytes | None]]:
        dirty, self.dirty = self.dirty, {}
        for key in dirty:
            found = self.counts.get(key)
            yield key, None if found is None else b"%d %d" % found


def lane(wire: MemoryWire, fold: Forgetful) -> FoldLane:
    return FoldLane(PLACE, wire, OPTIONS, LaneObserver(), headers=False, fold=fold, changelog="changelog")


def once(broker: MemoryBroker, die_at: int = -1) -> Forgetful:
    fold = Forgetful()

    async def main() -> None:
        wire = MemoryWire(broker, die_at=die_at)
        await live(lane(wire, fold), len(VALUES))

    asyncio.run(main())
    return fold


def test_a_key_that_goes_leaves_its_position_and_then_a_tombstone() -> None:
    broker = MemoryBroker(VALUES)
    once(broker)
    log = broker.sent["changelog"]
    marks = [(at, int.from_bytes(log[at].value or b"")) for at in range(len(log)) if log[at].key == MARK]
    nulls = [(at, written) for at, written in enumerate(log) if written.value is None]
    assert len(nulls) >= 4
    for at, written in nulls:
        position = int.from_bytes(dict(written.headers)["position"])
        assert Written(written.key, pack(position, None)) in log[:at], "its position went before it"
        assert max(mark for there, mark in marks if there < at) >= position, "a mark has reached it"
    # A key that has come back is not taken away.
    merge = Merge()
    for written in log:
        merge.offer(*written)
    assert dict(merge.states()) == {key: b"%d %d" % state for key, state in once(broker).counts.items()}


@pytest.mark.parametrize("compaction", [False, True])
def test_it_is_exact_wherever_it_dies(compaction: bool) -> None:
    undisturbed = MemoryBroker(VALUES)
    expected = once(undisturbed)
    outputs = {written.value for written in undisturbed.sent["outputs"]}
    every = sum(not what.startswith("ack") for what in undisturbed.journal)
    told = 0
    for die_at in range(every):
        broker = MemoryBroker(VALUES)
        with pytest.raises(CrashError):
            once(broker, die_at)
        if compaction:
            broker.compact("changelog")
        fold = once(broker)
        told += len(fold.told)
        assert fold.counts == expected.counts, f"died at step {die_at}"
        assert {written.value for written in broker.sent["outputs"]} == outputs, f"died at step {die_at}"
    assert told, "no death left a key that was gone ahead of the mark"


def test_a_start_completes_what_an_earlier_one_left() -> None:
    broker = MemoryBroker(VALUES[:6])
    broker.committed = 5
    broker.sent["changelog"] = [Written(b"idle", pack(3, None)), Written(MARK, pack(5, None))]
    once_more = Forgetful()

    async def main() -> None:
        await live(lane(MemoryWire(broker), once_more), 6)

    asyncio.run(main())
    assert Written(b"idle", None, tombstone(3)) in broker.sent["changelog"]
    assert once_more.told == []
