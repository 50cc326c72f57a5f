"""Policies in the log: a version holds for events at or after its time, whenever it is read again."""

from __future__ import annotations

import msgspec

from detectors.decode import REASONS
from detectors.events import Rejected
from detectors.examples import MONDAY, Story, hours, minutes
from tests.detectors.traffic import policy_text


def activation(story: Story, version: int, at: int, **changes: str) -> Story:
    data = {"version": version, "policy": policy_text(version, **changes)}
    return story.tell("io.rehuman.policy", at, data)


def versions(story: Story) -> list[int]:
    return [row["policy_version"] for row in story.rows("events")]


def test_a_version_holds_for_events_at_or_after_its_time() -> None:
    story = activation(Story(), 2, 60_000, rage_click="7.0")
    for at in (59_999, 60_000, 70_000, 59_998):
        story.tell("rage_click", at)
    assert versions(story) == [1, 2, 2, 1]
    assert [row["points"] for row in story.rows("signals")] == [4, 7, 7, 4]


def test_the_same_activation_twice_is_one_and_the_latest_time_wins() -> None:
    story = Story()
    activation(activation(activation(story, 2, 60_000), 3, 90_000), 2, 60_000)
    for at in (59_999, 70_000, 95_000):
        story.tell("page_view", at)
    assert versions(story) == [1, 2, 3]
    changed = dict(story.log.fold.changed())
    assert len(msgspec.msgpack.decode(changed[b"\x00policies"])) == 2
    assert b"\x00policies" not in dict(story.log.fold.changed()), "written when it changes"


def test_timers_fire_under_the_policy_of_their_time() -> None:
    story = activation(Story(), 2, minutes(20), abandoned_form="9.0")
    story.tell("form_start", 0)
    story.until(hours(2))
    (signal,) = story.rows("signals")
    assert (signal["points"], signal["policy_version"]) == (9.0, 2)


def test_lateness_turns_with_the_policy() -> None:
    """When event time reaches it, neither before nor at the next restart."""

    def late(at: int) -> int:
        story = activation(Story(), 2, minutes(20), lateness='"10min"')
        story.tell("page_view", at).tell("page_view", at - minutes(5))
        return story.log.fold.counts.late

    assert (late(minutes(19)), late(minutes(21))) == (1, 0)


def test_a_policy_that_is_wrong_changes_nothing() -> None:
    story = Story()
    data = b'{"version":2,"policy":"version = 2"}'
    raw = b'{"type":"io.rehuman.policy","time":"2024-01-01T00:00:00Z","data":' + data + b"}"
    found = story.log.record(raw, MONDAY, 0, story.out)
    assert found == Rejected("bad_policy")
    assert "bad_policy" in REASONS
    story.tell("page_view", 0)
    assert versions(story) == [1]


def test_policies_are_remembered_up_to_a_limit() -> None:
    story = Story()
    for number in range(40):
        activation(story, 2 + number, 1000 * number)
    assert len(dict(story.log.fold.changed())[b"\x00policies"]) < 512 * 1024
    story.tell("page_view", 50_000)
    assert versions(story) == [41]
