"""Settings: what wins over what, and one clear line for everything that can be wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from streams.errors import SettingError
from streams.settings import Settings, load


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith("REHUMAN_"):
            monkeypatch.delenv(name)


def _file(directory: Path, text: str) -> Path:
    path = directory / "rehuman.toml"
    path.write_text(text)
    return path


def test_defaults_need_no_setting_at_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    settings = load()
    assert settings.kafka_url == "kafka://127.0.0.1:9092"
    assert settings.clickhouse_url == f"embedded://{tmp_path}/rehuman/engine"
    assert settings.topics.events == "rehuman.events"
    assert settings.group == "rehuman-worker"


def test_data_dir_moves_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REHUMAN_DATA_DIR", "/srv/data")
    assert load().clickhouse_url == "embedded:///srv/data/engine"


def test_overrides_over_environment_over_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = _file(tmp_path, 'partitions = 2\nreplication = 3\nclock = "events"\n')
    monkeypatch.setenv("REHUMAN_PARTITIONS", "4")
    monkeypatch.setenv("REHUMAN_REPLICATION", "")
    settings = load(path, clock="wall", topic_prefix=None)
    assert (settings.partitions, settings.replication, settings.clock) == (4, 3, "wall")


def test_file_by_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REHUMAN_CONFIG", str(_file(tmp_path, 'topic_prefix = "two"')))
    assert load().topics.desk == "two.desk"


def test_frozen_and_silent_about_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REHUMAN_PSEUDONYM_KEY", "k" * 16)
    settings = load()
    assert "k" * 16 not in repr(settings) + str(settings)
    with pytest.raises(ValueError, match="frozen"):
        settings.partitions = 9  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("REHUMAN_KAFKA_URL", "http://broker", "the scheme is 'http'"),
        ("REHUMAN_KAFKA_URL", "kafka://broker:port", "not a number"),
        ("REHUMAN_KAFKA_URL", "kafka://", "a host is missing"),
        ("REHUMAN_KAFKA_URL", "kafka://h?securty=SSL", "unknown option 'securty'"),
        ("REHUMAN_KAFKA_URL", "kafka://h?security=TLS", "security is none of"),
        ("REHUMAN_KAFKA_URL", "kafka://h?security=SASL_SSL", "SASL needs"),
        ("REHUMAN_KAFKA_URL", "kafka://h?security=SSL&ca=/nowhere.pem", "option 'ca'"),
        ("REHUMAN_CLICKHOUSE_URL", "mysql://h/x", "the scheme 'mysql'"),
        ("REHUMAN_CLICKHOUSE_URL", "clickhouse:///x", "no host"),
        ("REHUMAN_CLICKHOUSE_URL", "clickhouse://h:99999/x", "ort"),
        ("REHUMAN_CLICKHOUSE_URL", "embedded://relative", "absolute path"),
        ("REHUMAN_PARTITIONS", "eight", "'eight'"),
        ("REHUMAN_PARTITIONS", "0", "'0'"),
        ("REHUMAN_METRICS_PORT", "65536", "'65536'"),
        ("REHUMAN_CLOCK", "sun", "'sun'"),
        ("REHUMAN_TOPIC_PREFIX", "a b", "'a b'"),
        ("REHUMAN_POLICY", "/nowhere.toml", "no such file"),
        ("REHUMAN_LOG_LEVEL", "loud", "'loud'"),
        ("REHUMAN_KAFKAURL", "kafka://h", "did you mean REHUMAN_KAFKA_URL?"),
        ("REHUMAN_XYZZY", "1", "one of REHUMAN_CLICKHOUSE_URL"),
    ],
)
def test_wrong_variables(monkeypatch: pytest.MonkeyPatch, name: str, value: str, found: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingError) as caught:
        load()
    line = str(caught.value)
    assert line.startswith(f"{name}: found ")
    assert found in line
    assert "expected" in line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("text", "start", "rest"),
    [
        ("kafka_ulr = 'kafka://h'", "kafka_ulr in ", "did you mean kafka_url?"),
        ("partitions = 'many'", "partitions in ", "1 to 1024"),
        ("clickhouse_url = 'mysql://h'", "clickhouse_url in ", "the scheme 'mysql'"),
        ("partitions = [1]", "partitions in ", "1 to 1024"),
        ("partitions =", "--config", "a TOML file"),
        ("[kafka]\nurl = 'kafka://h'", "kafka in ", "an unknown setting"),
    ],
)
def test_wrong_files(tmp_path: Path, text: str, start: str, rest: str) -> None:
    with pytest.raises(SettingError) as caught:
        load(_file(tmp_path, text))
    assert str(caught.value).startswith(start)
    assert rest in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"--config: found .*none\.toml \(No such file"):
        load(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REHUMAN_PSEUDONYM_KEY", "hunter2"),
        ("REHUMAN_REFERENCE_KEY", "hunter2"),
        ("REHUMAN_KAFKA_URL", "kafka://me:hunter2@h"),
        ("REHUMAN_KAFKA_URL", "kafka://h?password=hunter2&security=odd"),
        ("REHUMAN_CLICKHOUSE_URL", "http://me:hunter2@h/x"),
    ],
)
def test_errors_never_show_a_secret(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingError, match=name) as caught:
        load()
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_links_of_kubernetes_services_are_no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REHUMAN_GATEWAY_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("REHUMAN_GATEWAY_PORT", "tcp://10.0.0.1:80")
    monkeypatch.setenv("REHUMAN_GATEWAY_PORT_80_TCP_ADDR", "10.0.0.1")
    load()


def test_every_setting_says_what_would_be_right() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
