"""``rehuman backtest``: the same fold over files, without a broker."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from streams.cli.options import AsJson, Config, Source, check_files, load_settings, print_json
from streams.cli.progress import progress
from streams.errors import SettingError


def backtest(
    source: Source,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="What to read, as one stream.")],
    policy: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The policy; by default the configured one.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="Report from here (ISO 8601; UTC by default)."),
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Report to before here.")] = None,
    scores_out: Annotated[
        Path | None, typer.Option(metavar="CSV", help="Write one row per scored event.")
    ] = None,
    alerts_out: Annotated[Path | None, typer.Option(metavar="CSV", help="Write one row per alert.")] = None,
    report_out: Annotated[Path | None, typer.Option(metavar="JSON", help="Write the counts.")] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Score a file's events as the worker would have, and say what would have been found.

    Everything is folded, so that scores know their past; --from and --until bound what is reported.

    Example: rehuman backtest servicenow-incidents incidents.csv --scores-out scores.csv
    """
    span = (_moment("--from", since), _moment("--until", until))
    if span[0] is not None and span[1] is not None and span[0] >= span[1]:
        raise SettingError("--until", repr(until), "a time after --from")
    check_files(files)
    for name, path in (
        ("--scores-out", scores_out),
        ("--alerts-out", alerts_out),
        ("--report-out", report_out),
    ):
        if path is not None and not path.absolute().parent.is_dir():
            raise SettingError(name, str(path), "a file in a directory that exists")
    settings = load_settings(config, policy=policy)
    from streams.backtest import run
    from streams.sources.api import get_source

    with progress("backtest") as tell:
        summary = run(
            settings,
            get_source(source),
            files,
            start=span[0],
            until=span[1],
            scores_out=scores_out,
            alerts_out=alerts_out,
            report_out=report_out,
            progress=tell,
        )
    if as_json:
        print_json(summary)
        return
    for name, value in summary.items():
        shown = value
        if isinstance(value, dict):
            shown = ", ".join(f"{key} {count}" for key, count in value.items()) or "none"
        typer.echo(f"{name.replace('_', ' ')}: {shown}")


def _moment(option: str, text: str | None) -> int | None:
    """Milliseconds since the epoch. Raises SettingError."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SettingError(
            option, repr(text), "a time such as 1999-02-01 or 1999-02-01T08:00:00+02:00"
        ) from None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
