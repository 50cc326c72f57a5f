"""What several commands share: the settings' file, ``--json``, and how answers are printed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.errors import SettingError

if TYPE_CHECKING:
    from streams.settings import Settings

__all__ = [
    "AsJson",
    "Config",
    "Source",
    "check_files",
    "load_settings",
    "parse_since",
    "print_json",
    "remember_config",
]

Config = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="Settings (TOML); REHUMAN_* variables win over it."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]
Source = Annotated[
    str, typer.Argument(metavar="SOURCE", help="The adapter that reads FILE, e.g. cloudevents.")
]

# Of `rehuman --config FILE COMMAND`; a command's own --config wins over it.
_before_command: list[Path | None] = [None]


def remember_config(config: Path | None) -> None:
    """Take the ``--config`` that stood before the command."""
    _before_command[0] = config


def load_settings(config: Path | None, **overrides: object) -> Settings:
    """The settings of this command; nobody else's log lines between its own. Raises SettingError."""
    from streams import log
    from streams.settings import load

    log.silence()
    return load(config or _before_command[0], **overrides)


def check_files(paths: list[Path]) -> list[Path]:
    """Raises SettingError for the first file that cannot be read."""
    for path in paths:
        if not path.is_file():
            raise SettingError("FILE", f"{path} (no such file)", "a file that can be read")
    return paths


def check_output(option: str, path: Path | None) -> None:
    """Raises SettingError for a file that cannot be there."""
    if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
        raise SettingError(option, str(path), "a file in a directory that exists")


def parse_since(text: str | None) -> int:
    """``--since`` in milliseconds since the epoch; 0 for all there is. Raises SettingError."""
    if text is None:
        return 0
    from detectors.durations import parse
    from streams.clock import wall_ms

    try:
        return wall_ms() - parse(text)
    except ValueError:
        pass
    expected = "a span such as 30min, 2h or 3d, or a time such as 2026-02-01T08:00:00+01:00"
    return parse_time("--since", text, expected)


def parse_time(
    option: str, text: str, expected: str = "a time such as 1999-02-01 or 1999-02-01T08:00:00+02:00"
) -> int:
    """A time (ISO 8601; UTC where it names no zone) in ms since the epoch. Raises SettingError."""
    try:
        moment = datetime.fromisoformat(text)
        return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise SettingError(option, repr(text), expected) from None


def print_json(value: Any) -> None:
    """One JSON document on standard output; what JSON cannot say (NaN) becomes null."""
    import msgspec

    typer.echo(msgspec.json.encode(value).decode())
