"""A wire smoke test against a server that is not ours: connect, columns, LZ4, a password, errors."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from detectors.tables import Column, Table
from streams.errors import OperationError
from streams.warehouse.client import connect
from streams.warehouse.errors import SchemaMismatch
from streams.warehouse.query import run_sql
from streams.warehouse.schema import check_url
from streams.warehouse.writer import FactsWriter
from tests.warehouse.old_server import PASSWORD, OldServer, old_server

SMALL = {
    name: Table(name, (Column("fact_id", "str"), Column("moment", "i64"), Column("points", "f64n")), ())
    for name in ("small", "nowhere")
}
COLUMNS = "fact_id String, moment Int64, points Nullable(Float64)"
TABLE = f"CREATE TABLE small ({COLUMNS}) ENGINE = MergeTree ORDER BY fact_id"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OldServer]:
    with old_server(tmp_path_factory.mktemp("clickhouse-server")) as server:
        yield server


@pytest.fixture
def port(server: OldServer) -> int:
    return server.port


def _url(port: int, options: str = "", password: str = PASSWORD) -> str:
    return f"clickhouse://facts:{quote(password, safe='')}@127.0.0.1:{port}/default?{options}"


@pytest.mark.parametrize("compression", ["lz4", "0"])
def test_columns_arrive(port: int, compression: str) -> None:
    url = _url(port, f"compression={compression}&alt_hosts=127.0.0.1:1")
    client = connect(url)
    client.execute("DROP TABLE IF EXISTS small")
    client.execute(TABLE)
    client.disconnect()
    columns = [[f"f{n:06}" for n in range(100_000)], list(range(100_000)), [None, 0.5] * 50_000]
    writer = FactsWriter(url, tables=SMALL)
    assert writer.insert("small", ["fact_id", "moment", "points"], columns) == 100_000
    with pytest.raises(SchemaMismatch, match="table nowhere is missing"):
        writer.insert("nowhere", ["moment"], [[1]])
    writer.close()
    names, rows = run_sql(url, "SELECT * FROM small ORDER BY fact_id")
    assert names == ["fact_id", "moment", "points"]
    assert rows == list(zip(*columns, strict=True))


def test_the_first_host_may_be_down(port: int) -> None:
    url = _url(port).replace(f"127.0.0.1:{port}", "127.0.0.1:1") + f"alt_hosts=127.0.0.1:{port}"
    assert run_sql(url, "SELECT 1") == (["1"], [(1,)])


def test_a_wrong_password_is_one_line_without_it(port: int) -> None:
    with pytest.raises(OperationError, match="refuses the user or the password") as raised:
        connect(_url(port, password="geheim"))
    assert "geheim" not in str(raised.value)


def test_a_missing_database_and_missing_tables_are_named(port: int) -> None:
    with pytest.raises(SchemaMismatch, match="has no database absent"):
        connect(_url(port).replace("/default?", "/absent?"))
    assert "table events is missing" in check_url(_url(port))


def _secure(server: OldServer, options: str) -> str:
    return _url(server.secure_port, options).replace("127.0.0.1", "localhost")


def test_tls_with_the_servers_authority(server: OldServer) -> None:
    for options in (f"secure=1&ca_certs={server.certificate}", "secure=1&verify=0"):
        assert run_sql(_secure(server, options), "SELECT 1") == (["1"], [(1,)])


def test_tls_does_not_trust_a_stranger_nor_another_name(server: OldServer) -> None:
    with pytest.raises(OperationError, match="certificate verify failed"):
        connect(_secure(server, "secure=1"))
    elsewhere = _secure(server, f"secure=1&ca_certs={server.certificate}").replace("localhost", "127.0.0.1")
    with pytest.raises(OperationError, match="certificate verify failed"):
        connect(elsewhere)
