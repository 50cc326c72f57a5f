"""The incidents adapter: what changes from row to row, and what it must not look at."""

from __future__ import annotations

import csv
import gzip
import random
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.sources.datasets import Replayed, paths, read, replayed

NAME = "servicenow-incidents"
FROM_THE_END = ("made_sla", "closed_code", "closed_at", "resolved_by", "resolved_at")
ROW = {
    "number": "0000007",
    "ident_state": "New",
    "reopen_count": "0",
    "sys_mod_count": "0",
    "made_sla": "true",
    "caller_id": "2403",
    "opened_at": "29/2/2016 01:16",
    "sys_updated_by": "21",
    "sys_updated_at": "29/2/2016 01:23",
    "contact_type": "Phone",
    "category": "55",
    "priority": "3",
    "assignment_group": "56",
    "closed_at": "5/3/2016 12:00",
}


def incident(tmp_path: Path, *changes: dict[str, str]) -> Replayed:
    """One row a dict; each row keeps what the ones before it said."""
    path = tmp_path / "incidents.csv"
    row = dict(ROW)
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, ROW, lineterminator="\n")
        writer.writeheader()
        for change in changes:
            row.update(change)
            writer.writerow(row)
    return read(NAME, path)


def at(minute: int, **change: str) -> dict[str, str]:
    return {"sys_updated_at": f"29/2/2016 02:{minute:02d}", "sys_mod_count": str(minute)} | change


def test_a_story_of_changes(tmp_path: Path) -> None:
    replay = incident(
        tmp_path,
        {},
        at(1, assignment_group="24"),
        at(2, ident_state="Active"),
        at(3, priority="1", assignment_group="25"),
        at(4, ident_state="Resolved"),
        at(5),
        at(6, ident_state="Active", reopen_count="1"),
        at(7, ident_state="Resolved"),
        at(8, ident_state="Closed"),
    )
    assert [event.id for event in replay.events] == [
        "0000007/1/created",
        "0000007/2/assignment_changed",
        "0000007/3/updated",
        "0000007/4/assignment_changed",
        "0000007/4/priority_changed",
        "0000007/5/solved",
        "0000007/6/updated",
        "0000007/7/reopened",
        "0000007/8/solved",
        "0000007/9/updated",
    ]
    created, moved = replay.values[:2]
    assert (created["time"], created["data"]["channel"]) == ("2016-02-29T01:16:00.000Z", "phone")
    assert moved["data"] == {
        "channel": "ticket",
        "journey": "support",
        "intent": "category-55",
        "case_id": "0000007",
        "team": "group-24",
        "agent_id": moved["data"]["agent_id"],
        "priority": "3",
        "from_team": "group-56",
        "to_team": "group-24",
    }
    assert moved["subject"] == "2403"
    assert replay.values[-1]["data"]["result"] == "closed"


def test_rows_of_one_minute_keep_their_order(tmp_path: Path) -> None:
    replay = incident(
        tmp_path,
        {},
        {
            "ident_state": "Active",
            "reopen_count": "1",
            "sys_updated_at": "1/3/2016 10:00",
            "sys_mod_count": "9",
        },
        {"ident_state": "Resolved", "reopen_count": "0", "sys_mod_count": "3"},
    )
    assert [(value["type"], value["time"][11:]) for value in replay.values] == [
        ("ticket.created", "01:16:00.000Z"),
        ("ticket.solved", "10:00:00.000Z"),
        ("ticket.reopened", "10:00:00.001Z"),
    ]
    assert {name: tally.first for name, tally in replay.counts.cleaned.items()} == {
        "same_minute": ["incidents.csv:3"],
        "out_of_order": ["incidents.csv:3"],
    }


def test_a_missing_team_is_no_change_and_a_missing_caller_is_anonymous(tmp_path: Path) -> None:
    replay = incident(tmp_path, {"caller_id": "?"}, at(1, assignment_group="?"), at(2, assignment_group="56"))
    assert [value["type"] for value in replay.values] == [
        "ticket.created",
        "ticket.updated",
        "ticket.updated",
    ]
    assert {event.key for event in replay.events} == {b"anon:0000007"}
    assert "team" not in replay.values[1]["data"]
    assert replay.counts.cleaned["anonymous_caller"].count == 3


BAD = {
    "bad_time": {"sys_updated_at": "30/2/2016 01:23"},
    "no_number": {"number": "?"},
    "no_state": {"ident_state": "?"},
    "bad_number": {"sys_mod_count": "many"},
    "wrong_columns": {"category": "5,5"},
}


@pytest.mark.parametrize("reason", BAD)
def test_bad_rows_are_counted_with_their_line(tmp_path: Path, reason: str) -> None:
    path = tmp_path / "incidents.csv"
    lines = [",".join(ROW), *(",".join((ROW | change).values()) for change in ({}, BAD[reason]))]
    path.write_text("\n".join(lines))
    replay = read(NAME, path)
    assert replay.counts.adds_up()
    assert {name: tally.first for name, tally in replay.counts.rejected.items()} == {
        reason: ["incidents.csv:3"]
    }
    assert len(replay.events) == 1


def test_what_the_log_knows_from_the_end_changes_nothing(tmp_path: Path) -> None:
    (path,) = paths(NAME)
    with gzip.open(path, "rt", newline="") as stream:
        head, *rows = [line for _, line in zip(range(8_000), csv.reader(stream), strict=False)]
    plain, shuffled = tmp_path / "plain.csv", tmp_path / "shuffled.csv"
    for target in (plain, shuffled):
        with target.open("w", newline="") as stream:
            csv.writer(stream).writerows([head, *rows])
        for column in map(head.index, FROM_THE_END):
            values = [row[column] for row in rows]
            random.Random(7).shuffle(values)
            for row, value in zip(rows, values, strict=True):
                row[column] = value
    assert plain.read_bytes() != shuffled.read_bytes()
    assert read(NAME, plain).events == read(NAME, shuffled).events


def test_the_whole_log_tells_what_its_own_counters_say() -> None:
    (path,) = paths(NAME)
    reopens: defaultdict[str, int] = defaultdict(int)
    states: defaultdict[str, set[str]] = defaultdict(set)
    with gzip.open(path, "rt", newline="") as stream:
        for row in csv.DictReader(stream):
            reopens[row["number"]] = max(reopens[row["number"]], int(row["reopen_count"]))
            states[row["number"]].add(row["ident_state"])
    events: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for value in replayed(NAME).values:
        events[value["data"]["case_id"]].append(value)
    assert events.keys() == states.keys()
    for number, own in events.items():
        types = Counter(value["type"] for value in own)
        assert own[0]["type"] == "ticket.created"
        assert types["ticket.created"] == 1
        assert (types["ticket.solved"] > 0) == ("Resolved" in states[number])
        assert (types["ticket.reopened"] > 0) == (reopens[number] > 0)
        turns = [value["type"] for value in own if value["type"] in ("ticket.solved", "ticket.reopened")]
        # Solved and reopened take turns, so the first solved is the first "Resolved".
        assert not any(a == b == "ticket.solved" for a, b in pairwise(turns))
    assert sum(map(bool, reopens.values())) == 175
