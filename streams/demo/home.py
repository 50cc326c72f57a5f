"""Where a demonstration lives: a fresh directory, keys of its own, and a settings file to look around with.

Whatever REHUMAN_* says of other brokers and databases is left out: a demonstration never touches them.
"""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from streams import settings as settings_module
from streams.clock import wall_ms
from streams.demo.ports import HOST
from streams.errors import OperationError
from streams.settings import PREFIX, Settings

__all__ = ["child_environment", "fresh_directory", "prepare", "settings_variable"]

CONFIG_NAME = "rehuman.toml"


def fresh_directory(base: Path | None = None) -> Path:
    """A new directory ``demo-<time>`` below ``base`` (``./var``), or a temporary one where that cannot be.

    Raises OperationError where neither can be made.
    """
    base = base or Path.cwd() / "var"
    now = datetime.fromtimestamp(wall_ms() / 1000, UTC).strftime("%Y%m%d-%H%M%S")
    try:
        base.mkdir(parents=True, exist_ok=True)
        for attempt in range(100):
            directory = base / (f"demo-{now}-{attempt}" if attempt else f"demo-{now}")
            try:
                directory.mkdir(mode=0o700)
            except FileExistsError:
                continue
            return directory
    except OSError:
        pass  # a tree that may not be written: a temporary directory does as well
    try:
        return Path(tempfile.mkdtemp(prefix="rehuman-demo-"))
    except OSError as error:
        raise OperationError(f"no directory for the demonstration's data: {error.strerror}") from None


def prepare(directory: Path, *, kafka_url: str, clock: Literal["wall", "events"], port: int) -> Settings:
    """Settings for this demonstration, written to ``directory`` for its owner alone (the keys are in it)."""
    values: dict[str, object] = {
        "kafka_url": kafka_url,
        "clickhouse_url": f"embedded://{directory / 'engine'}",
        "pseudonym_key": secrets.token_hex(32),
        "reference_key": secrets.token_hex(32),
        "clock": clock,
        "metrics_port": port,
        "metrics_host": HOST,
        # Nobody asks for it here, and the usual one may be another worker's: any.
        "web_port": 0,
        # A person reads the worker's log, if anybody does.
        "log_format": "text",
        "data_dir": str(directory),
    }
    loaded = settings_module.load(None, **values)
    lines = [
        f"{name} = {_toml(value)}"
        for name in Settings.model_fields
        if (value := getattr(loaded, name)) is not None
    ]
    path = directory / CONFIG_NAME
    path.touch(mode=0o600)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return loaded


def child_environment(directory: Path) -> dict[str, str]:
    """This process's environment, with the demonstration's settings instead of any others."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(PREFIX)}
    return {**kept, settings_module.CONFIG: str(directory / CONFIG_NAME)}


def settings_variable(directory: Path) -> str:
    """What to put before a command to ask this demonstration's parts."""
    return f"{settings_module.CONFIG}={directory / CONFIG_NAME}"


def _toml(value: object) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    # A JSON string is a TOML basic string.
    return str(value) if isinstance(value, int) else json.dumps(str(value))
