"""The migrations and the catalogue of tables say the same, and a difference is named."""

from __future__ import annotations

import pytest
from clickhouse_migrations.substitution import substitute

from detectors.tables import TABLES
from streams.errors import OperationError
from streams.warehouse import migrate as migrations
from streams.warehouse.client import connect
from streams.warehouse.ddl import first_migration, variables
from streams.warehouse.migrate import MIGRATIONS, migrate
from streams.warehouse.schema import check_schema, check_url
from tests.support.engine import EngineUnderTest


def test_the_first_migration_is_the_catalogue() -> None:
    """Regenerate with ``python -m streams.warehouse.ddl`` until the first release; later, add a migration."""
    assert (MIGRATIONS / "001_facts.sql").read_text() == first_migration()


def test_a_migrated_database_has_what_the_catalogue_says(url: str) -> None:
    assert check_url(url) == []


def test_migrating_again_changes_nothing(engine: EngineUnderTest) -> None:
    url = engine.database(migrated=False)
    assert migrate(url) == [1]
    assert migrate(url) == []
    assert check_url(url) == []


def test_what_was_dropped_by_hand_is_made_again(engine: EngineUnderTest) -> None:
    url = engine.database()
    client = connect(url)
    for statement in ("DROP TABLE waits", "DROP VIEW events_exact"):
        client.execute(statement)
    assert check_schema(client) == ["view events_exact is missing", "table waits is missing"]
    assert migrate(url) == []
    assert check_schema(client) == []
    assert client.execute("SELECT count() FROM waits_exact") == [(0,)]
    client.disconnect()


def test_each_difference_is_named(url: str) -> None:
    client = connect(url)
    client.execute("ALTER TABLE events DROP COLUMN human_need")
    client.execute("ALTER TABLE waits MODIFY COLUMN seconds Float32")
    client.execute("DROP TABLE surveys")
    client.execute("DROP VIEW alerts_exact")
    client.execute("ALTER TABLE deliveries ADD COLUMN newer String")
    assert sorted(check_schema(client)) == [
        "column events.human_need is missing",
        "column waits.seconds is Float32; it should be Float64",
        "table surveys is missing",
        "view alerts_exact is missing",
    ]
    client.disconnect()


def test_a_database_that_was_never_migrated_is_a_problem_with_a_way_out(engine: EngineUnderTest) -> None:
    (problem,) = check_url(engine.database(migrated=False))
    assert "rehuman migrate" in problem


def test_a_migration_that_was_changed_afterwards_is_refused(
    engine: EngineUnderTest, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    url = engine.database()
    changed = tmp_path_factory.mktemp("migrations")
    (changed / "001_facts.sql").write_text(first_migration() + "-- changed\n")
    monkeypatch.setattr(migrations, "MIGRATIONS", changed)
    with pytest.raises(OperationError, match=r"cannot migrate: .*version is 1"):
        migrate(url)


def test_the_same_tree_serves_a_cluster() -> None:
    script = substitute((MIGRATIONS / "001_facts.sql").read_text(), variables("main"), "001_facts.sql")
    assert script.count("ON CLUSTER `main`") == 2 * len(TABLES)
    assert script.count(
        "ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}'"
    ) == len(TABLES)
    assert "${" not in script


def test_facts_leave_by_whole_parts_after_their_time(url: str) -> None:
    client = connect(url)
    rows = client.execute(
        "SELECT name, engine_full FROM system.tables "
        "WHERE database = currentDatabase() AND engine LIKE '%MergeTree'"
    )
    facts = {name: engine for name, engine in rows if name in TABLES}
    assert set(facts) == set(TABLES)
    for engine in facts.values():
        assert "ReplacingMergeTree(ver) PARTITION BY toYYYYMM(time)" in engine
        assert "TTL toDateTime(stored_at) + toIntervalDay(400)" in engine
        assert "ttl_only_drop_parts = 1" in engine
    client.disconnect()
