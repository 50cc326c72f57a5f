"""``rehuman policy``: what counts, how much, and for how long."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streams.cli.options import AsJson, Config, load_settings, parse_time, print_json
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
def show(
    file: File = None,
    version: Annotated[
        int | None, typer.Option("--version", metavar="N", help="A published version instead.")
    ] = None,
    config: Config = None,
) -> None:
    """Print a policy with its comments; the built-in one is a good start for one's own.

    Example: rehuman policy show > my-policy.toml
    """
    if version is None:
        name, text = _read(file, config)
        _version(name, text)
    elif file is not None:
        raise SettingError("--version", f"{version} beside FILE", "one of them")
    else:
        text = _published(version, config)
    typer.echo(text, nl=not text.endswith("\n"))


@app.command("list")
def list_(config: Config = None, as_json: AsJson = False) -> None:
    """List the published versions: from when each holds, and which is in force now.

    Example: rehuman policy list
    """
    from streams.publishing import listed

    rows = listed(load_settings(config))
    if as_json:
        print_json(rows)
        return
    if not rows:
        typer.echo("no policy is published yet; 'rehuman topics create' publishes the first")
        return
    typer.echo(f"{'version':>7}  {'state':<10}  {'holds from':<24}  description")
    for row in rows:
        line = f"{row['version']:>7}  {row['state']:<10}  {row['from']:<24}  {row['description']}"
        typer.echo(line.rstrip())


@app.command()
def publish(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The policy; its version is a new number.")],
    begin: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="It holds for events from then on; now.")
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Bring a policy into force in a running installation; safe to repeat.

    The whole text goes into every partition of the events' log, so that a replay scores each event with the
    policy of its time. Rows name their policy_version.

    Example: rehuman policy publish my-policy.toml --from 2026-12-01T00:00:00+01:00
    """
    from detectors.policy import parse
    from streams.publishing import publish as bring
    from streams.sources.api import rfc3339

    since = None if begin is None else parse_time("--from", begin)
    settings = load_settings(config)
    name, text = _read(file, config)
    _version(name, text)
    done = bring(settings, parse(text), since)
    if as_json:
        until = None if done.until is None else rfc3339(done.until[1])
        told = {"version": done.version, "from": rfc3339(done.since), "until": until, "outcome": done.what}
        print_json(told)
        return
    for line in done.words():
        typer.echo(line)
    if begin is None and settings.clock == "events" and done.what == "published":
        typer.echo("REHUMAN_CLOCK is events: --from is needed where these are of another time", err=True)


def _published(version: int, config: Path | None) -> str:
    """The text of a published version. Raises SettingError where there is none of that number."""
    from streams.kafka.admin import partitions_of
    from streams.policies import versions

    settings = load_settings(config)
    partitions_of(settings.kafka_url, settings.topics.policy)
    found = versions(settings)
    if version not in found:
        known = ", ".join(map(str, found)) or "none is yet; 'rehuman topics create' publishes the first"
        raise SettingError("--version", str(version), f"a published one: {known}")
    return found[version]


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
