"""``*_exact`` gives each fact once, at its highest version, whatever arrived how often in which order."""

from __future__ import annotations

import itertools

import pytest

from streams.warehouse.client import connect
from streams.warehouse.query import run_sql
from streams.warehouse.writer import FactsWriter

NAMES = ["tenant", "customer", "fact_id", "time", "ver", "retracted", "late", "signal", "points"]
ON_TIME, LATE, AMENDED, RETRACTED = "on time", "late", "amended", "retracted"
VERSIONS = {
    ON_TIME: (1, 0, 0, 10.0),
    LATE: (0, 0, 1, 99.0),
    AMENDED: (2, 0, 0, 12.0),
    RETRACTED: (3, 1, 0, 0.0),
}


def _send(writer: FactsWriter, *arrivals: str) -> None:
    for arrival in arrivals:
        ver, retracted, late, points = VERSIONS[arrival]
        row = ["default", "c", "f1", 917_827_200_007, ver, retracted, late, "form_error", points]
        writer.insert("signals", NAMES, [[value] for value in row])
    writer.close()


@pytest.mark.parametrize("order", sorted(set(itertools.permutations([ON_TIME, LATE, ON_TIME, AMENDED]))))
def test_the_highest_version_stays_and_a_late_copy_replaces_none(url: str, order: tuple[str, ...]) -> None:
    _send(FactsWriter(url), *order)
    assert run_sql(url, "SELECT fact_id, ver, points, late FROM signals_exact")[1] == [("f1", 2, 12.0, 0)]


def test_what_is_retracted_is_gone_also_after_merges(url: str) -> None:
    _send(FactsWriter(url), RETRACTED, AMENDED, ON_TIME)
    client = connect(url)
    assert client.execute("SELECT count() FROM signals_exact") == [(0,)]
    client.execute("OPTIMIZE TABLE signals FINAL")
    assert client.execute("SELECT count() FROM signals_exact") == [(0,)]
    assert client.execute("SELECT ver FROM signals") == [(3,)]
    client.disconnect()


def test_versions_that_come_in_one_insert_are_told_apart(url: str) -> None:
    """The insert does not merge them (``optimize_on_insert``), so one part holds them all."""
    rows = []
    for arrival in (ON_TIME, LATE, AMENDED, ON_TIME, AMENDED):
        ver, retracted, late, points = VERSIONS[arrival]
        rows.append(["default", "c", "f1", 917_827_200_007, ver, retracted, late, "form_error", points])
    writer = FactsWriter(url)
    writer.insert("signals", NAMES, list(zip(*rows, strict=True)))
    writer.close()
    assert run_sql(url, "SELECT count(), uniqExact(_part) FROM signals")[1] == [(5, 1)]
    assert run_sql(url, "SELECT fact_id, ver, points, late FROM signals_exact")[1] == [("f1", 2, 12.0, 0)]


def test_a_late_fact_alone_is_there(url: str) -> None:
    _send(FactsWriter(url), LATE, LATE)
    assert run_sql(url, "SELECT ver, late FROM signals_exact")[1] == [(0, 1)]
