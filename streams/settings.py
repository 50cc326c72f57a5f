"""The settings: the only place where one is named, with what it means and what would be right.

The environment (``REHUMAN_KAFKA_URL``) wins over a TOML file (``kafka_url = ...``), which wins over the
defaults here. Everything is checked at start: :func:`load` raises :class:`SettingError` for the first thing
that is wrong, by the name the user gave it, and never shows a secret.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from detectors.breaker import Rules
from streams.errors import SettingError
from streams.kafka import urls
from streams.topics import TopicNames
from streams.warehouse import url as warehouse_url

__all__ = ["MIN_KEY", "Settings", "load"]

PREFIX = "REHUMAN_"
CONFIG = "REHUMAN_CONFIG"
# Characters of a key. 16 random ones are the least that cannot be searched through.
MIN_KEY = 16
# A Kubernetes service called rehuman-x puts these into the environment of every pod beside it.
SERVICE_LINK = re.compile(r"_(SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)?)$")


def _data_home() -> Path:
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "rehuman"


class Settings(BaseSettings):
    """One installation. The text of each ``description`` is what a wrong value is answered with."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid", hide_input_in_errors=True
    )

    # The brokers; streams/kafka/urls.py has the grammar.
    kafka_url: str = Field("kafka://127.0.0.1:9092", description="kafka://host:port[,host:port]")
    # A server, a cluster, or a directory of the embedded engine; by default one below data_dir.
    clickhouse_url: str = Field(
        "", description="clickhouse://user:password@host:9000/rehuman or embedded:///absolute/path"
    )
    # Turns customer ids into pseudonyms (HMAC). Another key makes other customers of the same people.
    pseudonym_key: SecretStr = Field(
        SecretStr(""),
        description=f"a secret of at least {MIN_KEY} characters, e.g. from 'openssl rand -hex 32'",
    )
    # Encrypts the references by which the console finds a customer again (AES-SIV).
    reference_key: SecretStr = Field(
        SecretStr(""),
        description=f"a secret of at least {MIN_KEY} characters, e.g. from 'openssl rand -hex 32'",
    )
    # The policy that seeds version 1; none means the built-in one.
    policy: Path | None = Field(None, description="a policy file (TOML) that exists")
    # Tells several installations on the same brokers apart, and a replay from live traffic.
    topic_prefix: str = Field(
        "rehuman",
        pattern=r"^[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}$",
        description="1 to 100 letters, digits, '.', '_' or '-'",
    )
    # Where time comes from: the wall clock (live), or the log alone (replays).
    clock: Literal["wall", "events"] = Field("wall", description="wall or events")
    # Prometheus' port of this worker; 0 takes a free one.
    metrics_port: int = Field(9464, ge=0, le=65535, description="a port, 0 to 65535")
    # The metrics hold nothing personal, but a laptop should not serve them to its neighbours.
    metrics_host: str = Field(
        "127.0.0.1", min_length=1, description="an address of this machine, e.g. 0.0.0.0"
    )
    # Faust's own web port, for health checks; 0 takes a free one.
    web_port: int = Field(6066, ge=0, le=65535, description="a port, 0 to 65535")
    # What a process of ours keeps on disk.
    data_dir: Path = Field(default_factory=_data_home, description="a directory that this user may write")
    # Of events, facts, desk, alerts and dead letters. Fixed once topics exist: keys would move.
    partitions: int = Field(8, ge=1, le=1024, description="a number of partitions, 1 to 1024")
    # Copies of each topic; 3 in production.
    replication: int = Field(1, ge=1, le=9, description="a number of copies, 1 to 9")
    # A source is parked when this many of its records fail within the span, and at least this share of them.
    park_failures: int = Field(
        50, ge=0, le=1_000_000, description="a number of failed records; 0 parks nobody"
    )
    park_share: float = Field(0.5, gt=0, le=1, description="a share above 0, up to 1")
    park_span_s: int = Field(300, ge=1, le=86_400, description="seconds, 1 to 86400")
    # After this the next records of a parked source are tried.
    park_rest_s: int = Field(600, ge=1, le=86_400, description="seconds, 1 to 86400")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="debug, info, warning or error"
    )
    # JSON lines, or lines for people; auto looks whether there is a terminal.
    log_format: Literal["auto", "json", "text"] = Field("auto", description="auto, json or text")

    @property
    def topics(self) -> TopicNames:
        """The names of this installation's topics."""
        return TopicNames(self.topic_prefix)

    @property
    def parking(self) -> Rules:
        """When a source is parked."""
        return Rules(self.park_failures, self.park_share, self.park_span_s * 1000, self.park_rest_s * 1000)

    @property
    def group(self) -> str:
        """The worker's consumer group."""
        return f"{self.topic_prefix}-worker"

    @field_validator("kafka_url")
    @classmethod
    def _kafka(cls, value: str) -> str:
        urls.parse(value)
        return value

    @field_validator("clickhouse_url")
    @classmethod
    def _clickhouse(cls, value: str) -> str:
        warehouse_url.parse(value)  # its SettingError names what is wrong
        return value

    @field_validator("pseudonym_key", "reference_key")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < MIN_KEY:
            raise ValueError(f"{len(value.get_secret_value())} characters")
        return value

    @field_validator("policy")
    @classmethod
    def _exists(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError("no such file")
        return value

    @model_validator(mode="before")
    @classmethod
    def _engine_below_data(cls, values: dict[str, Any]) -> dict[str, Any]:
        if not values.get("clickhouse_url"):
            home = Path(values.get("data_dir") or _data_home()).absolute()
            values["clickhouse_url"] = f"embedded://{home}/engine"
        return values


def load(config: Path | None = None, **overrides: object) -> Settings:
    """The settings of this process: ``overrides`` over the environment over the file over the defaults.

    ``config`` None means the file that REHUMAN_CONFIG names, if it does. Raises :class:`SettingError`.
    """
    path = config or (Path(os.environ[CONFIG]) if os.environ.get(CONFIG) else None)
    in_file = _read(path, "--config" if config else CONFIG) if path else {}
    in_environment = {name.upper(): value for name, value in os.environ.items() if value}
    _refuse_unknown(in_environment)
    given = {name: value for name, value in overrides.items() if value is not None}
    fallback = {name: value for name, value in in_file.items() if PREFIX + name.upper() not in in_environment}

    def origin(name: str) -> tuple[str, object]:
        """The name as the user wrote it, and what was found there."""
        if name in given:
            return name.replace("_", " "), given[name]
        if name in fallback:
            return f"{name} in {path}", fallback[name]
        return PREFIX + name.upper(), in_environment.get(PREFIX + name.upper())

    try:
        return Settings(**(fallback | given))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0])
        setting, value = origin(name)
        raise SettingError(
            setting, _found(name, value, first), Settings.model_fields[name].description or ""
        ) from None
    except SettingError as error:
        setting, _ = origin(error.setting.removeprefix(PREFIX).lower())
        error.args = (setting + str(error).removeprefix(error.setting),)
        error.setting = setting
        raise


def _read(path: Path, setting: str) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingError(setting, f"{path} ({error.strerror})", "a TOML file that can be read") from None
    except UnicodeDecodeError:
        raise SettingError(setting, f"{path} (not UTF-8)", "a TOML file") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingError(setting, f"{path} ({error})", "a TOML file") from None
    for name in values:
        if name not in Settings.model_fields:
            expected = _known(name, list(Settings.model_fields))
            raise SettingError(f"{name} in {path}", "an unknown setting", expected)
    return values


def _refuse_unknown(environment: Mapping[str, str]) -> None:
    """A misspelt variable would leave its default in force unseen."""
    names = [PREFIX + name.upper() for name in Settings.model_fields]
    for name in environment:
        if name.startswith(PREFIX) and name not in (*names, CONFIG) and not SERVICE_LINK.search(name):
            raise SettingError(name, "an unknown variable", _known(name, [*names, CONFIG]))


def _known(name: str, names: list[str]) -> str:
    # The prefix that all share would make everything look alike.
    by_rest = {known.removeprefix(PREFIX): known for known in names}
    near = get_close_matches(name.removeprefix(PREFIX), by_rest, n=1)
    return f"a known one: did you mean {by_rest[near[0]]}?" if near else f"one of {', '.join(sorted(names))}"


def _found(name: str, value: object, error: Any) -> str:
    """What was found, in words that never hold a secret."""
    reason = str(error.get("ctx", {}).get("error", "")) if error["type"] == "value_error" else ""
    if name.endswith("_key"):
        return reason or "something else"
    if name.endswith("_url"):
        value = re.sub(r"//.*@", "//***@", str(value))
        value = re.sub(r"(?i)(password=)[^&]*", r"\1***", value)
    return f"{str(value)!r} ({reason})" if reason else repr(value)
