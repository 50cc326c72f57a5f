"""``rehuman backtest``: the same fold over files, without a broker."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streams.cli.options import (
    AsJson,
    Config,
    Source,
    check_files,
    check_output,
    load_settings,
    parse_time,
    print_json,
)
from streams.cli.progress import progress
from streams.errors import SettingError
from streams.targets.spec import EXPECTED, parse


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
    report_out: Annotated[Path | None, typer.Option(metavar="JSON", help="Write the report.")] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(metavar="TARGET", help=f"Measure human need against {EXPECTED}; may be repeated."),
    ] = None,
    compare: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Another policy, on the same rows; needs --target.")
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD", help="Look at groups by this field of the events' data, too."),
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Score a file's events as the worker would have, and say what would have been found.

    Everything is folded, so that scores know their past; --from and --until bound what is reported.

    Example: rehuman backtest servicenow-incidents incidents.csv --scores-out scores.csv

    Example: rehuman backtest anonymous-bank calls.csv --target recontact=3600,max=30 --by priority
    """
    begin = None if since is None else parse_time("--from", since)
    end = None if until is None else parse_time("--until", until)
    if begin is not None and end is not None and begin >= end:
        raise SettingError("--until", repr(until), "a time after --from")
    specs = tuple(dict.fromkeys(map(parse, target or [])))
    for name, given in (("--compare", compare), ("--by", by)):
        if given and not specs:
            raise SettingError(name, "no --target", f"--target TARGET with it: {EXPECTED}")
    check_files(files)
    for name, path in (
        ("--scores-out", scores_out),
        ("--alerts-out", alerts_out),
        ("--report-out", report_out),
    ):
        check_output(name, path)
    settings = load_settings(config, policy=policy)
    from streams import policies
    from streams.backtest import run
    from streams.sources.api import get_source
    from streams.targets.scoring import Asked

    asked = None
    if specs:
        asked = Asked(
            specs, None if compare is None else policies.read("--compare", compare), tuple(by or ())
        )
    with progress("backtest") as tell:
        summary = run(
            settings,
            get_source(source),
            files,
            start=begin,
            until=end,
            asked=asked,
            scores_out=scores_out,
            alerts_out=alerts_out,
            report_out=report_out,
            progress=tell,
        )
    if as_json:
        print_json(summary)
        return
    for name, value in summary.items():
        if name in ("targets", "declared"):
            from streams.targets.words import lines

            for line in lines(name, value):
                typer.echo(line)
            continue
        shown = value
        if isinstance(value, dict):
            shown = ", ".join(f"{key} {count}" for key, count in value.items()) or "none"
        typer.echo(f"{name.replace('_', ' ')}: {shown}")
