"""Labels: what a plain count over the files' rows says, cut off where nothing is known, blind to the rest."""

from __future__ import annotations

import csv
import gzip
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest

from detectors.vocabulary import TYPES
from streams.errors import SettingError
from streams.sources.api import SourceEvent, cloud_event
from streams.targets.labels import KINDS, Label, labels
from streams.targets.spec import parse
from tests.sources.datasets import paths, replayed

HOUR = 3_600_000
RECONTACT = parse("recontact=3600,max=30")


@cache
def parsed(text: str, form: str) -> datetime:
    """Days and minutes come again and again; reading one takes long."""
    return datetime.strptime(text, form).replace(tzinfo=UTC)


def bank() -> dict[str, bool]:
    """Call by call: whether its customer calls again within the hour, from the file and no event."""
    (path,) = paths("anonymous-bank")
    calls = defaultdict(list)
    last = datetime.min.replace(tzinfo=UTC)
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        if row["outcome"] == "PHANTOM":
            continue

        def at(clock: str, row: dict[str, str] = row) -> datetime:
            hour, minute, second = map(int, clock.split(":"))
            day = parsed("19" + row["date"], "%Y%m%d")
            return day + timedelta(hours=hour, minutes=minute, seconds=second)

        start = end = at(row["vru_entry"])
        for name in ("vru_exit", "q_exit", "ser_exit"):
            moment = at(row[name])
            if start - moment > timedelta(hours=12) and name == "ser_exit" and row["ser_exit"] != "0:00:00":
                moment += timedelta(days=1)
            if row[name] != "0:00:00" and (name != "q_exit" or int(row["q_time"]) > 0):
                end = max(end, moment)
        last = max(last, end)
        if row["customer_id"] != "0":
            calls[row["customer_id"]].append((start, end, f"{row['vru+line']}:{row['call_id']}"))
    found = {}
    for own in calls.values():
        months = Counter(start.month for start, _, _ in own)
        for start, end, ref in own:
            if months[start.month] <= 30 and end + timedelta(hours=1) <= last:
                gaps = [s - end for s, _, other in own if other != ref and s >= end]
                found[ref] = bool(gaps) and min(gaps) <= timedelta(hours=1)
    return found


def test_calling_again_is_what_the_banks_rows_say() -> None:
    events = replayed("anonymous-bank").events
    found = labels(RECONTACT, events, zone="Asia/Jerusalem")
    plain = bank()
    mine = {event_id.split("@")[0]: label.positive for (_, event_id), label in found.items()}
    assert mine.keys() == plain.keys()
    assert [ref for ref, positive in mine.items() if plain[ref] != positive] == []
    assert (len(plain), sum(plain.values())) == (10_419, 1_411)


def incidents() -> dict[str, bool]:
    """Incident by incident: whether its count of reopenings rises after the first row that says Resolved."""
    (path,) = paths("servicenow-incidents")
    updates = defaultdict(list)
    with gzip.open(path, "rt", newline="") as stream:
        for place, row in enumerate(csv.DictReader(stream)):
            at = parsed(row["sys_updated_at"], "%d/%m/%Y %H:%M")
            mods = int(row["sys_mod_count"])
            updates[row["number"]].append((at, mods, place, row["ident_state"], int(row["reopen_count"])))
    found = {}
    for number, rows in updates.items():
        rows.sort()
        resolved = [place for place, row in enumerate(rows) if row[3] == "Resolved"]
        if resolved:
            before = max(row[4] for row in rows[: resolved[0] + 1])
            found[number] = any(row[4] > before for row in rows[resolved[0] :])
    return found


def test_reopening_is_what_the_incidents_rows_say() -> None:
    found = labels(parse("reopen"), replayed("servicenow-incidents").events)
    mine = {event_id.split("/")[0]: label.positive for (_, event_id), label in found.items()}
    assert mine == incidents()
    assert all((label.lead or 0) > 0 for label in found.values() if label.positive)


def days(last: int) -> list[SourceEvent]:
    """The bank's first days."""
    events = replayed("anonymous-bank").events
    return [event for event in events if event.time < events[0].time + last * 24 * HOUR]


def test_nothing_after_a_rows_window_changes_its_label() -> None:
    events = days(4)
    cut = events[len(events) // 2].time
    whole = labels(parse("recontact=3600"), events)
    early = {ref for ref, at in times(events).items() if ref in whole and at + HOUR < cut}
    assert len(early) > 100
    later = [one._replace(time=one.time + 7 * 24 * HOUR) if one.time >= cut else one for one in events]
    removed = [one for one in events if one.time < cut] + [events[-1]]
    for changed in (later, removed):
        found = labels(parse("recontact=3600"), changed)
        assert {ref: found[ref] for ref in early} == {ref: whole[ref] for ref in early}


def times(events: list[SourceEvent]) -> dict[tuple[str, str], int]:
    return {(event.source, event.id): event.time for event in events}


@pytest.mark.parametrize("text", ["recontact=3600", "recontact=3600,max=30", "abandon=60", "reopen"])
def test_until_is_as_if_the_file_ended_there(text: str) -> None:
    spec = parse(text)
    events = replayed("servicenow-incidents").events[:20_000] if text == "reopen" else days(3)
    until = events[len(events) // 2].time
    before = [event for event in events if event.time < until]
    found = labels(spec, events, until)
    assert found
    assert found == labels(spec, before, until)
    at = times(events)
    if spec.seconds:
        # Rows whose window was not over are left out, the good ones and the bad ones.
        assert max(at[ref] for ref in found) + spec.seconds * 1000 < until
        assert {ref for ref in labels(spec, events) if at[ref] + spec.seconds * 1000 < until} >= found.keys()
    else:
        assert all(at[ref] + (label.lead or 0) < until for ref, label in found.items())


Event = tuple[str, int, Mapping[str, object]]


def story(*told: Event, subject: str | None = "jane") -> list[SourceEvent]:
    made = [
        cloud_event(name, minute * 60_000, "s", f"{place}", subject, dict(data))
        for place, (name, minute, data) in enumerate(told)
    ]
    return sorted([*made, cloud_event("page_view", 600 * 60_000, "s", "last", "other", {})])


def again(*told: Event, subject: str | None = "jane") -> list[bool]:
    return [one.positive for one in labels(parse("recontact=3600"), story(*told, subject=subject)).values()]


CALL: dict[str, object] = {"conversation_id": "c1"}
CHAT: dict[str, object] = {"conversation_id": "c2"}


def test_what_begins_another_contact() -> None:
    end = ("call.ended", 5, CALL)
    assert again(("ivr.enter", 0, CALL), end) == [False]
    assert again(("ivr.enter", 5, CALL), end) == [False], "a call of no length is no second one"
    assert again(end, ("email.received", 20, {})) == [True]
    assert again(end, ("email.received", 66, {})) == [False], "after the hour"
    assert again(end, ("page_view", 20, {})) == [False], "self-service"
    assert again(end, ("message.sent", 20, {"channel": "bot"})) == [False]
    assert again(end, ("call.connected", 20, {"conversation_id": "c3", "direction": "outbound"})) == [False]
    assert again(end, ("ivr.enter", 20, {"conversation_id": "c3", "alert_id": "a"})) == [False]
    assert again(end, ("conversation.enqueued", 20, CHAT)) == [True], "from a bot to people"
    assert again(end, ("ivr.enter", 20, {"conversation_id": "c3"}), subject=None) == [], "anonymous"


def test_thanks_in_a_thread_are_no_contact_and_opening_it_again_is() -> None:
    chat: list[Event] = [("conversation.started", 0, CHAT), ("conversation.ended", 5, CHAT)]
    assert again(*chat, ("message.sent", 6, CHAT)) == [False]
    assert again(*chat, ("conversation.started", 9, CHAT)) == [True]
    asked = ("message.received", 10, {"conversation_id": "c9"})
    assert again(*chat, asked, ("message.sent", 11, {"conversation_id": "c9"})) == [False], "we wrote first"


def test_calls_without_an_id() -> None:
    first: list[Event] = [("call.queued", 0, {}), ("call.connected", 1, {}), ("call.ended", 5, {})]
    assert again(*first) == [False]
    assert again(*first, ("call.queued", 8, {}), ("call.abandoned", 9, {})) == [True, False]


def test_those_above_so_many_contacts_a_month_are_left_out() -> None:
    calls: list[Event] = [("ivr.enter", n * 10, {"conversation_id": f"c{n}"}) for n in range(4)]
    ends: list[Event] = [("call.ended", n * 10 + 1, {"conversation_id": f"c{n}"}) for n in range(4)]
    events = story(*calls, *ends)
    assert len(labels(parse("recontact=60,max=4"), events)) == 4
    assert labels(parse("recontact=60,max=3"), events) == {}


def test_leaving_a_queue_is_counted_from_its_beginning() -> None:
    left = story(("call.queued", 0, CALL), ("call.abandoned", 2, CALL))
    assert [*labels(parse("abandon=120"), left).values()] == [Label(True, 120_000, "jane")]
    assert [*labels(parse("abandon=119"), left).values()] == [Label(False, None, "jane")]
    served = story(("call.queued", 0, CALL), ("call.connected", 1, CALL), ("call.abandoned", 2, CALL))
    assert [*labels(parse("abandon=600"), served).values()] == [Label(False, None, "jane")]


def test_answers_below_the_middle_are_bad_ones() -> None:
    answers = [("ces", "2.0", 3), ("ces", "1.0", 2), ("csat", "", 3), ("nps", "", 4), ("other", "", 1)]
    told: list[Event] = [
        ("survey.response", n, {"metric": metric, "version": version, "score": score})
        for n, (metric, version, score) in enumerate(answers)
    ]
    found = labels(parse("survey"), story(*told))
    assert [one.positive for one in found.values()] == [True, False, False, True]


def test_records_the_fold_rejects_or_has_had_are_no_rows() -> None:
    end = story(("call.ended", 5, CALL))
    bad = end[0]._replace(id="bad", value=b"{")
    assert len(labels(parse("recontact=60"), [end[0], end[0], bad, *end[1:]])) == 1
    assert labels(parse("reopen"), []) == {}


def test_every_kind_is_a_type_of_the_vocabulary() -> None:
    assert all(kind in TYPES for kinds in KINDS.values() for kind in kinds)


@pytest.mark.parametrize(
    "text",
    [
        *("", "churn", "recontact", "recontact=", "recontact=-5", "recontact=0", "recontact=60,max=0"),
        *("recontact=60,min=3", "recontact=1e3", "recontact=\u0663", "reopen=5", "survey,max=3"),
        "abandon=60,max=3",
    ],
)
def test_a_target_that_cannot_be(text: str) -> None:
    with pytest.raises(SettingError, match=r"^--target: found"):
        parse(text)
