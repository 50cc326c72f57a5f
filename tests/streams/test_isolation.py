"""No record ends a lane: what raises is put aside with its type and place, its neighbours go on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from detectors.breaker import Rules
from detectors.policy import default
from detectors.tables import TABLES
from streams import blocks
from streams.dead_letters import MOST_BYTES, dead_letter, where
from streams.desk_lane import DeskFold
from streams.events_lane import EventsFold
from streams.identity import Pseudonyms
from streams.lanes.api import Output, Record
from streams.row_blocks import row_blocks
from streams.sources.api import cloud_event
from streams.ticks import tick_record
from streams.topics import TopicNames

TOPICS = TopicNames("test")
NOW = 1_700_000_000_000
POISON = "poison@example.org"
PARKING = Rules(failures=4, share=0.5, span=60_000, rest=120_000, trials=2)


class Sealed(Pseudonyms):
    """Names whose reference of one customer cannot be made: what a defect inside the fold looks like."""

    def __init__(self) -> None:
        super().__init__(b"0123456789abcdef", b"fedcba9876543210")
        sealed = self.reference

        def reference(tenant: str, subject: str) -> str:
            if subject.startswith(POISON):
                raise KeyError(subject)
            return sealed(tenant, subject)

        self.reference = reference


class Lane:
    """A lane with the records it is given and what it has sent."""

    def __init__(self, parking: Rules = PARKING) -> None:
        self.fold = EventsFold(0, 1, TOPICS, default(), Sealed(), parking=parking)
        self.offset = 0
        self.sent: list[Output] = []

    def take(self, *values: bytes, stamp: int = NOW) -> list[Output]:
        """One chunk."""
        records = [Record(self.offset + n, stamp, b"key", value) for n, value in enumerate(values)]
        self.offset += len(records)
        outputs = self.fold.apply(records)
        self.sent += outputs
        return outputs

    def rows(self, table: str) -> list[dict[str, Any]]:
        """The rows of a table at a checkpoint."""
        found = []
        for output in self.fold.flush():
            if output.topic == TOPICS.facts:
                block = blocks.decode(output.value or b"")
                rows = zip(*block.columns, strict=True)
                found += [dict(zip(block.names, row, strict=True)) for row in rows if block.table == table]
        return found


def event(place: int, customer: str, source: str = "web", name: str = "page_view", **data: object) -> bytes:
    return cloud_event(name, NOW + place, source, f"{source}-{place}-{customer}", customer, data).value


def reasons(outputs: Sequence[Output]) -> list[str]:
    letters = [output for output in outputs if output.topic == TOPICS.dead_letters]
    return [dict(letter.headers)["reason"].decode() for letter in letters]


def test_a_record_that_raises_is_put_aside_and_its_neighbours_are_not() -> None:
    lane = Lane()
    poison = event(1, POISON)
    (letter,) = lane.take(event(0, "jane"), poison, event(2, "john"))
    headers = dict(letter.headers)
    assert (letter.topic, letter.key, letter.value) == (TOPICS.dead_letters, b"key", poison)
    assert headers["reason"].startswith(b"fold_failed:KeyError at ")
    assert headers["offset"] == b"1"
    assert POISON.encode() not in b"".join(headers.values())
    rows = lane.fold.flush()
    assert POISON.encode() not in b"".join(output.value or b"" for output in rows)
    found = [blocks.decode(output.value or b"") for output in rows]
    assert {block.table: block.count for block in found} == {"events": 2, "dead_letters": 1}
    (row,) = next(zip(*block.columns, strict=True) for block in found if block.table == "dead_letters")
    assert dict(zip(TABLES["dead_letters"].names, row, strict=True))["reason"] == "fold_failed"


def test_the_place_of_an_exception_holds_nothing_of_its_text() -> None:
    try:
        json.loads(f'{{"customer": {POISON}}}')
    except ValueError as error:
        said = where(error)
    assert said.startswith("JSONDecodeError at ")
    assert POISON not in said
    module, _, line = said.partition(" at ")[2].rpartition(":")
    assert module
    assert line.isdigit()


def test_lack_of_memory_is_no_records_fault() -> None:
    class Full(Pseudonyms):
        def __init__(self) -> None:
            super().__init__(b"0123456789abcdef", b"fedcba9876543210")

            def reference(tenant: str, subject: str) -> str:
                raise MemoryError

            self.reference = reference

    lane = EventsFold(0, 1, TOPICS, default(), Full())
    with pytest.raises(MemoryError):
        lane.apply([Record(0, NOW, None, event(0, "jane"))])


def test_a_row_that_cannot_be_packed_leaves_its_block() -> None:
    width = len(TABLES["dead_letters"].names)
    good, poor, narrow = ("x",) * width, ("x",) * (width - 1) + (object(),), ("x",)
    for bad in (poor, narrow):
        failed: list[tuple[object, Exception]] = []
        mixed = [good, good, bad, good, bad]
        made = list(row_blocks("dead_letters", mixed, 0, lambda *told, to=failed: to.append(told)))
        assert sum(blocks.decode(raw).count for raw in made) == 3
        assert [row for row, _ in failed] == [bad, bad]
        assert all(isinstance(error, TypeError | ValueError) for _, error in failed)


def test_a_row_that_cannot_be_packed_is_a_dead_letter_by_its_place() -> None:
    lane = Lane()
    lane.take(event(0, "jane"), event(1, "john"))
    names = TABLES["signals"].names
    row = tuple({"offset": 1, "partition": 0}.get(name, object()) for name in names)
    lane.fold._findings.add("signals", row)
    outputs = lane.fold.flush()
    (letter,) = [output for output in outputs if output.topic == TOPICS.dead_letters]
    headers = dict(letter.headers)
    assert headers["reason"].startswith(b"row_failed:")
    assert (headers["topic"], headers["offset"], headers["bytes"]) == (b"test.events", b"1", b"in_log")
    assert (letter.key, letter.value) == (None, None)
    tables = [blocks.decode(output.value or b"") for output in outputs if output.topic == TOPICS.facts]
    assert {block.table: block.count for block in tables} == {"events": 2, "dead_letters": 1}
    assert lane.fold.flush() == []


def test_a_message_that_cannot_be_written_is_a_dead_letter_of_its_record() -> None:
    lane = Lane()
    raw = event(0, "jane", name="human.requested", prefers="human", risk=0.9, problem=True)
    lane.fold._findings.desk.append({"tenant": "default", "offset": 1, "data": object()})
    (letter, message) = sorted(lane.take(event(1, "john"), raw), key=lambda output: output.topic)
    assert letter.topic == TOPICS.dead_letters
    assert letter.value == raw
    assert reasons([letter])[0].startswith("output_failed:TypeError at ")
    assert message.topic == TOPICS.desk


def test_a_state_that_cannot_be_packed_is_a_dead_letter_and_the_others_are_kept() -> None:
    lane = EventsFold(0, 1, TOPICS, default(), Sealed())
    lane.apply(
        [Record(n, NOW, None, event(n, name)) for n, name in enumerate(("jane", "odd", "john", "odd"))]
    )
    odd = lane.log.fold.customer("default", Sealed().pseudonym("default", "odd"))
    assert odd is not None
    odd.reference = "\ud800"  # no changelog takes that, and nothing that is read can be it
    assert sum(output.topic == TOPICS.facts for output in lane.flush()) == 1
    states = dict(lane.changed())
    assert sum(key.startswith(b"default") for key in states) == 2
    outputs = lane.flush()
    (letter,) = [output for output in outputs if output.topic == TOPICS.dead_letters]
    assert reasons([letter])[0].startswith("state_failed:")
    assert dict(letter.headers)["offset"] == b"3"
    assert [blocks.decode(output.value or b"").table for output in outputs[1:]] == ["dead_letters"]
    assert lane.flush() == []


def test_bytes_that_no_topic_would_take_stay_where_they_are() -> None:
    record = Record(7, NOW, b"key", b"x" * (MOST_BYTES + 1))
    letter = dead_letter(TOPICS, TOPICS.events, 3, record, "too_large")
    assert (letter.key, letter.value) == (None, None)
    assert dict(letter.headers)["bytes"] == b"in_log"


# -- parking -----------------------------------------------------------------------------------------------


def test_a_source_that_keeps_failing_is_parked_and_the_others_are_not() -> None:
    lane = Lane()
    failing = [event(n, POISON, "phone") for n in range(4)]
    assert all(said.startswith("fold_failed") for said in reasons(lane.take(*failing)))
    good = event(5, "jane", "phone")
    outputs = lane.take(good, event(6, "jane"), b"{", tick_record(NOW, "phone"))
    assert reasons(outputs) == ["source_parked", "not_json"]
    assert outputs[0].value == good
    assert [row["source"] for row in lane.rows("events")] == ["web"]
    # Its rest is over: two good ones on trial, and it is as before.
    after = NOW + 120_000
    assert reasons(lane.take(*(event(n, "jane", "phone") for n in range(10, 14)), stamp=after)) == []
    assert len(lane.rows("events")) == 4
    assert reasons(lane.take(event(20, POISON, "phone"), event(21, "jane", "phone"), stamp=after))[1:] == []


def test_a_failure_on_trial_parks_it_again() -> None:
    lane = Lane()
    lane.take(*(event(n, POISON, "phone") for n in range(4)))
    after = NOW + 120_000
    outputs = lane.take(
        event(5, "jane", "phone"), event(6, POISON, "phone"), event(7, "jane", "phone"), stamp=after
    )
    assert [said.partition(":")[0] for said in reasons(outputs)] == ["fold_failed", "source_parked"]
    assert reasons(lane.take(event(8, "jane", "phone"), stamp=after + 119_000)) == ["source_parked"]
    assert reasons(lane.take(event(9, "jane", "phone"), stamp=after + 120_000)) == []


def test_garbage_parks_nobody() -> None:
    """It has reasons of its own, and the good records of its source are wanted."""
    lane = Lane()
    garbage = [event(n, "jane", "phone", wait_s="long") for n in range(50)]
    assert set(reasons(lane.take(*garbage))) == {"wrong_type:data.wait_s"}
    assert reasons(lane.take(event(60, "jane", "phone"))) == []


def test_the_same_log_parks_the_same_records_however_it_is_cut() -> None:
    log = []
    for n in range(300):
        customer = POISON if n % 7 in (1, 2, 4, 6) and 40 < n < 160 else f"c{n % 5}"
        log.append((event(n, customer, "phone" if n % 3 else "web"), NOW + n * 1_000))
    found = []
    for size in (1, 7, 300):
        lane = Lane()
        outputs: list[Output] = []
        for start in range(0, len(log), size):
            records = [
                Record(start + n, stamp, None, raw)
                for n, (raw, stamp) in enumerate(log[start : start + size])
            ]
            outputs += lane.fold.apply(records)
        found.append([(dict(output.headers)["offset"], dict(output.headers)["reason"]) for output in outputs])
    assert found[0] == found[1] == found[2]
    assert 10 < sum(reason == b"source_parked" for _, reason in found[0]) < 250


def test_parking_can_be_turned_off() -> None:
    lane = Lane(Rules(failures=0))
    outputs = lane.take(*(event(n, POISON, "phone") for n in range(200)))
    assert {said.partition(":")[0] for said in reasons(outputs)} == {"fold_failed"}


# -- the desk ----------------------------------------------------------------------------------------------

CANDIDATE: dict[str, Any] = {
    "type": "candidate.raised",
    "id": "a1",
    "ver": 1,
    "time": NOW,
    "tenant": "default",
    "customer": "p1",
    "partition": 0,
    "offset": 0,
    "data": {"alert_id": "a1", "tenant": "default", "customer": "p1", "level": "watch", "policy_version": 1},
}


def desk(*messages: object) -> tuple[DeskFold, list[Output]]:
    fold = DeskFold(0, TOPICS)
    values = [message if isinstance(message, bytes) else json.dumps(message).encode() for message in messages]
    return fold, fold.apply([Record(offset, NOW, b"default", value) for offset, value in enumerate(values)])


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (b"", "not_for_the_desk"),
        (b"[" * 60_000, "not_for_the_desk"),
        (b'{"type": "\xff"}', "not_for_the_desk"),
        (CANDIDATE | {"data": {"text": "x" * 70_000}}, "not_for_the_desk"),
        (CANDIDATE | {"type": "alert.take"}, "not_for_the_desk:type"),
        (CANDIDATE | {"ver": 2**40}, "not_for_the_desk"),
        (CANDIDATE | {"id": "x" * 129}, "not_for_the_desk"),
        (CANDIDATE | {"time": 10**30}, "not_for_the_desk:time"),
        (CANDIDATE | {"offset": -(2**70)}, "not_for_the_desk:offset"),
        (CANDIDATE | {"data": {"effort": "high"}}, "not_for_the_desk:effort"),
        (CANDIDATE | {"data": {"policy_version": None}}, "not_for_the_desk:policy_version"),
        (CANDIDATE | {"data": {"trigger_event": ["web", "1"]}}, "fold_failed:AttributeError at streams."),
    ],
)
def test_a_candidate_that_cannot_be_is_put_aside(wrong: object, reason: str) -> None:
    fold, outputs = desk(wrong, CANDIDATE)
    assert [output.topic for output in outputs] == [TOPICS.dead_letters, TOPICS.alerts]
    (said,) = reasons(outputs)
    assert said.startswith(reason), said
    (block,) = [blocks.decode(output.value or b"") for output in fold.flush()]
    assert block.count == 1
    assert [key for key, _ in fold.changed()] == [b"a1"]


def test_a_candidate_that_fails_changes_nothing_of_its_alert() -> None:
    worse = CANDIDATE | {"type": "candidate.updated", "ver": 2, "data": {"level": "watch", "effort": "high"}}
    better = CANDIDATE | {"type": "candidate.updated", "ver": 2}
    _, outputs = desk(CANDIDATE, worse, better)
    assert [output.topic for output in outputs] == [TOPICS.alerts, TOPICS.dead_letters, TOPICS.alerts]
    assert json.loads(outputs[2].value or b"")["type"] == "alert.updated"
