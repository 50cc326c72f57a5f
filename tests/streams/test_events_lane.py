"""The events lane's glue: what goes to which topic, blocks within their limits, state there and back."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from detectors.policy import default
from detectors.tables import TABLES, Row
from streams import blocks
from streams.events_lane import EventsFold
from streams.identity import Pseudonyms
from streams.kafka.partitioner import partition_of
from streams.lanes.api import Output, Record
from streams.row_blocks import BLOCK_BYTES, row_blocks
from streams.sources.api import cloud_event
from streams.ticks import tick_record
from streams.topics import TopicNames

TOPICS = TopicNames("test")
NAMES = Pseudonyms(b"0123456789abcdef", b"fedcba9876543210")
NOW = 1_700_000_000_000


def fold(partition: int = 0, partitions: int = 1) -> EventsFold:
    return EventsFold(partition, partitions, TOPICS, default(), NAMES)


def records(*values: bytes) -> list[Record]:
    return [Record(offset, NOW, None, value) for offset, value in enumerate(values)]


def event(name: str, place: int, customer: str = "c1", **data: object) -> bytes:
    return cloud_event(name, NOW + place * 1000, "web", f"e{place}", customer, data).value


def rows(outputs: Sequence[Output], table: str) -> list[dict[str, object]]:
    found = []
    for output in outputs:
        block = blocks.decode(output.value or b"")
        if block.table == table:
            found += [dict(zip(block.names, row, strict=True)) for row in zip(*block.columns, strict=True)]
    return found


def unpackable(row: Row, error: Exception) -> None:
    pytest.fail(f"a row cannot be packed: {error}")


def test_rows_leave_at_the_checkpoint_on_their_own_partition() -> None:
    lane = fold(3, 4)
    customer = next(f"c{n}" for n in range(100) if partition_of(f"c{n}".encode(), 4) == 3)
    assert lane.apply(records(event("rage_click", 0, customer), event("js_error", 1, customer))) == []
    outputs = lane.flush()
    assert {(output.topic, output.partition) for output in outputs} == {("test.facts", 3)}
    assert [row["type"] for row in rows(outputs, "events")] == ["rage_click", "js_error"]
    assert [row["signal"] for row in rows(outputs, "signals")] == ["rage_click", "js_error"]
    assert {row["partition"] for row in rows(outputs, "events")} == {3}
    assert lane.flush() == []


def test_a_bad_record_becomes_a_dead_letter_at_once() -> None:
    lane = fold()
    raw = b'{"specversion":"1.0"'
    (letter,) = lane.apply([Record(7, NOW, b"k", raw)])
    assert (letter.topic, letter.key, letter.value) == ("test.dead-letters", b"k", raw)
    assert dict(letter.headers) == {
        "reason": b"not_json",
        "topic": b"test.events",
        "partition": b"0",
        "offset": b"7",
        "time": str(NOW).encode(),
    }
    (row,) = rows(lane.flush(), "dead_letters")
    assert (row["reason"], row["topic"], row["offset"], row["size"]) == (
        "not_json",
        "test.events",
        7,
        len(raw),
    )
    assert raw.decode() not in json.dumps(row)


def test_a_record_on_the_wrong_partition_is_sent_on_unchanged() -> None:
    customer = next(f"c{n}" for n in range(100) if partition_of(f"c{n}".encode(), 4) == 2)
    raw = event("page_view", 0, customer)
    (sent,) = fold(0, 4).apply(records(raw))
    assert sent == Output("test.events", None, customer.encode(), raw)
    assert fold(2, 4).apply(records(raw)) == []


def test_a_candidate_goes_to_the_desk_under_its_tenant() -> None:
    lane = fold()
    (message,) = lane.apply(records(event("human.requested", 0, prefers="human", risk=0.9, problem=True)))
    assert (message.topic, message.partition, message.key) == ("test.desk", None, b"default")
    said = json.loads(message.value or b"")
    assert said["type"] == "candidate.raised"
    assert "c1" not in (message.value or b"").decode().replace(said["customer"], "")


def test_state_comes_back_exactly() -> None:
    """A lane restored from its changelog goes on as if nothing had happened."""
    values = [event(name, place) for place, name in enumerate(["form_start", "form_error", "rage_click"] * 9)]
    values.append(tick_record(NOW + 40 * 60_000))
    whole = fold()
    whole.apply(records(*values))
    expected = {str(row["fact_id"]): row for row in rows(whole.flush(), "events")}
    for cut in (1, 13, 27):
        first = fold()
        first.apply(records(*values)[:cut])
        found = rows(first.flush(), "events")
        second = fold()
        for key, value in first.changed():
            assert value is not None
            second.load(key, value)
        second.ready()
        second.apply(records(*values)[cut:])
        found += rows(second.flush(), "events")
        assert {str(row["fact_id"]): row for row in found} == expected


def test_blocks_stay_within_their_bytes() -> None:
    width = len(TABLES["dead_letters"].names)
    wide = ("x" * 100_000,) * 2 + (0,) * (width - 2)
    made = list(row_blocks("dead_letters", [wide] * 10, 0, unpackable))
    assert sum(blocks.decode(raw).count for raw in made) == 10
    assert max(map(len, made)) <= BLOCK_BYTES
    # A row larger than a block still goes.
    huge = ("x" * (BLOCK_BYTES + 1), *wide[1:])
    made = list(row_blocks("dead_letters", [huge] * 2, 0, unpackable))
    assert [blocks.decode(raw).count for raw in made] == [1, 1]


def test_a_fold_with_another_key_has_other_pseudonyms() -> None:
    other = EventsFold(0, 1, TOPICS, default(), Pseudonyms(b"another-key-0123", b"fedcba9876543210"))
    lane = fold()
    for each in (lane, other):
        each.apply(records(event("page_view", 0)))
    mine, theirs = rows(lane.flush(), "events")[0], rows(other.flush(), "events")[0]
    assert mine["customer"] != theirs["customer"]
    assert mine["event_id"] == theirs["event_id"]


def test_a_tick_that_sets_off_thousands_of_timers_is_taken_in_steps() -> None:
    """A source is heard again: everybody's time-outs, and the records behind the tick are folded after it."""
    many, hour = 5_000, NOW + 3_600_000
    values = [event("form_start", 0, f"c{n}", session_id=f"s{n}", step="details") for n in range(many)]
    silent = [tick_record(at, silent=("web",)) for at in (NOW + 700_000, hour)]
    last = [tick_record(hour + 1_000), event("form_start", 3_602, "c7", session_id="t", step="details")]
    lane = fold()
    lane.apply(records(*values, *silent))
    assert rows(lane.flush(), "abandonments") == []
    behind = [Record(many + 2 + at, NOW, None, value) for at, value in enumerate(last)]
    sizes = [len(lane.log.fold._timers) for _ in lane.steps(behind)]
    found = lane.flush()
    # Those who waited are looked at, then their timers fire, and then comes the event behind the tick.
    assert sizes == [1_999, 3_999, 3_000, 1_000, 1]
    abandoned = rows(found, "abandonments")
    assert len(abandoned) == len({row["customer"] for row in abandoned}) == many
    assert {row["offset"] for row in abandoned} == {many + 2}
    assert [row["offset"] for row in rows(found, "events")] == [many + 3]


@pytest.mark.parametrize("again", [1, 2])
def test_the_same_event_twice_is_one(again: int) -> None:
    lane = fold()
    lane.apply(records(*[event("rage_click", 0)] * (1 + again)))
    assert len(rows(lane.flush(), "events")) == 1
    assert lane.log.fold.counts.duplicates == again
