"""The complaints adapter: one event a complaint, nothing protected on it."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from tests.sources.datasets import paths, read, replayed

NAME = "bpi2016-complaints"
HEAD = (
    "CustomerID;AgeCategory;Gender;ComplaintDossierID;ComplaintID;ContactDate;ContactChannelID;ComplaintTheme;"
    "ComplaintTheme_EN;ComplaintSubtheme_EN;ComplaintTopic_EN"
)
GOOD = "77;50-65;V;12;34;2016-01-12;8;ge\xefnteresseerd;services;N.A.;Website not available"


def test_a_complaint(tmp_path: Path) -> None:
    path = tmp_path / "complaints.csv"
    path.write_bytes(f"{HEAD}\r\n{GOOD}\r\n".encode("latin-1"))
    (value,) = read(NAME, path).values
    assert value["time"] == "2016-01-12T12:00:00.000Z"
    assert (value["type"], value["subject"], value["id"]) == ("complaint.opened", "77", "34/opened")
    assert value["data"] == {
        "channel": "other",
        "journey": "complaints",
        "intent": "services",
        "case_id": "12",
        "reason": "website-not-available",
    }


@pytest.mark.parametrize(
    ("reason", "row"),
    [
        ("bad_date", GOOD.replace("2016-01-12", "2016-13-12").replace(";34;", ";35;")),
        ("bad_date", GOOD.replace("2016-01-12", "12-1-2016").replace(";34;", ";35;")),
        ("no_complaint_id", GOOD.replace(";34;", ";;")),
        ("repeated_complaint", GOOD),
        ("wrong_columns", GOOD + ";"),
    ],
)
def test_bad_rows_are_counted_with_their_line(tmp_path: Path, reason: str, row: str) -> None:
    path = tmp_path / "complaints.csv"
    path.write_bytes(f"{HEAD}\r\n{GOOD}\r\n{row}\r\n".encode("latin-1"))
    replay = read(NAME, path)
    assert replay.counts.adds_up()
    assert {name: tally.first for name, tally in replay.counts.rejected.items()} == {
        reason: ["complaints.csv:3"]
    }


def test_age_and_gender_are_never_emitted() -> None:
    (path,) = paths(NAME)
    with path.open(encoding="latin-1", newline="") as stream:
        ages = {row["AgeCategory"] for row in csv.DictReader(stream, delimiter=";")}
    for value in replayed(NAME).values:
        assert not ages & {str(field) for field in value["data"].values()}
        assert not {"V", "M"} & {str(field) for field in value["data"].values()}
    assert Counter(value["data"]["intent"] for value in replayed(NAME).values) == {
        "services": 246,
        "treatment-attitude-behavior": 41,
        "duration-of-treatment": 2,
    }
