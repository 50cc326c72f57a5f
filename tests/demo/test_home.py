"""A demonstration's own place: fresh, its owner's alone, and deaf to what else is configured."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.demo import home
from streams.settings import load


def test_every_demonstration_has_a_directory_of_its_own(tmp_path: Path) -> None:
    first, second = home.fresh_directory(tmp_path / "var"), home.fresh_directory(tmp_path / "var")
    assert first != second
    assert first.parent == second.parent == tmp_path / "var"
    assert first.stat().st_mode & 0o077 == 0


def test_where_no_directory_can_be_made_a_temporary_one_does(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file is in the way")
    assert home.fresh_directory(tmp_path / "var").is_dir()


def test_the_settings_can_be_used_by_other_commands_and_by_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = home.prepare(tmp_path, kafka_url="kafka://127.0.0.1:7", clock="events", port=9470)
    path = tmp_path / home.CONFIG_NAME
    assert path.stat().st_mode & 0o077 == 0
    assert load(path) == made
    name, _, value = home.settings_variable(tmp_path).partition("=")
    monkeypatch.setenv(name, value)
    assert load() == made


def test_each_has_keys_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    made = [home.prepare(tmp_path / d, kafka_url="kafka://h:1", clock="wall", port=1) for d in "ab"]
    assert made[0].pseudonym_key != made[1].pseudonym_key
    assert made[0].pseudonym_key != made[0].reference_key


def test_what_is_configured_elsewhere_is_never_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REHUMAN_KAFKA_URL", "kafka://production:9092")
    monkeypatch.setenv("REHUMAN_CLICKHOUSE_URL", "clickhouse://production/rehuman")
    made = home.prepare(tmp_path, kafka_url="kafka://127.0.0.1:7", clock="wall", port=1)
    child = home.child_environment(tmp_path)
    assert (made.kafka_url, made.clickhouse_url) == ("kafka://127.0.0.1:7", f"embedded://{tmp_path}/engine")
    assert {name for name in child if name.startswith("REHUMAN_")} == {"REHUMAN_CONFIG"}
    assert "production" not in (tmp_path / home.CONFIG_NAME).read_text()
