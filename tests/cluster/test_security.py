"""TLS and passwords by settings alone, to Kafka and ClickHouse; who is not let in hears why in one line."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from kafka import KafkaAdminClient
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourceType,
)

from detectors.tables import Column, Table
from streams.errors import OperationError, SettingError
from streams.settings import load
from streams.warehouse.client import connect
from streams.warehouse.query import run_sql
from streams.warehouse.writer import FactsWriter
from tests.support.certificates import Authority
from tests.support.cluster import OTHER_USER, PASSWORD, USER, KafkaCluster
from tests.support.engine import EngineUnderTest
from tests.support.world import PROGRAM, World
from tests.warehouse.old_server import PASSWORD as CLICKHOUSE_PASSWORD
from tests.warehouse.old_server import old_server

EVENTS = [
    {
        "specversion": "1.0", "id": str(number), "source": "web/shop", "type": kind, "subject": "c-1",
        "time": f"2024-05-06T09:00:{number:02}Z", "data": {"journey": "claim", "step": "details"},
    }
    for number, kind in enumerate(["page_view", "form_start", "rage_click", "step.failed"])
]  # fmt: skip


@pytest.fixture
def world(cluster: KafkaCluster, engine: EngineUnderTest, tmp_path: Path) -> Callable[[str], World]:
    """An installation by its REHUMAN_KAFKA_URL."""

    def make(url: str, **settings: object) -> World:
        return World(
            url, engine.database(migrated=False), tmp_path / "world", partitions=2, replication=3, **settings
        )

    return make


def run(world: World, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAM, *command], env=world.environment, cwd=world.home, capture_output=True, text=True, timeout=99
    )


@pytest.mark.parametrize("way", ["password over TLS", "password", "certificates"])
def test_events_are_scored_and_stored(cluster: KafkaCluster, world: Callable[[str], World], way: str) -> None:
    urls = {
        "password over TLS": cluster.login(),
        "password": cluster.login(tls=False, mechanism="SCRAM-SHA-256"),
        "certificates": cluster.mutual(),
    }
    found = world(urls[way]).prepare()
    worker = found.start_worker()
    try:
        file = found.home / "events.ndjson"
        file.write_text("\n".join(map(json.dumps, EVENTS)))
        found.rehuman("replay", "cloudevents", file)
        found.settle()
        assert found.value("SELECT count() FROM events_exact") == len(EVENTS)
        assert found.stop(worker) == 0, found.log()
        # No secret is told by anybody.
        assert PASSWORD not in found.log()
        assert "p%40ss" not in found.log()
    finally:
        found.close()


def test_a_wrong_password_an_unknown_user_and_a_stranger_are_told_why(
    cluster: KafkaCluster, world: Callable[[str], World], tmp_path: Path
) -> None:
    stranger = Authority(tmp_path / "stranger").certificate
    plain_hosts = cluster.bootstrap
    for url, why in {
        cluster.login(password="guessed"): "refuses the user or the password",
        cluster.login(user="nobody", tls=False): "refuses the user or the password",
        cluster.login(ca=stranger): "shows a certificate that is not trusted",
        cluster.login().replace("localhost", "127.0.0.1"): "certificate is not valid for '127.0.0.1'",
        cluster.mutual(certificate=False): "does not accept our certificate, or wants one",
        cluster.login(mechanism="PLAIN"): "does not offer the mechanism PLAIN",
        cluster.url + "?security=SSL": "does not speak TLS there",
        "kafka://" + cluster.login().rpartition("@")[2].partition("?")[0]: "it may want another",
        f"kafka://{USER}:x@{plain_hosts}?security=SASL_PLAINTEXT": "wants no password there",
    }.items():
        found = world(url)
        # The worker asks as every command does: once is enough.
        command = ("topics", "create") if "certificate" in why else ("worker",)
        done = run(found, *command)
        assert done.returncode == 1, (why, done.stderr)
        (line,) = done.stderr.strip().splitlines()
        assert why in line
        assert "REHUMAN_KAFKA_URL" in line
        assert "guessed" not in line


@pytest.mark.parametrize("option", ["ca", "cert"])
def test_a_file_that_holds_no_certificate_is_a_wrong_setting(
    world: Callable[[str], World], tmp_path: Path, option: str
) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing\n")
    with pytest.raises(SettingError, match="not all PEM files that belong together"):
        world(f"kafka://localhost:1?security=SSL&{option}={empty}").settings  # noqa: B018


def grant(cluster: KafkaCluster, kind: ResourceType, name: str, *operations: ACLOperation) -> None:
    """Let the other user do that with everything whose name begins so."""
    admin = KafkaAdminClient(bootstrap_servers=cluster.bootstrap)
    pattern = ResourcePattern(kind, name, ACLResourcePatternType.PREFIXED)
    try:
        admin.create_acls(
            [
                ACL(f"User:{OTHER_USER}", "*", operation, ACLPermissionType.ALLOW, pattern)
                for operation in operations
            ]
        )
    finally:
        admin.close()


def test_what_a_user_needs_and_what_is_said_where_it_is_missing(
    cluster: KafkaCluster, world: Callable[..., World]
) -> None:
    """As docs/clusters.md lists it."""
    found = world(cluster.login(OTHER_USER), topic_prefix="granted")
    done = run(found, "topics", "create")
    assert done.returncode == 1
    assert "TopicAuthorizationFailedError" in done.stderr
    grant(
        cluster,
        ResourceType.TOPIC,
        "granted.",
        *(ACLOperation.CREATE, ACLOperation.DESCRIBE, ACLOperation.DESCRIBE_CONFIGS),
        *(ACLOperation.ALTER_CONFIGS, ACLOperation.READ, ACLOperation.WRITE),
    )
    found.prepare()
    grant(cluster, ResourceType.GROUP, "granted-", ACLOperation.READ)
    done = run(found, "worker")
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "Kafka denies the transactional id granted." in last, done.stderr[-2000:]
    assert "the user needs Describe and Write for it" in last
    assert "Traceback" not in done.stderr
    grant(cluster, ResourceType.TRANSACTIONAL_ID, "granted.", ACLOperation.DESCRIBE, ACLOperation.WRITE)
    worker = found.start_worker()
    try:
        file = found.home / "events.ndjson"
        file.write_text("\n".join(map(json.dumps, EVENTS)))
        found.rehuman("replay", "cloudevents", file)
        found.settle()
        assert found.value("SELECT count() FROM events_exact") == len(EVENTS)
        assert found.stop(worker) == 0, found.log()
    finally:
        found.close()


def test_rows_arrive_over_tls_by_a_user_of_clickhouse(tmp_path: Path) -> None:
    """A real server's own wire, with a small table; what the tables need, only a current engine knows."""
    with old_server(tmp_path) as server:
        who = f"facts:{quote(CLICKHOUSE_PASSWORD, safe='')}"
        at = f"localhost:{server.secure_port}/default?secure=1&ca_certs={server.certificate}"
        settings = load(clickhouse_url=f"clickhouse://{who}@{at}")
        client = connect(settings.clickhouse_url)
        client.execute("CREATE TABLE small (fact_id String, moment Int64) ENGINE = Log")
        client.disconnect()
        small = Table("small", (Column("fact_id", "str"), Column("moment", "i64")), ())
        writer = FactsWriter(settings.clickhouse_url, tables={"small": small})
        assert writer.insert("small", ["fact_id", "moment"], [["a", "b"], [1, 2]]) == 2
        writer.close()
        # Each once: an insert whose answer was late is said again, and a table of this kind keeps both.
        rows = run_sql(settings.clickhouse_url, "SELECT DISTINCT * FROM small ORDER BY moment")[1]
        assert rows == [("a", 1), ("b", 2)]
        with pytest.raises(OperationError, match="refuses the user or the password") as refused:
            connect(f"clickhouse://facts:guessed@{at}")
        assert "guessed" not in str(refused.value)
