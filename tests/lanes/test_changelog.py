"""Which records of a changelog count, and where a lane starts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import OperationError
from streams.lanes.changelog import FENCE, MARK, Merge, pack, start_offset, tombstone

RECORDS = st.lists(
    st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.integers(0, 50)), unique=True, min_size=1, max_size=30
)


def merged(records: list[tuple[bytes, bytes]]) -> Merge:
    merge = Merge()
    for key, value in records:
        merge.offer(key, value)
    return merge


@given(RECORDS, st.randoms(use_true_random=False))
def test_the_highest_position_wins_in_any_order(records: list[tuple[bytes, int]], order: object) -> None:
    log = [(key, pack(position, b"%d" % position)) for key, position in records]
    order.shuffle(log)  # type: ignore[attr-defined]
    highest: dict[bytes, int] = {}
    for key, position in records:
        highest[key] = max(position, highest.get(key, -1))
    assert dict(merged(log).states()) == {key: b"%d" % position for key, position in highest.items()}


@given(RECORDS)
def test_regressed_are_the_keys_whose_last_record_is_not_their_newest(
    records: list[tuple[bytes, int]],
) -> None:
    merge = merged([(key, pack(position, b"x")) for key, position in records])
    last = dict(records)
    highest = {key: max(p for k, p in records if k == key) for key, _ in records}
    assert set(merge.regressed()) == {key for key in last if last[key] < highest[key]}
    assert merge.regressed() == {key: (pack(highest[key], b"x"), ()) for key in merge.regressed()}


def test_of_two_records_with_one_position_the_later_wins() -> None:
    assert dict(merged([(b"a", pack(4, b"1")), (b"a", pack(4, b"2"))]).states()) == {b"a": b"2"}


def test_a_key_that_is_gone_stays_gone_although_an_old_state_follows() -> None:
    merge = merged([(b"a", pack(4, b"1")), (b"a", pack(9, None)), (b"a", pack(6, b"2"))])
    assert dict(merge.states()) == {}
    assert merge.gone() == {b"a": 9}
    assert merge.regressed() == {b"a": (pack(9, None), ())}


def test_a_tombstone_counts_by_its_position() -> None:
    merge = Merge()
    merge.offer(b"a", pack(9, None))
    merge.offer(b"a", None, tombstone(9))
    assert (dict(merge.states()), merge.gone(), merge.regressed()) == ({}, {}, {})
    merge.offer(b"a", pack(6, b"old"))
    assert dict(merge.states()) == {}
    assert merge.gone() == {}, "its tombstone is written"
    assert merge.regressed() == {b"a": (None, tombstone(9))}, "until a compaction that would be the last"
    merge.offer(b"a", pack(11, b"new"))
    assert dict(merge.states()) == {b"a": b"new"}
    assert merge.regressed() == {}
    merge.offer(b"a", None, tombstone(9))
    assert dict(merge.states()) == {b"a": b"new"}
    assert merge.regressed() == {b"a": (pack(11, b"new"), ())}


KINDS = st.sampled_from(["state", "gone", "tombstone"])


@given(st.lists(st.tuples(st.sampled_from([b"a", b"b"]), st.integers(0, 20), KINDS), max_size=20))
def test_what_is_written_again_makes_compaction_harmless(records: list[tuple[bytes, int, str]]) -> None:
    """After the regressed ones were written, each key's last record says what the merge says."""
    # In one log a position of a key has one content: folds are deterministic.
    kinds: dict[tuple[bytes, int], str] = {}
    merge, last = Merge(), {}
    for key, position, kind in records:
        kind = kinds.setdefault((key, position), kind)
        value = {"state": pack(position, b"s"), "gone": pack(position, None), "tombstone": None}[kind]
        headers = tombstone(position) if kind == "tombstone" else ()
        merge.offer(key, value, headers)
        last[key] = (value, headers)
    last |= merge.regressed()
    compacted = Merge()
    for key, (value, headers) in last.items():
        if value is not None:
            compacted.offer(key, value, headers)
    assert dict(compacted.states()) == dict(merge.states())
    assert compacted.gone() == merge.gone()


def test_an_operators_deletion_counts() -> None:
    merge = Merge()
    merge.offer(b"a", pack(4, b"1"))
    merge.offer(b"a", None)
    assert dict(merge.states()) == {}


@pytest.mark.parametrize(("key", "value"), [(None, pack(1, b"x")), (b"a", b"short")])
def test_a_foreign_record_is_refused(key: bytes | None, value: bytes) -> None:
    with pytest.raises(OperationError, match="not a lane's"):
        Merge().offer(key, value)


def test_the_mark_is_no_state() -> None:
    merge = merged([(MARK, pack(7, None)), (MARK, pack(3, None))])
    assert merge.mark == 7
    assert dict(merge.states()) == {}
    assert Merge().mark is None


def test_the_fence_is_no_state_and_nothing_that_is_gone() -> None:
    merge = merged([(FENCE, pack(0, None)), (FENCE, pack(0, None))])
    assert (merge.mark, dict(merge.states()), merge.gone(), merge.regressed()) == (None, {}, {}, {})


@pytest.mark.parametrize(
    ("mark", "committed", "stateful", "start"),
    [
        (None, None, True, 2),  # fresh: the earliest
        (None, None, False, 2),
        (5, 5, True, 5),
        (9, 5, True, 9),  # it died between mark and commit
        (9, None, True, 9),  # the group's offsets expired
        (None, 5, False, 5),
    ],
)
def test_start(mark: int | None, committed: int | None, stateful: bool, start: int) -> None:
    assert start_offset(mark, committed, 2, stateful=stateful) == start


@pytest.mark.parametrize(
    ("mark", "committed", "stateful", "complaint"),
    [
        (None, 5, True, "state is lost"),
        (4, 5, True, "state is lost"),
        (1, 1, True, "deleted before they were read"),
        (None, 1, False, "deleted before they were read"),
    ],
)
def test_no_start_where_something_would_be_lost_unseen(
    mark: int | None, committed: int | None, stateful: bool, complaint: str
) -> None:
    with pytest.raises(OperationError, match=complaint):
        start_offset(mark, committed, 2, stateful=stateful)
