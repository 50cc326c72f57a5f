"""The dialogues: a fixed cadence, and labels that stay out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.sources.datasets import paths, read, replayed

GOOD = '{"dialogue": "d1", "n_turns": 3, "role": [0, 1, 0], "handoff": [0, 1, 1], "utt_len": [3, 15, 2]}'


def test_a_dialogue(tmp_path: Path) -> None:
    path = tmp_path / "dialogues.jsonl"
    path.write_text(GOOD + "\n" + GOOD.replace("d1", "d2"))
    values = read("mhch", path).values
    assert [(v["type"], v["time"][11:19]) for v in values if v["data"]["conversation_id"] == "d1"] == [
        ("conversation.started", "09:00:00"),
        ("message.sent", "09:00:00"),
        ("message.received", "09:00:20"),
        ("message.sent", "09:00:40"),
        ("conversation.ended", "09:01:00"),
    ]
    second = next(value for value in values if value["data"]["conversation_id"] == "d2")
    assert second["time"] == "2021-01-04T09:10:00.000Z"


@pytest.mark.parametrize(
    ("reason", "row"),
    [
        ("not_json", "{"),
        ("not_json", '{"dialogue": "d\xff"}'),
        ("not_a_dialogue", "[]"),
        ("not_a_dialogue", '{"dialogue": "d2"}'),
        ("no_dialogue_id", GOOD.replace("d1", "")),
        ("no_utterances", '{"dialogue": "d2", "role": []}'),
        ("unknown_role", '{"dialogue": "d2", "role": [0, 2]}'),
        ("repeated_dialogue", GOOD),
    ],
)
def test_bad_rows_are_counted_with_their_line(tmp_path: Path, reason: str, row: str) -> None:
    path = tmp_path / "dialogues.jsonl"
    path.write_bytes(f"{GOOD}\n{row}\n".encode("latin-1"))
    replay = read("mhch", path)
    assert replay.counts.adds_up()
    assert {name: tally.first for name, tally in replay.counts.rejected.items()} == {
        reason: ["dialogues.jsonl:2"]
    }


def test_the_labels_are_not_read(tmp_path: Path) -> None:
    flipped = []
    for path in paths("mhch"):
        target = tmp_path / path.name
        flipped.append(target)
        with target.open("w") as stream:
            for line in path.read_text().splitlines():
                dialogue = json.loads(line)
                dialogue["handoff"] = [1 - label for label in dialogue["handoff"]]
                stream.write(json.dumps(dialogue) + "\n")
    assert read("mhch", *flipped).events == replayed("mhch").events
