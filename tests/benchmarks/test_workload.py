"""The workload is what its description says, and the same every time."""

from __future__ import annotations

import doctest
import json
from collections import Counter
from itertools import pairwise
from random import Random

import pytest

from benchmarks import floor, restore, watch, workload
from benchmarks.visits import Visit
from detectors.events import Rejected
from detectors.vocabulary import CHANNELS, TYPES, canonical
from streams.kafka.partitioner import partition_of
from streams.lanes.changelog import Merge

EVENTS = 5_000


@pytest.fixture(scope="module")
def raws() -> list[workload.Raw]:
    return list(workload.records(EVENTS))


@pytest.mark.parametrize("module", [workload, watch])
def test_examples_of_the_modules_hold(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]  # a module it is


def test_it_is_the_same_every_time(raws: list[workload.Raw]) -> None:
    assert raws == list(workload.records(EVENTS))
    assert raws != list(workload.records(EVENTS, seed=2))


def test_time_goes_forward_with_a_tick_a_minute(raws: list[workload.Raw]) -> None:
    assert all(before.time <= after.time for before, after in pairwise(raws))
    ticks = [raw.time for raw in raws if raw.key is None]
    assert {after - before for before, after in pairwise(ticks)} == {workload.TICK_MS}
    assert len(raws) - len(ticks) == EVENTS


def test_every_record_is_accepted_on_its_own_partition(raws: list[workload.Raw]) -> None:
    partitions = 3
    folds = floor.folds(partitions)
    outcomes: Counter[str] = Counter()
    for partition, raw in workload.partitioned(raws, partitions):
        if raw.key is not None:
            assert partition == partition_of(raw.key, partitions)
            assert json.loads(raw.value)["subject"].encode() == raw.key
        lane = folds[partition]
        outcome = lane.log.record(raw.value, workload.STAMP, outcomes.total(), lane._findings)
        assert not isinstance(outcome, Rejected), outcome
        outcomes[outcome] += 1
    assert outcomes["event"] == EVENTS
    assert outcomes["misrouted"] == outcomes["policy"] == 0


def test_stories_tell_every_type_on_every_channel() -> None:
    rng = Random(1)
    kinds, channels = set(), set()
    for story, _ in workload.STORIES:
        for number in range(1_000):
            visit = Visit(rng, number, number, workload.START)
            story(visit)
            assert [said[0] for said in visit.said] == sorted(said[0] for said in visit.said)
            kinds |= {canonical(kind) for _, _, kind, _ in visit.said}
            channels |= {data["channel"] for *_, data in visit.said}
    assert kinds == set(TYPES)
    assert channels == CHANNELS


def test_the_busiest_customers_have_what_zipf_gives_them(raws: list[workload.Raw]) -> None:
    found = Counter(raw.key for raw in raws if raw.key is not None)
    shares = [count / EVENTS for _, count in found.most_common(2)]
    assert 0.09 < shares[0] < 0.19
    assert 0.03 < shares[1] < 0.11


def test_scattered_events_are_those_of_many_more_customers() -> None:
    def customers(scattered: bool) -> int:
        return len({raw.key for raw in workload.records(EVENTS, scattered=scattered)})

    assert customers(scattered=True) > 2 * customers(scattered=False)


def test_the_floor_counts_what_it_was_given() -> None:
    logs = floor.load(1_500, 3)
    whole = floor.measure(logs)
    assert whole.events == 1_500
    assert whole.keys > 0
    assert whole.blocks > 0
    assert floor.measure(logs, warm=600).events < 1_500
    assert "state packing" in floor.report(whole, floor.decode_s(logs, floor.default()))


def test_states_are_of_as_many_customers_as_were_asked_for() -> None:
    merges = [Merge(), Merge()]
    for output in restore.states("log", 700, 2, events=1_000):
        assert output.partition is not None
        merges[output.partition].offer(output.key, output.value)
    keys = [key for merge in merges for key, _ in merge.states() if not key.startswith(b"\x00")]
    assert len(set(keys)) == len(keys) == 700
    folds = floor.folds(2)
    for fold, merge in zip(folds, merges, strict=True):
        assert merge.mark is not None
        for key, value in merge.states():
            fold.load(key, value)
    assert sum(len(fold.log.fold.known) for fold in folds) == 700
