"""The desk's straight pass: every candidate is said once, and its end as well."""

from __future__ import annotations

import json
from typing import Any

import pytest

from detectors.policy import default
from detectors.tables import TABLES
from streams import blocks, desk_lane
from streams.desk_lane import DeskFold
from streams.events_lane import EventsFold
from streams.identity import Pseudonyms
from streams.lanes.api import Record
from streams.sources.api import cloud_event
from streams.topics import TopicNames

TOPICS = TopicNames("test")
NOW = 1_700_000_000_000
# Section 3 of the event contract.
FIELDS = [
    "alert_id",
    "tenant",
    "team",
    "level",
    "customer",
    "customer_ref",
    "refs",
    "links",
    "journey",
    "step",
    "intent",
    "language",
    "effort",
    "effort_customer",
    "ces",
    "human_need",
    "cause",
    "contributions",
    "factors",
    "tried",
    "do_not_ask",
    "recommended_channel",
    "opened_at",
    "trigger_event",
    "policy_version",
]


def candidates() -> list[bytes]:
    """What an events lane proposes: raised, raised higher, and completed."""
    names = Pseudonyms(b"0123456789abcdef", b"fedcba9876543210")
    lane = EventsFold(0, 1, TOPICS, default(), names)
    story: list[tuple[str, dict[str, object]]] = [
        ("step.entered", {"step": "pay", "channel": "web"}),
        ("human.requested", {"step": "pay", "prefers": "human"}),
        ("step.failed", {"step": "pay", "risk": 1.0, "problem": True, "emotion": -0.9}),
        ("step.failed", {"step": "pay"}),
        ("purchase", {"step": "pay", "channel": "web"}),
    ]
    found = []
    for place, (name, data) in enumerate(story):
        value = cloud_event(
            name, NOW + place, "web", str(place), "jane@example.com", {"journey": "buy", **data}
        )
        found += [output.value or b"" for output in lane.apply([Record(place, NOW, None, value.value)])]
    return found


def apply(desk: DeskFold, values: list[bytes]) -> list[dict[str, Any]]:
    outputs = desk.apply([Record(offset, NOW, b"default", value) for offset, value in enumerate(values)])
    for output in outputs:
        assert output.topic == "test.alerts"
        assert output.key == json.loads(output.value or b"")["data"]["alert_id"].encode()
    return [json.loads(output.value or b"") for output in outputs]


def test_raised_updated_resolved() -> None:
    desk = DeskFold(0, TOPICS)
    events = apply(desk, candidates())
    assert [event["type"] for event in events] == ["alert.raised", "alert.updated", "alert.resolved"]
    assert len({event["data"]["alert_id"] for event in events}) == 1
    assert [event["id"].split("/")[1] for event in events] == ["1", "2", "3"]
    for event in events:
        assert set(FIELDS) <= event["data"].keys(), event["type"]
        assert "jane" not in json.dumps(event)
    assert events[-1]["data"]["outcome"] == "completed"
    (output,) = desk.flush()
    block = blocks.decode(output.value or b"")
    assert (block.table, block.count) == ("alerts", 3)
    assert tuple(block.names) == TABLES["alerts"].names


def test_what_was_said_is_not_said_again_even_after_a_restart() -> None:
    values = candidates()
    first = DeskFold(0, TOPICS)
    assert len(apply(first, values[:2])) == 2
    assert apply(first, values[:2]) == []
    second = DeskFold(0, TOPICS)
    for key, value in first.changed():
        assert value is not None
        second.load(key, value)
    (event,) = apply(second, values)
    assert event["type"] == "alert.resolved"
    assert event["data"]["journey"] == "buy"


def test_what_is_no_candidate_goes_to_the_dead_letters() -> None:
    desk = DeskFold(0, TOPICS)
    (letter,) = desk.apply([Record(5, NOW, b"default", b'{"type":"alert.take"}')])
    assert letter.topic == "test.dead-letters"
    assert dict(letter.headers)["reason"] == b"not_for_the_desk"
    assert letter.value == b'{"type":"alert.take"}'


def of_another(values: list[bytes], number: int) -> list[bytes]:
    """The same of another alert."""
    (alert,) = {json.loads(value)["id"] for value in values}
    return [value.replace(alert.encode(), f"alert-{number}".encode()) for value in values]


def checkpoint(desk: DeskFold, changelog: dict[bytes, bytes]) -> set[bytes]:
    """Bring a compacted changelog up to date; the keys that were written."""
    changed = dict(desk.changed())
    for key, value in changed.items():
        changelog.pop(key, None)
        if value is not None:
            changelog[key] = value
    return set(changed)


def restored(changelog: dict[bytes, bytes]) -> DeskFold:
    desk = DeskFold(0, TOPICS)
    for key in sorted(changelog):
        desk.load(key, changelog[key])
    desk.ready()
    return desk


def test_so_many_alerts_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_lane, "MOST_OPEN", 3)
    monkeypatch.setattr(desk_lane, "MOST_ENDED", 2)
    raised, higher, ended = candidates()
    desk = DeskFold(0, TOPICS)
    changelog: dict[bytes, bytes] = {}
    log: list[bytes] = []

    def tell(to: DeskFold, *values: bytes) -> list[dict[str, Any]]:
        log.extend(values)
        outputs = to.apply([Record(len(log), NOW, b"default", value) for value in values])
        return [json.loads(output.value or b"") for output in outputs]

    for number in range(12):
        tell(desk, *of_another([raised], number))
    checkpoint(desk, changelog)
    assert changelog.keys() == {b"alert-9", b"alert-10", b"alert-11"}
    tell(desk, *of_another([higher], 9))
    tell(desk, *of_another([raised], 12))  # alert 10 is the one of which nothing was said for longest
    assert checkpoint(desk, changelog) == {b"alert-9", b"alert-10", b"alert-12"}
    assert changelog.keys() == {b"alert-9", b"alert-11", b"alert-12"}
    for number in range(20, 24):
        tell(desk, *of_another([raised, ended], number))
    checkpoint(desk, changelog)
    again = restored(changelog)
    # Ended alerts take no place of open ones, and what was said of those that are remembered is known.
    assert tell(again, *of_another([raised, higher], 9), *of_another([raised, higher, ended], 23)) == []


def test_what_is_remembered_does_not_depend_on_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_lane, "MOST_OPEN", 3)
    monkeypatch.setattr(desk_lane, "MOST_ENDED", 2)
    raised, higher, ended = candidates()
    script = [of_another(told, number) for number in (5, 3, 8, 1) for told in ([raised], [higher], [ended])]
    script += [of_another([raised], number) for number in (7, 2, 9, 4)]
    later = [of_another(told, number) for number in (2, 7, 3, 1, 8, 9) for told in ([higher], [ended])]
    straight, broken = DeskFold(0, TOPICS), DeskFold(0, TOPICS)
    records = [Record(n, NOW, b"default", value) for n, (value,) in enumerate(script + later)]
    for desk in (straight, broken):
        desk.apply(records[: len(script)])
    changelog: dict[bytes, bytes] = {}
    checkpoint(broken, changelog)
    broken = restored(changelog)
    said = [output.value for output in straight.apply(records[len(script) :])]
    assert [output.value for output in broken.apply(records[len(script) :])] == said


def test_the_end_of_an_alert_that_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_lane, "MOST_OPEN", 1)
    raised, _, ended = candidates()
    desk = DeskFold(0, TOPICS)
    apply(desk, of_another([raised], 1) + of_another([raised], 2))
    (event,) = apply(desk, of_another([ended], 1))
    assert (event["type"], event["data"]["outcome"]) == ("alert.resolved", "completed")
    assert event["data"]["alert_id"] == "alert-1"
