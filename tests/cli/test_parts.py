"""Commands on real parts: the embedded broker and the embedded engine."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from streams import metrics
from streams.errors import SettingError
from streams.kafka import admin
from streams.settings import load
from tests.cli.conftest import IN_TIME_S, PROGRAM, Run, environment

KEYS = {"pseudonym_key": "p" * 32, "reference_key": "r" * 32}


def _by_name(out: str) -> dict[str, list[dict[str, str]]]:
    found: dict[str, list[dict[str, str]]] = {}
    for check in json.loads(out):
        found.setdefault(check["name"], []).append(check)
    return found


def test_doctor_with_nothing_up(rehuman: Run, mute: int) -> None:
    """A broker that listens and never answers is the slowest way to be down."""
    done = rehuman(
        "doctor",
        kafka_url=f"kafka://127.0.0.1:{mute}",
        clickhouse_url=f"clickhouse://127.0.0.1:{mute}/rehuman",
        metrics_port=mute,
        data_dir=f"{__file__}/nowhere",
    )
    assert done.code == 1
    assert done.seconds < IN_TIME_S
    assert done.err == ""
    for name in ("pseudonym key", "reference key", "metrics port", "data directory", "kafka", "clickhouse"):
        assert f"\nfail  {name}" in done.out
    assert done.out.count("->") >= 6
    assert "export REHUMAN_PSEUDONYM_KEY=$(openssl rand -hex 32)" in done.out


def test_doctor_with_a_wrong_setting(rehuman: Run) -> None:
    done = rehuman("doctor", kafka_url="broker")
    assert done.code == 1
    assert done.out.startswith("fail  settings  REHUMAN_KAFKA_URL: found 'broker'")


def test_doctor_with_a_wrong_policy(rehuman: Run, tmp_path: Path, broker_url: str) -> None:
    path = tmp_path / "policy.toml"
    path.write_text("[effort]\nhalf_lives = 3\n")
    parts = {"kafka_url": broker_url, "clickhouse_url": "clickhouse://127.0.0.1:1"}
    done = rehuman("doctor", "--json", policy=path, **parts)
    (check,) = _by_name(done.out)["policy"]
    assert check["status"] == "fail"
    assert str(path) in check["found"]


def test_doctor_from_empty_to_well(rehuman: Run, broker_url: str, engine_url: str) -> None:
    parts = {"kafka_url": broker_url, "clickhouse_url": engine_url, "metrics_port": 0, "web_port": 0, **KEYS}
    empty = rehuman("doctor", "--json", **parts)
    found = _by_name(empty.out)
    assert empty.code == 1
    assert {check["found"] for check in found["topics"]} >= {"topic rehuman.events is missing"}
    assert {check["mend"] for check in found["topics"]} == {"rehuman topics create"}
    assert {check["mend"] for check in found["schema"]} == {"rehuman migrate"}

    admin.create(load(kafka_url=broker_url))
    assert rehuman("migrate", **parts).out.startswith("applied ")
    assert rehuman("migrate", **parts).out == "up to date\n"
    well = rehuman("doctor", "--json", **parts)
    found = _by_name(well.out)
    assert well.code == 0, well.out
    assert found["topics"][0]["found"] == "9 as planned, changelogs compacted"
    assert found["schema"][0]["status"] == "ok"
    assert found["freshness"][0]["status"] == "warn"
    assert found["lag"][0]["mend"] == "start one: rehuman worker"

    other = rehuman("doctor", "--json", **parts, partitions=4)
    assert other.code == 1
    assert "set REHUMAN_PARTITIONS to 8" in _by_name(other.out)["topics"][0]["mend"]


def test_a_port_that_a_worker_has_is_no_trouble(rehuman: Run, broker_url: str) -> None:
    metrics.READY.set(1)
    port = metrics.serve(0)
    parts = {"kafka_url": broker_url, "clickhouse_url": "clickhouse://127.0.0.1:1"}
    found = _by_name(rehuman("doctor", "--json", metrics_port=port, **parts).out)
    assert found["metrics port"][0]["status"] == "ok"
    assert found["metrics port"][0]["found"] == f"{port} is in use by a worker that is ready"
    with pytest.raises(SettingError, match=rf"REHUMAN_METRICS_PORT: found {port} on 127\.0\.0\.1 \(in use\)"):
        metrics.serve(port)
    with pytest.raises(SettingError, match=r"REHUMAN_METRICS_HOST: found '192\.0\.2\.1'"):
        metrics.serve(0, "192.0.2.1")


QUERY = (
    "SELECT 1 AS n, 'a\\tb' AS s, NULL AS z, toDateTime64('2026-01-02 03:04:05.678', 3, 'UTC') AS t, nan AS f"
)


def test_sql_for_programs(rehuman: Run, engine_url: str) -> None:
    rehuman("migrate", clickhouse_url=engine_url)
    done = rehuman("sql", QUERY, clickhouse_url=engine_url)
    assert (done.code, done.err) == (0, "")
    assert done.out == "1\ta\\tb\t\\N\t2026-01-02 03:04:05.678+00:00\tnan\n"
    (row,) = json.loads(rehuman("sql", "--json", QUERY, clickhouse_url=engine_url).out)
    assert row == {"n": 1, "s": "a\tb", "z": None, "t": "2026-01-02T03:04:05.678000Z", "f": None}


def test_sql_for_people(tmp_path: Path, rehuman: Run, engine_url: str) -> None:
    rehuman("migrate", clickhouse_url=engine_url)
    ours, theirs = pty.openpty()
    terminal = environment(tmp_path, clickhouse_url=engine_url) | {"COLUMNS": "100"}
    command = subprocess.Popen([PROGRAM, "sql", QUERY], env=terminal, stdout=theirs)
    assert command.wait(30) == 0
    os.close(theirs)
    shown = os.read(ours, 65_536).decode()
    os.close(ours)
    assert all(name in shown for name in ("NULL", "2026-01-02 03:04:05.678+00:00"))
    assert "─" in shown


def test_sql_says_what_clickhouse_says(rehuman: Run, engine_url: str) -> None:
    rehuman("migrate", clickhouse_url=engine_url)
    done = rehuman("sql", "SELECT * FROM nowhere", clickhouse_url=engine_url)
    assert done.code == 1
    assert done.err.count("\n") == 1
    assert "nowhere" in done.err


def test_topics_create_twice(rehuman: Run, broker_url: str) -> None:
    parts = {"kafka_url": broker_url, "topic_prefix": "twice", "partitions": 2}
    first = rehuman("topics", "create", **parts)
    assert (first.code, first.err) == (0, "")
    assert "created    twice.events\n" in first.out
    again = rehuman("topics", "create", "--json", **parts)
    assert set(json.loads(again.out).values()) == {"unchanged"}


def test_topics_that_differ_are_refused(rehuman: Run, broker_url: str) -> None:
    admin.create(load(kafka_url=broker_url, topic_prefix="differ", partitions=2))
    done = rehuman("topics", "create", kafka_url=broker_url, topic_prefix="differ", partitions=3)
    assert done.code == 1
    assert "partitions is 2, expected 3" in done.err
    assert done.err.count("\n") == 1
