"""A lane alone, on a broker in memory: the order of its checkpoint, crashes at every step, its end."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence

import pytest

from streams.lanes import LaneObserver, LaneOptions, Output, Record
from streams.lanes.changelog import MARK, pack
from streams.lanes.lane import FoldLane, Lane, SinkLane
from tests.lanes.counting import State, step
from tests.lanes.memory import PLACE, CrashError, MemoryBroker, MemoryWire, Written

VALUES = [(b"k%d" % (number % 4), b"v%d" % number) for number in range(40)]
# A checkpoint every 7 records, and never by time alone while a test looks at the order.
OPTIONS = LaneOptions(checkpoint_records=7, checkpoint_s=30.0)


class Fold:
    """Counts, sends one output a record and one block a checkpoint."""

    def __init__(self) -> None:
        self.states: dict[bytes, State] = {}
        self.dirty: set[bytes] = set()
        self.rows: list[bytes] = []
        self.restored = False

    def load(self, key: bytes, value: bytes) -> None:
        count, mixed, applied = (int(part) for part in value.split())
        self.states[key] = State(count, mixed, applied)

    def ready(self) -> None:
        self.restored = True

    def apply(self, records: Sequence[Record]) -> Sequence[Output]:
        assert self.restored
        outputs = []
        for record in records:
            assert record.key is not None
            assert record.value is not None
            state = self.states.setdefault(record.key, State())
            if record.offset < state.applied:
                continue
            step(state, record.value)
            state.applied = record.offset + 1
            self.dirty.add(record.key)
            self.rows.append(record.value)
            outputs.append(Output("outputs", 3, record.key, record.value))
        return outputs

    def flush(self) -> Sequence[Output]:
        rows, self.rows = self.rows, []
        return [Output("facts", 3, None, b" ".join(rows))] if rows else []

    def changed(self) -> Iterable[tuple[bytes, bytes | None]]:
        dirty, self.dirty = sorted(self.dirty), set()
        for key in dirty:
            state = self.states[key]
            yield key, b"%d %d %d" % (state.count, state.hash, state.applied)


def fold_lane(wire: MemoryWire, fold: Fold) -> FoldLane:
    return FoldLane(PLACE, wire, OPTIONS, LaneObserver(), headers=False, fold=fold, changelog="changelog")


async def live(lane: Lane, position: int = len(VALUES)) -> None:
    """Run until everything is applied, then stop as a revoked lane does."""
    task = asyncio.ensure_future(lane.run())
    while lane.position < position and not task.done():  # noqa: ASYNC110 -- a lane tells nobody its position
        await asyncio.sleep(0)
    lane.stop()
    await task


def steps(journal: list[str]) -> str:
    """A letter a step: o output, b block, c changelog, their acknowledgements in capitals, ! commit."""
    letters = {"outputs": "o", "facts": "b", "changelog": "c"}
    text = ""
    for what in journal:
        verb, _, topic = what.partition(" ")
        text += "!" if verb == "commit" else letters[topic].upper() if verb == "ack" else letters[topic]
    return text


def test_the_order_of_a_checkpoint() -> None:
    broker = MemoryBroker(VALUES)

    async def main() -> None:
        wire = MemoryWire(broker)
        await live(fold_lane(wire, Fold()))

    asyncio.run(main())
    # Outputs as they come; then the block; nothing of the changelog before every output is acknowledged, and
    # no commit before every record of the changelog is.
    text = steps(broker.journal)
    assert re.fullmatch(r"((o|O)+b(O|B)+c+C+!)+", text), text
    for checkpoint in text.split("!")[:-1]:
        assert checkpoint.count("o") == checkpoint.count("O")
        assert checkpoint.count("c") == checkpoint.count("C")
        assert max(checkpoint.rfind("O"), checkpoint.rfind("B")) < checkpoint.find("c")
    assert broker.committed == len(VALUES)
    assert text.count("!") >= len(VALUES) // 9
    assert [record.key for record in broker.sent["changelog"]].count(MARK) == text.count("!")
    assert broker.sent["changelog"][-1] == Written(MARK, pack(len(VALUES), None))


def expected() -> dict[bytes, State]:
    states: dict[bytes, State] = {}
    for offset, (key, value) in enumerate(VALUES):
        state = states.setdefault(key, State())
        step(state, value)
        state.applied = offset + 1
    return states


def test_states_are_exact_and_no_output_is_missing_wherever_it_dies() -> None:
    undisturbed = MemoryBroker(VALUES)

    async def once(broker: MemoryBroker, die_at: int) -> Fold:
        fold = Fold()
        wire = MemoryWire(broker, die_at=die_at)
        await live(fold_lane(wire, fold))
        return fold

    asyncio.run(once(undisturbed, -1))
    every = sum(not what.startswith("ack") for what in undisturbed.journal)
    for die_at in range(every):
        broker = MemoryBroker(VALUES)
        with pytest.raises(CrashError):
            asyncio.run(once(broker, die_at))
        fold = asyncio.run(once(broker, -1))
        assert fold.states == expected(), f"died at step {die_at}"
        sent = {record.value for record in broker.sent["outputs"]}
        assert sent == {value for _, value in VALUES}
        rows = {row for block in broker.sent["facts"] for row in (block.value or b"").split()}
        assert rows == sent


def test_a_regressed_key_is_written_again_without_waiting_for_records() -> None:
    broker = MemoryBroker(VALUES[:4])
    newest = pack(4, b"1 2 4")
    broker.committed = 4
    broker.sent["changelog"] = [
        Written(b"k0", newest),
        Written(MARK, pack(4, None)),
        Written(b"k0", pack(2, b"0 0 2")),
    ]

    async def main() -> None:
        wire = MemoryWire(broker)
        await live(fold_lane(wire, Fold()), 4)

    asyncio.run(main())
    assert broker.sent["changelog"][3:] == [Written(b"k0", newest), Written(MARK, pack(4, None))]


def test_nothing_is_written_while_it_is_not_sure_that_the_partition_is_ours() -> None:
    broker = MemoryBroker(VALUES)

    async def main() -> None:
        wire = MemoryWire(broker)
        wire.held.clear()
        lane = fold_lane(wire, Fold())
        task = asyncio.ensure_future(lane.run())
        await asyncio.sleep(0.05)
        assert broker.journal == []
        wire.held.set()
        await asyncio.sleep(0.05)
        assert broker.committed is not None
        lane.abandon()
        task.cancel()

    asyncio.run(main())


class Paused(Fold):
    """Takes one record a step."""

    def steps(self, records: Sequence[Record]) -> Iterable[Sequence[Output]]:
        for record in records:
            yield self.apply([record])


def test_others_have_their_turn_between_two_steps_and_a_checkpoint_has_not() -> None:
    broker = MemoryBroker(VALUES)
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def main() -> None:
        wire = MemoryWire(broker, chunk=len(VALUES))
        task = asyncio.ensure_future(other())
        await live(fold_lane(wire, Paused()))
        task.cancel()

    asyncio.run(main())
    assert turns > len(VALUES)
    text = steps(broker.journal)
    assert re.fullmatch(r"(o|O){80}b(O|B)+c+C+!", text), text
    assert broker.committed == len(VALUES)


class Waiting:
    """A sink whose database is away."""

    def __init__(self) -> None:
        self.back = asyncio.Event()
        self.rows: list[bytes | None] = []
        self.durable = 0

    async def apply(self, records: Sequence[Record]) -> None:
        await self.back.wait()
        self.rows += [record.value for record in records]

    async def flush(self) -> None:
        self.durable = len(self.rows)


def test_a_waiting_sink_holds_two_chunks_and_commits_nothing_until_it_is_flushed() -> None:
    broker = MemoryBroker(VALUES)

    async def main() -> None:
        wire, sink = MemoryWire(broker), Waiting()
        lane = SinkLane(PLACE, wire, OPTIONS, LaneObserver(), headers=False, sink=sink)
        task = asyncio.ensure_future(lane.run())
        await asyncio.sleep(0.05)
        assert wire.credits == 2
        assert broker.committed is None
        sink.back.set()
        await asyncio.sleep(0.1)
        lane.stop()
        await task
        assert sink.rows == [value for _, value in VALUES]
        assert sink.durable == broker.committed == len(VALUES)

    asyncio.run(main())


class SlowFlush(Waiting):
    """A sink whose database goes away in the middle of a flush."""

    async def apply(self, records: Sequence[Record]) -> None:
        self.rows += [record.value for record in records]

    async def flush(self) -> None:
        await self.back.wait()
        await super().flush()


@pytest.mark.parametrize("kind", [Waiting, SlowFlush])
def test_an_abandoned_lane_commits_nothing_even_if_its_sink_comes_back(kind: type[Waiting]) -> None:
    broker = MemoryBroker(VALUES)

    async def main() -> None:
        wire, sink = MemoryWire(broker), kind()
        lane = SinkLane(PLACE, wire, OPTIONS, LaneObserver(), headers=False, sink=sink)
        task = asyncio.ensure_future(lane.run())
        await asyncio.sleep(0.02)
        lane.abandon()
        sink.back.set()
        await task
        assert broker.committed is None

    asyncio.run(main())


def test_a_checkpoint_comes_by_time_and_a_stopped_lane_leaves_what_is_behind_its_chunk() -> None:
    broker = MemoryBroker(VALUES[:2])

    async def main() -> None:
        wire = MemoryWire(broker)
        lane = FoldLane(
            PLACE,
            wire,
            LaneOptions(checkpoint_s=0.05),
            LaneObserver(),
            headers=False,
            fold=Fold(),
            changelog="changelog",
        )
        task = asyncio.ensure_future(lane.run())
        await asyncio.sleep(0.3)
        assert broker.committed == 2
        lane.stop()
        await task

    asyncio.run(main())


def test_observers_hear_it() -> None:
    heard: list[tuple[object, ...]] = []

    class Observer(LaneObserver):
        def records(self, topic: str, partition: int, count: int) -> None:
            heard.append(("records", topic, partition, count))

        def checkpoint(self, topic: str, partition: int, offset: int, seconds: float) -> None:
            heard.append(("checkpoint", topic, partition, offset))

        def lag(self, topic: str, partition: int, count: int) -> None:
            heard.append(("lag", topic, partition, count))

        def restored(self, topic: str, partition: int, keys: int, seconds: float) -> None:
            heard.append(("restored", topic, partition, keys))

    async def main() -> None:
        wire = MemoryWire(MemoryBroker(VALUES[:5]))
        lane = FoldLane(PLACE, wire, OPTIONS, Observer(), headers=False, fold=Fold(), changelog=None)
        await live(lane, 5)

    asyncio.run(main())
    assert heard == [
        ("restored", "events", 3, 0),
        ("records", "events", 3, 3),
        ("lag", "events", 3, 2),
        ("records", "events", 3, 2),
        ("lag", "events", 3, 0),
        ("checkpoint", "events", 3, 5),
    ]
