"""The native protocol, spoken by the real driver to the real process."""

from __future__ import annotations

import socket
import threading
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from clickhouse_driver import Client, errors

from tests.support.engine import EngineUnderTest

MOMENT = 917_827_200_007  # 1999-02-01 00:00:00.007 UTC
EVERY_TYPE = {
    "LowCardinality(String)": ["a", "b", "a"],
    "LowCardinality(Nullable(String))": ["a", None, "a"],
    "Nullable(Float64)": [1.5, None, -2.5],
    "Float64": [0.1, 1e300, -0.0],
    "UInt8": [0, 1, 255],
    "Int64": [-(2**63), 0, 2**63 - 1],
    "String": ["", "ünï", "x" * 300],
    "Array(Nullable(String))": [[], ["a", None], ["b"]],
    "Map(String, Array(UInt8))": [{}, {"a": [1, 2]}, {"b": []}],
    "Tuple(UInt8, String)": [(1, "a"), (2, "b"), (3, "")],
    "Date": [date(1999, 2, 1), date(2026, 1, 1), date(1970, 1, 1)],
    "UUID": [UUID(int=1), UUID(int=2), UUID(int=3)],
    "Decimal(12, 2)": [Decimal("1.25"), Decimal("-3"), Decimal("0")],
    "Enum8('a' = 1, 'b' = 2)": ["a", "b", "a"],
    "Bool": [True, False, True],
}


@pytest.mark.parametrize("kind", EVERY_TYPE)
def test_values_come_back_as_they_went(client: Client, kind: str) -> None:
    client.execute(f"CREATE TABLE t (n UInt8, v {kind}) ENGINE = MergeTree ORDER BY n")
    values = EVERY_TYPE[kind]
    sent = client.execute("INSERT INTO t (n, v) VALUES", [[0, 1, 2], list(values)], columnar=True)
    assert sent == 3
    assert [value for (value,) in client.execute("SELECT v FROM t ORDER BY n")] == values


def test_times_are_integers_on_the_way_in_and_exact_on_the_way_out(client: Client) -> None:
    client.execute(
        "CREATE TABLE t (a DateTime64(3, 'UTC'), b Nullable(DateTime64(3, 'UTC'))) "
        "ENGINE = MergeTree ORDER BY a"
    )
    client.execute("INSERT INTO t (a, b) VALUES", [[MOMENT, MOMENT + 1], [None, MOMENT]], columnar=True)
    at = datetime(1999, 2, 1, 0, 0, 0, 7000, tzinfo=UTC)
    assert client.execute("SELECT * FROM t ORDER BY a") == [(at, None), (at.replace(microsecond=8000), at)]
    assert client.execute("SELECT toUnixTimestamp64Milli(a) FROM t ORDER BY a") == [(MOMENT,), (MOMENT + 1,)]


def test_a_large_insert_in_many_blocks_arrives_whole(client: Client) -> None:
    client.execute("CREATE TABLE t (a UInt64, s String) ENGINE = MergeTree ORDER BY a")
    rows = 50_000
    columns = [list(range(rows)), [f"value {n}" for n in range(rows)]]
    client.execute("INSERT INTO t VALUES", columns, columnar=True, settings={"insert_block_size": 7000})
    assert client.execute("SELECT count(), sum(a), uniqExact(s) FROM t") == [
        (rows, rows * (rows - 1) // 2, rows)
    ]


def test_a_large_result_arrives_whole_and_in_order(client: Client) -> None:
    rows = client.execute("SELECT number, toString(number) FROM numbers(200000) ORDER BY number")
    assert len(rows) == 200_000
    assert rows[-1] == (199_999, "199999")


def test_an_empty_result_has_its_columns(client: Client) -> None:
    rows, columns = client.execute("SELECT 1 AS a, 'x' AS b WHERE 0", with_column_types=True)
    assert (rows, columns) == ([], [("a", "UInt8"), ("b", "String")])
    assert client.execute("SELECT 1 AS a FORMAT JSON", with_column_types=True) == ([(1,)], [("a", "UInt8")])


def test_statements_that_are_not_selects(client: Client) -> None:
    assert client.execute("CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a") == []
    assert client.execute("INSERT INTO t VALUES (1), (2)") == []
    assert client.execute("INSERT INTO t SELECT 3") == []
    assert client.execute("INSERT INTO t VALUES", []) == 0
    assert client.execute("SHOW TABLES", with_column_types=True) == ([("t",)], [("name", "String")])
    assert client.execute("EXISTS t") == [(1,)]
    assert client.execute("SELECT sum(a) FROM t") == [(6,)]


def test_parameters_iteration_and_progress(client: Client) -> None:
    assert client.execute("SELECT %(a)s, %(b)s", {"a": "it's", "b": [1, 2]}) == [("it's", [1, 2])]
    rows = client.execute_iter("SELECT number FROM numbers(10)", settings={"max_block_size": 3})
    assert [row[0] for row in rows] == list(range(10))
    progress = client.execute_with_progress("SELECT number FROM numbers(100000)")
    assert list(progress)[-1][0] == 100_000


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("SELEC 1 FROM", 62),
        ("SELECT * FROM nowhere", 60),
        ("SELECT nothing", 47),
        ("USE nowhere", 81),
        ("SELECT throwIf(number = 70000) FROM numbers(100000)", 395),
        ("CREATE TABLE k (a Int8) ENGINE = Kafka", 48),
    ],
)
def test_errors_carry_the_codes_of_clickhouse_and_the_connection_lives(
    client: Client, sql: str, code: int
) -> None:
    with pytest.raises(errors.ServerException) as raised:
        client.execute(sql)
    assert raised.value.code == code
    assert client.execute("SELECT 1") == [(1,)]


def test_a_failed_insert_says_what_is_missing_and_the_connection_lives(client: Client) -> None:
    client.execute("CREATE TABLE t (a UInt8, j JSON) ENGINE = MergeTree ORDER BY a")
    for sql, code in (("nowhere (a)", 60), ("t (b)", 16), ("t (j)", 48)):
        with pytest.raises(errors.ServerException) as raised:
            client.execute(f"INSERT INTO {sql} VALUES", [[1]], columnar=True)
        assert raised.value.code == code
    assert client.execute("SELECT count() FROM t") == [(0,)]


def test_an_insert_that_fails_half_way_leaves_a_living_connection(client: Client) -> None:
    client.execute("CREATE TABLE t (a UInt8, CONSTRAINT small CHECK a < 5) ENGINE = MergeTree ORDER BY a")
    with pytest.raises(errors.ServerException) as raised:
        client.execute(
            "INSERT INTO t VALUES", [[1, 2, 9, 1]], columnar=True, settings={"insert_block_size": 1}
        )
    assert raised.value.code == 469
    assert client.execute("INSERT INTO t VALUES", [[1]], columnar=True) == 1


def test_an_insert_that_clickhouse_refuses_is_never_acknowledged(client: Client) -> None:
    client.execute("CREATE TABLE t (d Date) ENGINE = MergeTree ORDER BY d PARTITION BY toYYYYMM(d)")
    months = [date(1990 + n // 12, 1 + n % 12, 1) for n in range(200)]
    with pytest.raises(errors.ServerException) as raised:
        client.execute("INSERT INTO t VALUES", [months], columnar=True)
    assert raised.value.code == 252
    assert client.execute("SELECT count() FROM t") == [(0,)]


def test_settings_hold_for_one_statement_and_inserts_are_never_asynchronous(client: Client) -> None:
    ask = (
        "SELECT name, value FROM system.settings WHERE name IN ('max_threads', 'async_insert') ORDER BY name"
    )
    chosen = {"max_threads": 1, "async_insert": 1, "no_such_setting": 3}
    assert client.execute(ask, settings=chosen) == [("async_insert", "0"), ("max_threads", "1")]
    assert dict(client.execute(ask))["max_threads"] != "1"


def test_an_unknown_setting_is_an_error_when_the_client_says_so(engine: EngineUnderTest) -> None:
    strict = engine.client(settings={"no_such_setting": 3}, settings_is_important=True)
    with pytest.raises(errors.ServerException) as raised:
        strict.execute("SELECT 1")
    assert raised.value.code == 115
    strict.disconnect()


def test_external_tables_are_refused_and_the_connection_lives(client: Client) -> None:
    table = {"name": "e", "structure": [("a", "UInt8")], "data": [(1,)]}
    with pytest.raises(errors.ServerException) as raised:
        client.execute("SELECT * FROM e", external_tables=[table])
    assert raised.value.code == 48
    assert client.execute("SELECT 1") == [(1,)]


def test_an_unknown_database_is_refused_at_the_door(engine: EngineUnderTest) -> None:
    with pytest.raises(errors.ServerException) as raised:
        engine.client(database="no such").execute("SELECT 1")
    assert raised.value.code == 81


def test_quick_statements_one_after_another_are_not_taken_for_cancels(client: Client) -> None:
    for number in range(400):
        assert client.execute(f"SELECT {number}") == [(number,)]
        assert client.execute("SHOW DATABASES LIKE 'system'") == [("system",)]


def test_cancel_ends_a_stream_and_a_silent_statement(client: Client) -> None:
    rows = client.execute_iter("SELECT number FROM numbers(1000000000)", settings={"max_block_size": 5000})
    assert next(rows) == (0,)
    started = time.monotonic()
    client.cancel()
    assert client.execute("SELECT 1") == [(1,)]
    client.connection.send_query("SELECT sum(sleepEachRow(1)) FROM numbers(60) SETTINGS max_block_size = 1")
    client.connection.send_external_tables([])
    time.sleep(0.3)
    client.cancel()
    assert client.execute("SELECT 1") == [(1,)]
    assert time.monotonic() - started < 20


def test_a_client_that_leaves_takes_its_statement_with_it(engine: EngineUnderTest, client: Client) -> None:
    gone = engine.client()
    gone.execute("SELECT 1")
    gone.connection.send_query(
        "SELECT sum(sleepEachRow(1)) AS forgotten FROM numbers(60) SETTINGS max_block_size = 1"
    )
    gone.connection.send_external_tables([])
    ask = "SELECT count() FROM system.processes WHERE query LIKE 'SELECT sum(sleepEachRow(1)) AS forgotten%'"
    _until(lambda: client.execute(ask) == [(1,)])
    gone.disconnect()
    _until(lambda: client.execute(ask) == [(0,)])


def test_writers_do_not_disturb_each_other(engine: EngineUnderTest, client: Client) -> None:
    client.execute(
        "CREATE TABLE t (writer UInt8, n UInt64, s LowCardinality(String)) ENGINE = MergeTree ORDER BY n"
    )
    database = client.connection.database
    failures: list[Exception] = []

    def write(writer: int) -> None:
        own = engine.client(database=database, compression="lz4" if writer % 2 else False)
        try:
            for batch in range(10):
                numbers = list(range(batch * 500, batch * 500 + 500))
                columns = [[writer] * 500, numbers, [f"s{n % 9}" for n in numbers]]
                own.execute("INSERT INTO t (writer, n, s) VALUES", columns, columnar=True)
                own.execute("SELECT count() FROM t WHERE writer = %(w)s", {"w": writer})
        except Exception as error:
            failures.append(error)
        finally:
            own.disconnect()

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    assert failures == []
    counted = client.execute("SELECT writer, count(), uniqExact(n) FROM t GROUP BY writer ORDER BY writer")
    assert counted == [(number, 5000, 5000) for number in range(4)]


@pytest.mark.parametrize(
    "noise",
    [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\xff" * 64, b"", b"\x00\x05hello", b"\x16\x03\x01\x02\x00"],
)
def test_a_stranger_on_the_port_hurts_nobody(engine: EngineUnderTest, client: Client, noise: bytes) -> None:
    with socket.create_connection((engine.host, engine.port)) as stranger:
        stranger.sendall(noise)
        stranger.shutdown(socket.SHUT_WR)
        stranger.settimeout(10)
        while stranger.recv(4096):
            pass
    assert client.execute("SELECT 1") == [(1,)]


def _until(condition: object, seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]  # a callable without arguments
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)
