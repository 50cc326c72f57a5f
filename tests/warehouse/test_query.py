"""``rehuman sql``: what comes back is what is stored."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from streams.errors import OperationError
from streams.warehouse.query import run_sql
from streams.warehouse.writer import FactsWriter


def test_milliseconds_and_nulls_come_back(url: str) -> None:
    names = ["fact_id", "time", "given_up_at", "recovered_at", "wait_s"]
    moments = [917_827_200_007, 1_700_000_000_999]
    columns = [["a", "b"], moments, moments, [None, 1_700_000_000_001], [None, 1.5]]
    writer = FactsWriter(url)
    writer.insert("abandonments", names, columns)
    writer.close()
    found, rows = run_sql(
        url, "SELECT fact_id, time, recovered_at, wait_s FROM abandonments_exact ORDER BY fact_id"
    )
    assert found == ["fact_id", "time", "recovered_at", "wait_s"]
    assert rows == [
        ("a", datetime(1999, 2, 1, 0, 0, 0, 7000, tzinfo=UTC), None, None),
        (
            "b",
            datetime(2023, 11, 14, 22, 13, 20, 999000, tzinfo=UTC),
            datetime(2023, 11, 14, 22, 13, 20, 1000, tzinfo=UTC),
            1.5,
        ),
    ]


def test_an_empty_result_has_names_and_a_statement_without_result_has_none(url: str) -> None:
    assert run_sql(url, "SELECT fact_id FROM signals WHERE 0") == (["fact_id"], [])
    assert run_sql(url, "OPTIMIZE TABLE signals FINAL") == ([], [])


def test_a_mistake_is_one_line_with_clickhouses_own_words(url: str) -> None:
    with pytest.raises(OperationError, match=r"ClickHouse: .*nowhere.*\(code 60\)") as raised:
        run_sql(url, "SELECT * FROM nowhere")
    assert "\n" not in str(raised.value)
