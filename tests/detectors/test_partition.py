"""The partition fold: the same findings however customers are spread, whenever it is restarted."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from zlib import crc32

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import BUILD
from detectors.events import Rejected
from detectors.examples import MONDAY, Story, fold, hours, minutes
from detectors.log import LogFold
from detectors.moment import Findings
from detectors.packed import snapshot
from detectors.partition import PartitionFold
from detectors.policy import default, parse
from detectors.tables import TABLES, Row
from streams.lanes.changelog import MARK, Merge
from streams.lanes.changelog import pack as stamped
from tests.detectors.traffic import MINUTE, Item, log_of, policy_text

POLICY = default()
FAR = MONDAY + 400 * 1_440 * MINUTE
PARTITION, OFFSET = (TABLES["events"].names.index(name) for name in ("partition", "offset"))
Facts = dict[tuple[str, str, int], Row]


def new_log(partition: int = 0, partitions: int = 1) -> LogFold:
    return LogFold(
        partition,
        POLICY,
        lambda _, subject: f"p-{subject}",
        lambda *_: "sealed",
        lambda subject: crc32(subject.encode()) % partitions,
    )


def facts(out: Findings) -> Facts:
    """Rows without provenance by (table, fact, version); none is said twice."""
    found: Facts = {}
    for table, rows in out.rows.items():
        for row in rows:
            key = (table, str(row[2]), int(str(row[8])))
            plain = (*row[:PARTITION], *row[OFFSET + 1 :])
            assert key not in found, f"{key} twice: {plain} and {found[key]}"
            found[key] = plain
    return found


def messages(out: Findings) -> dict[tuple[str, int], bytes]:
    found: dict[tuple[str, int], bytes] = {}
    for message in out.desk:
        key = (message["id"], message["ver"])
        assert key not in found
        bare = {name: value for name, value in message.items() if name not in ("partition", "offset")}
        found[key] = msgspec.json.encode(bare)
    return found


def folded(items: Sequence[Item], partitions: int) -> tuple[Facts, dict[tuple[str, int], bytes]]:
    """Each partition's own log: its customers' events, and everybody's ticks and policies."""
    all_facts: Facts = {}
    all_messages: dict[tuple[str, int], bytes] = {}
    for partition in range(partitions):
        log, out = new_log(partition, partitions), Findings()
        mine = [i for i in items if not i.subject or crc32(i.subject.encode()) % partitions == partition]
        for offset, item in enumerate(mine):
            assert isinstance(log.record(item.raw, FAR, offset, out), str)
        all_facts |= facts(out)
        all_messages |= messages(out)
    return all_facts, all_messages


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_findings_at_any_number_of_partitions(seed: int) -> None:
    items = log_of(seed, events=2_500, customers=40)
    one, told = folded(items, 1)
    assert len({key[0] for key in one}) == 6, "every table of the fold has rows"
    assert len(told) > 50
    for partitions in (8, 64):
        others, others_told = folded(items, partitions)
        assert others == one
        assert others_told == told


def test_the_same_log_gives_the_same_bytes() -> None:
    def run() -> list[bytes]:
        log, out = new_log(), Findings()
        for offset, item in enumerate(log_of(5, events=800, customers=9)):
            log.record(item.raw, FAR, offset, out)
        state = [value for pair in log.fold.changed() for value in pair]
        return [msgspec.json.encode(out.rows), msgspec.json.encode(out.desk), *state]

    assert run() == run()


# -- restarts


class Lane:
    """What a lane does around a fold: rows leave at a checkpoint, state follows, and then the mark.

    A crash may come at any step; the changelog keeps of each key the record of the highest position.
    """

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items
        self.changelog: list[tuple[bytes, bytes]] = []
        self.rows: dict[str, list[Row]] = {}
        self.desk: list[dict[str, object]] = []
        self.start()

    def start(self) -> None:
        merge = Merge()
        for key, value in self.changelog:
            merge.offer(key, value)
        self.log, self.out = new_log(), Findings()
        for key, state in merge.states():
            self.log.fold.load(key, state)
        self.position = merge.mark or 0
        # Until the next record comes, a restarted fold does not say what time it is.
        self.begun = False

    def run(self, records: int) -> None:
        for item in self.items[self.position : self.position + records]:
            self.log.record(item.raw, FAR, self.position, self.out)
            self.desk += self.out.desk
            self.out.desk.clear()
            self.position += 1
            self.begun = True

    def checkpoint(self, crash: float | None = None) -> None:
        """``crash`` is the share of the state's records that are written before it."""
        for table, rows in self.out.rows.items():
            self.rows.setdefault(table, []).extend(rows)
        self.out.found.clear()
        written = [(key, stamped(self.position, state)) for key, state in self.log.fold.changed() if state]
        if crash is not None:
            written = written[: round(len(written) * crash)]
        else:
            written.append((MARK, stamped(self.position, None)))
        self.changelog += written


def once(lane: Lane) -> tuple[dict[tuple[str, str, int], Row], dict[tuple[object, object], bytes]]:
    """Rows and messages as their readers keep them: whatever is repeated must be the same."""
    rows: dict[tuple[str, str, int], Row] = {}
    for table, sent in lane.rows.items():
        for row in sent:
            key = (table, str(row[2]), int(str(row[8])))
            assert rows.setdefault(key, row) == row
    desk: dict[tuple[object, object], bytes] = {}
    for message in lane.desk:
        packed = msgspec.json.encode(message)
        assert desk.setdefault((message["id"], message["ver"]), packed) == packed
    return rows, desk


def with_a_policy_of_the_past(items: list[Item]) -> list[Item]:
    """An activation after events of its time: it must not hold for them when they are read again."""
    raw = msgspec.json.encode(
        {
            "type": "io.rehuman.policy",
            "time": "2024-01-01T09:00:00Z",
            "data": {"version": 9, "policy": policy_text(9, form_error="9.0", lateness='"90s"')},
        }
    )
    half = len(items) // 3
    return [*items[:half], Item("", raw, 0), *items[half:]]


# Few customers, so that more of one's events are read again than are remembered by their ids.
ITEMS = with_a_policy_of_the_past(log_of(11, events=600, customers=3))
# (records until it, what happens): a checkpoint, or a crash with this share of the state written, or none.
EVENTS = st.tuples(st.integers(0, 250), st.sampled_from(["checkpoint", "die"]) | st.floats(0, 1))


def undisturbed() -> Lane:
    lane = Lane(ITEMS)
    lane.run(len(ITEMS))
    lane.checkpoint()
    return lane


WHOLE = undisturbed()


# As plain Python each takes five times as long.
@settings(max_examples=60 if BUILD == "compiled" else 20)
@given(st.lists(EVENTS, max_size=14))
def test_restarted_anywhere_it_ends_the_same(life: list[tuple[int, str | float]]) -> None:
    """Also where crashes leave customers, the clock and the policies ahead of the mark, again and again."""
    lane = Lane(ITEMS)
    for records, what in life:
        lane.run(records)
        if what == "checkpoint":
            lane.checkpoint()
        else:
            if isinstance(what, float):
                lane.checkpoint(crash=what)
            lane.start()
    lane.run(len(ITEMS))
    lane.checkpoint()
    assert once(lane) == once(WHOLE)
    assert lane.log.fold.watermark == (WHOLE.log.fold.watermark if lane.begun else 0)
    for key in WHOLE.log.fold.known.keys():  # noqa: SIM118 - it is no dict
        ours, theirs = (one.log.fold.known.get(key) for one in (lane, WHOLE))
        assert ours is not None
        assert theirs is not None
        assert snapshot(ours) == snapshot(theirs)


def test_nothing_but_dead_letters_after_a_restart_loses_no_clock() -> None:
    lane = Lane([*ITEMS[:200], *[Item("", b"broken", 0)] * 20, *ITEMS[200:]])
    lane.run(200)
    lane.checkpoint()
    for _ in range(3):
        lane.start()
        lane.run(3)
        lane.checkpoint()
    lane.start()
    before = lane.position
    lane.run(40)
    assert before == 209
    expected = new_log()
    for offset, item in enumerate(lane.items[: lane.position]):
        expected.record(item.raw, FAR, offset, Findings())
    assert lane.log.fold.watermark == expected.fold.watermark


# -- time


def test_timers_fire_in_the_order_of_due_and_key() -> None:
    story = Story()
    rng = random.Random(3)
    names = [f"c{number}" for number in range(20)]
    for at in range(30):
        about = {
            "journey": rng.choice("ab"),
            "step": rng.choice("xyz"),
            "channel": rng.choice(["web", "app"]),
        }
        kind = rng.choice(["form_start", "checkout_step", "step.entered"])
        story.tell(kind, at * 7_000 // 3, about, subject=rng.choice(names))
    story.until(hours(30))
    fired = [(row[3], f"{row[0]}\x1f{row[1]}") for row in story.out.rows["signals"]]
    assert len(fired) > 15
    assert fired == sorted(fired)


def test_the_queue_of_timers_holds_customers_not_events() -> None:
    story = fold(
        *[("form_change", at * 1000, {"step": "s"}) for at in range(2)], ("form_start", 3000, {"step": "s"})
    )
    for at in range(500):
        story.tell("form_change", 4000 + at * 1000, {"step": "s"})
    assert len(story.log.fold._timers) <= 2


@settings(max_examples=60)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, minutes(600))), min_size=1, max_size=60))
def test_the_watermark_is_never_ahead_of_the_last_tick_and_its_allowance(
    moves: list[tuple[bool, int]],
) -> None:
    """And it never goes back."""
    story = Story()
    story.tell("io.rehuman.tick", 0)
    tick, before = 0, -minutes(1)
    for is_tick, at in moves:
        story.tell("io.rehuman.tick" if is_tick else "page_view", at)
        tick = max(tick, at) if is_tick else tick
        watermark = story.log.fold.watermark - MONDAY
        assert before <= watermark <= tick + hours(1)
        before = max(before, watermark)


def test_one_clock_from_the_future_makes_nobody_late() -> None:
    story = Story()
    story.tell("io.rehuman.tick", 0).tell("page_view", hours(20), subject="future")
    story.tell("io.rehuman.tick", minutes(70)).tell("page_view", minutes(70))
    assert story.log.fold.counts.late == 0


def test_late_events_are_stored_and_raise_nothing() -> None:
    story = fold(("page_view", 0, {}), until=hours(5))
    story.tell("human.requested", hours(1), {"emotion": -1, "problem": True, "vulnerable": True})
    story.tell("step.failed", hours(1), {})
    rows = story.rows("events", late=1)
    assert [(row["ver"], row["effort"], row["human_need"]) for row in rows] == [(0, None, 0.0)] * 2
    assert not story.rows("signals")
    assert not story.desk
    assert story.log.fold.counts.late == 2
    just = story.log.fold.watermark - MONDAY
    story.tell("page_view", just)
    assert story.log.fold.counts.late == 2, "at the watermark is on time"


def test_an_event_sent_twice_counts_once() -> None:
    story = Story()
    for _ in range(3):
        story.tell("rage_click", 0, {}, id="same")
    story.tell("rage_click", 0, {}, id="same", source="another")
    assert len(story.rows("signals")) == 2
    assert story.log.fold.counts.duplicates == 2
    assert story.log.fold.counts.scored == 2


# -- the log


def test_misrouted_events_are_sent_on_unless_the_customer_is_known_here() -> None:
    log, out = new_log(1, 8), Findings()
    mine = next(i for i in log_of(3, 300, 60) if i.subject and crc32(i.subject.encode()) % 8 == 1)
    theirs = next(i for i in log_of(3, 300, 60) if i.subject and crc32(i.subject.encode()) % 8 == 2)
    assert log.record(theirs.raw, FAR, 0, out) == "misrouted"
    assert log.subject == theirs.subject
    assert not out.rows
    assert log.record(mine.raw, FAR, 1, out) == "event"


def test_dead_letters_have_a_row_without_their_bytes() -> None:
    log, out = new_log(), Findings()
    found = log.record(b"secret", 5, 7, out)
    assert isinstance(found, Rejected)
    log.reject("rehuman.events", found, b"secret", 5, 7, out)
    row = dict(zip(TABLES["dead_letters"].names, out.rows["dead_letters"][0], strict=True))
    assert (row["reason"], row["topic"], row["size"], row["time"], row["offset"]) == (
        "not_json",
        "rehuman.events",
        6,
        5,
        7,
    )
    assert "secret" not in str(row)


def rows_of(out: Findings) -> Iterator[tuple[str, Row]]:
    for table, rows in out.rows.items():
        for row in rows:
            yield table, row


def test_rows_are_as_the_catalogue_says() -> None:
    """Every value is of its column's kind: what is written to the database fits it."""
    kinds = {
        "lc": str,
        "str": str,
        "f64": float,
        "f64n": (float, type(None)),
        "ms": int,
        "msn": (int, type(None)),
    }
    log, out = new_log(), Findings()
    for offset, item in enumerate(log_of(21, 1_500, 12)):
        log.record(item.raw, FAR, offset, out)
    for table, row in rows_of(out):
        columns = TABLES[table].columns
        assert len(row) == len(columns)
        for column, value in zip(columns, row, strict=True):
            expected = kinds.get(column.kind, int)
            fits = isinstance(value, expected) or (column.kind in ("f64", "f64n") and type(value) is int)
            assert fits, (table, column, value)
            if column.kind == "u8":
                assert value in (0, 1), (table, column, value)


def test_a_fold_restored_from_nothing_begins_anew() -> None:
    fresh = PartitionFold(0, parse(policy_text(4)), lambda *_: "sealed")
    assert (fresh.watermark, len(fresh.known), fresh.policy.version) == (0, 0, 4)
