"""One contract for whatever takes facts, and what only the real writer must do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from clickhouse_driver import Client, errors

from detectors.tables import TABLES
from streams.errors import OperationError, SettingError
from streams.warehouse.client import connect
from streams.warehouse.double import ListWriter
from streams.warehouse.errors import SchemaMismatch
from streams.warehouse.query import run_sql
from streams.warehouse.split import MAX_PARTITIONS
from streams.warehouse.writer import ATTEMPTS, FactsSink, FactsWriter
from tests.support.engine import EngineUnderTest, running

MONTH_MS = 31 * 86_400_000
NAMES = ["fact_id", "time", "points", "signal", "ver"]
Rows = Callable[[], list[tuple[object, ...]]]


def _rows(count: int, step_ms: int = 1, start: int = 917_827_200_007) -> list[list[Any]]:
    return [
        [f"f{n:06}" for n in range(count)],
        [start + n * step_ms for n in range(count)],
        [n / 3 for n in range(count)],
        ["form_error"] * count,
        [1] * count,
    ]


@pytest.fixture(params=["double", "clickhouse"])
def sink(request: pytest.FixtureRequest) -> Iterator[tuple[FactsSink, Rows]]:
    """Each sink with a way to read what it took: (fact_id, time in ms, points)."""
    if request.param == "double":
        double = ListWriter()
        shown = ("fact_id", "time", "points")
        yield double, lambda: [tuple(row[name] for name in shown) for row in double.rows.get("signals", [])]
        return
    url = request.getfixturevalue("url")
    query = "SELECT fact_id, toUnixTimestamp64Milli(time), points FROM signals ORDER BY fact_id"
    writer = FactsWriter(url)
    yield writer, lambda: run_sql(url, query)[1]
    writer.close()


def test_what_is_inserted_is_there(sink: tuple[FactsSink, Rows]) -> None:
    writer, rows = sink
    columns = _rows(1000)
    assert writer.insert("signals", NAMES, columns) == 1000
    assert rows() == list(zip(*columns[:3], strict=True))


def test_nothing_is_nothing(sink: tuple[FactsSink, Rows]) -> None:
    writer, rows = sink
    assert writer.insert("signals", NAMES, [[], [], [], [], []]) == 0
    assert rows() == []


def test_the_callers_columns_stay_as_they_are(sink: tuple[FactsSink, Rows]) -> None:
    """A batch that failed is sent again: a None must not have become the driver's stand-in for it."""
    writer, _ = sink
    columns: list[list[Any]] = [["f"], [1], [None], [None]]
    writer.insert("abandonments", ["fact_id", "time", "recovered_at", "wait_s"], columns)
    assert columns == [["f"], [1], [None], [None]]


@pytest.mark.parametrize(
    ("table", "names", "says"),
    [
        ("nowhere", ["fact_id"], "table nowhere is missing"),
        ("signals", ["fact_id", "unheard_of"], "column signals.unheard_of is missing"),
    ],
)
def test_what_the_database_lacks_is_named(
    sink: tuple[FactsSink, Rows], table: str, names: list[str], says: str
) -> None:
    writer, rows = sink
    with pytest.raises(SchemaMismatch, match=says):
        writer.insert(table, names, [["a"] for _ in names])
    assert rows() == []


@pytest.mark.parametrize("columns", [[["a"], [1, 2]], [["a"]]])
def test_uneven_columns_are_a_defect(sink: tuple[FactsSink, Rows], columns: list[list[object]]) -> None:
    with pytest.raises(ValueError, match="one length"):
        sink[0].insert("signals", ["fact_id", "time"], columns)


def test_every_column_of_the_catalogue_can_be_written(url: str) -> None:
    values: dict[str, list[object]] = {
        "lc": ["a", ""], "str": ["ü", ""], "f64": [0.1, -1e300], "f64n": [None, 0.25], "u8": [0, 1],
        "u32": [0, 2**32 - 1], "i32": [-1, 5], "i64": [-1, 2**63 - 1],
        "ms": [0, 4_102_444_800_123], "msn": [None, 1],
    }  # fmt: skip
    writer = FactsWriter(url)
    for table in TABLES.values():
        columns = [values[kind] for kind in table.kinds]
        assert writer.insert(table.name, table.names, columns) == 2
        shown = ", ".join(
            f"toUnixTimestamp64Milli(`{c.name}`)" if c.kind in ("ms", "msn") else f"`{c.name}`"
            for c in table.columns
        )
        rows = run_sql(url, f"SELECT {shown} FROM `{table.name}` ORDER BY time")[1]
        assert rows == list(zip(*columns, strict=True)), table.name
    writer.close()


def test_a_batch_over_many_months_arrives_in_pieces(url: str) -> None:
    months = 2 * MAX_PARTITIONS + 20
    writer = FactsWriter(url)
    assert writer.insert("signals", NAMES, _rows(months, step_ms=MONTH_MS, start=0)) == months
    assert run_sql(url, "SELECT count(), uniqExact(toYYYYMM(time)) FROM signals")[1] == [(months, months)]
    writer.close()


def test_inserting_twice_is_inserting_once(url: str) -> None:
    writer = FactsWriter(url)
    for _ in range(3):
        writer.insert("signals", NAMES, _rows(100))
    writer.close()
    assert run_sql(url, "SELECT count() FROM signals_exact")[1] == [(100,)]


def test_an_outage_of_a_server_is_told_after_bounded_retries_and_ends(tmp_path: Path) -> None:
    pauses: list[float] = []
    with running(tmp_path) as engine:
        engine.migrate()
        writer = FactsWriter(engine.server_url, sleep=pauses.append)
        writer.insert("signals", NAMES, _rows(10))
        engine.kill()
        with pytest.raises(OperationError, match=rf"does not answer: .*; tried {ATTEMPTS} times"):
            writer.insert("signals", NAMES, _rows(20))
        assert len(pauses) == ATTEMPTS - 1
        assert sum(pauses) < 5
        engine.start()
        writer.insert("signals", NAMES, _rows(20))
        assert run_sql(engine.url, "SELECT count() FROM signals_exact")[1] == [(20,)]
        writer.close()


def test_an_embedded_engine_that_died_is_started_again_where_it_was(tmp_path: Path) -> None:
    with running(tmp_path) as engine:
        engine.migrate()
        writer = FactsWriter(engine.url)
        writer.insert("signals", NAMES, _rows(10))
        engine.kill()
        assert writer.insert("signals", NAMES, _rows(20)) == 20
        assert run_sql(engine.url, "SELECT count() FROM signals_exact")[1] == [(20,)]
        writer.close()


def test_each_thread_has_a_client_of_its_own(url: str) -> None:
    writer = FactsWriter(url)
    failures: list[Exception] = []

    def write(number: int) -> None:
        try:
            for batch in range(5):
                columns = _rows(200)
                columns[0] = [f"{number}-{batch}-{row}" for row in range(200)]
                writer.insert("signals", NAMES, columns)
        except Exception as error:
            failures.append(error)
        finally:
            writer.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert run_sql(url, "SELECT count() FROM signals_exact")[1] == [(4000,)]


class _Refusing:
    """A client whose server refuses inserts with one code, and knows what a server knows otherwise."""

    def __init__(self, code: int, real: Client) -> None:
        self._code = code
        self._real = real
        self.tries = 0

    def execute(self, statement: str, *arguments: Any, **options: Any) -> Any:
        if statement.startswith("INSERT"):
            self.tries += 1
            raise errors.ServerException("DB::Exception: value 'Jane Doe' of a customer", self._code)
        return self._real.execute(statement, *arguments, **options)

    def disconnect(self) -> None:
        self._real.disconnect()


@pytest.mark.parametrize(("code", "tries"), [(252, ATTEMPTS), (241, ATTEMPTS), (6, 1), (53, 1)])
def test_a_refusal_is_told_by_its_code_and_never_by_its_text(url: str, code: int, tries: int) -> None:
    client = _Refusing(code, connect(url))
    writer = FactsWriter(url, opens=lambda *_, **__: client, sleep=lambda _: None)
    with pytest.raises(OperationError, match=f"code {code}") as raised:
        writer.insert("signals", NAMES, _rows(1))
    assert "Jane" not in str(raised.value)
    assert client.tries == tries
    assert isinstance(raised.value, SchemaMismatch) == (code == 53)


def test_a_column_of_another_type_is_named(url: str) -> None:
    client = connect(url)
    client.execute("ALTER TABLE signals MODIFY COLUMN points String")
    with pytest.raises(SchemaMismatch, match=r"column signals\.points is String; it should be Float64"):
        FactsWriter(url).insert("signals", NAMES, _rows(1))
    client.disconnect()


def test_a_row_that_fits_no_column_is_a_defect_and_does_not_spoil_the_next(url: str) -> None:
    writer = FactsWriter(url)
    for spoilt in ("Jane Doe", None):
        columns = _rows(2)
        columns[2][1] = spoilt
        with pytest.raises(ValueError, match=r"a value does not fit column signals\.points") as raised:
            writer.insert("signals", NAMES, columns)
        assert "Jane" not in str(raised.value)
    assert writer.insert("signals", NAMES, _rows(2)) == 2
    assert run_sql(url, "SELECT count() FROM signals")[1] == [(2,)]
    writer.close()


def test_a_bad_url_is_known_at_once() -> None:
    with pytest.raises(SettingError):
        FactsWriter("http://wrong")


def test_the_double_fails_when_told() -> None:
    double = ListWriter()
    double.fail(2)
    for _ in range(2):
        with pytest.raises(OperationError):
            double.insert("signals", ["fact_id"], [["a"]])
    assert double.insert("signals", ["fact_id"], [["a"]]) == 1
    assert double.inserts == [("signals", 1)]


def test_the_engine_of_a_url_is_started_by_the_first_insert(engine: EngineUnderTest, tmp_path: Path) -> None:
    other = EngineUnderTest(tmp_path)
    writer = FactsWriter(other.url)
    try:
        with pytest.raises(SchemaMismatch, match="has no database rehuman"):
            writer.insert("signals", NAMES, _rows(1))
    finally:
        other.stop()
