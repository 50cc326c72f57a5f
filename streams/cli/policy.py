"""``rehuman policy``: what counts, how much, and for how long."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streams.cli.options import Config, load_settings
from streams.errors import SettingError

app = typer.Typer(help="Policies: every weight, half-life, time-out and threshold.", no_args_is_help=True)

File = Annotated[Path | None, typer.Argument(metavar="[FILE]", help="By default the configured policy.")]


@app.command()
def validate(file: File = None, config: Config = None) -> None:
    """Check a policy file: silence is not consent, it says that it is right.

    Example: rehuman policy validate my-policy.toml
    """
    name, text = _read(file, config)
    typer.echo(f"{name} is a valid policy, version {_version(name, text)}")


@app.command()
def show(file: File = None, config: Config = None) -> None:
    """Print a policy with its comments; the built-in one is a good start for one's own.

    Example: rehuman policy show > my-policy.toml
    """
    name, text = _read(file, config)
    _version(name, text)
    typer.echo(text, nl=not text.endswith("\n"))


def _read(file: Path | None, config: Path | None) -> tuple[str, str]:
    """The policy's name for people, and its text. Raises SettingError."""
    from detectors.policy import DEFAULT_TEXT

    path = file or load_settings(config).policy
    if path is None:
        return "the built-in policy", DEFAULT_TEXT
    try:
        return str(path), path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingError("FILE", f"{path} ({error.strerror})", "a policy file (TOML)") from None
    except UnicodeDecodeError:
        raise SettingError("FILE", f"{path} (not UTF-8)", "a policy file (TOML)") from None


def _version(name: str, text: str) -> int:
    """The version of a right policy; its key, what was found and what would be right of a wrong one."""
    from detectors.policy import PolicyError, parse

    try:
        return int(parse(text).version)
    except PolicyError as error:
        raise SettingError(f"{error.key} in {name}", error.found, error.expected) from None
