"""The real files, used where they lie: ``../shared/datasets`` beside the repository, or DATASETS.

A missing file fails the test that needs it; nothing is skipped.
"""

from __future__ import annotations

import csv
import json
import os
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from streams.sources.api import SourceCounts, SourceEvent, get_source
from streams.sources.files import read_merged

FILES = {
    "anonymous-bank": ["anonymous_bank/february_1999.csv"],
    "servicenow-incidents": ["servicenow_incidents/incidents_opened_before_2016-04-15.csv.gz"],
    "airbnb-sessions": ["airbnb_sessions/airbnb-session-data.txt"],
    "bpi2016-complaints": ["bpi2016_complaints/BPI2016_Complaints.csv"],
    "mhch": ["mhch_clothing/clothing_eval.jsonl", "mhch_clothing/clothing_test.jsonl"],
}


class Replayed(NamedTuple):
    """One data set as its adapter gives it: events, their JSON decoded, and the account."""

    events: list[SourceEvent]
    values: list[dict[str, Any]]
    counts: SourceCounts


def root() -> Path:
    """Where the data sets are."""
    given = os.environ.get("DATASETS")
    return Path(given) if given else Path(__file__).resolve().parents[2].parent / "shared" / "datasets"


def paths(name: str) -> list[Path]:
    """The files of one data set."""
    return [root() / file for file in FILES[name]]


def read(name: str, *files: Path) -> Replayed:
    """Files through the adapter called ``name``."""
    counts = SourceCounts()
    events = list(read_merged(get_source(name), files, counts))
    return Replayed(events, [json.loads(event.value) for event in events], counts)


@cache
def once(name: str, *files: Path) -> Replayed:
    """As :func:`read`, once in a test run."""
    return read(name, *files)


def replayed(name: str) -> Replayed:
    """The whole data set, read once in a test run."""
    return once(name, *paths(name))


def first_days(directory: Path, last: str = "990203") -> Path:
    """The bank's calls up to the day ``last`` (yymmdd) in a file of their own, for what needs no whole month.

    Three days, a sixth of the month, are 5,362 calls.
    """
    (whole,) = paths("anonymous-bank")
    path = directory / f"until_{last}.csv"
    with whole.open(newline="") as source, path.open("w", newline="") as target:
        rows = csv.reader(source)
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow(header := next(rows))
        day = header.index("date")
        writer.writerows(row for row in rows if row[day] <= last)
    return path
