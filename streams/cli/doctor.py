"""``rehuman doctor``: what is wrong, and how to mend it; and whether anything is missing."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from streams.cli.options import AsJson, Config, load_settings, parse_since, print_json
from streams.errors import SettingError

COLOURS = {"ok": typer.colors.GREEN, "warn": typer.colors.YELLOW, "fail": typer.colors.RED}


def doctor(
    reconcile: Annotated[
        bool,
        typer.Option("--reconcile", help="Compare the log of events with the facts in ClickHouse instead."),
    ] = False,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="T", help="With --reconcile: what came since; a time, or 24h."),
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Check every part and setting; say what is wrong and how to mend it. Exits with 1 if anything fails.

    With --reconcile: look for every record of the log in the facts, and name those that are missing, by
    partition and offset; exits with 1 if there are any.

    Example: rehuman doctor --reconcile --since 24h
    """
    if since is not None and not reconcile:
        raise SettingError("--since", "no --reconcile", "--reconcile beside it")
    if reconcile:
        from streams.cli.reconcile import run

        if not run(load_settings(config), parse_since(since), as_json):
            raise typer.Exit(1)
        return
    from streams.doctor import examine

    checks = examine(lambda: load_settings(config))
    if as_json:
        print_json([check._asdict() for check in checks])
    else:
        width = max(len(check.name) for check in checks)
        for check in checks:
            status = f"{check.status:<4}"
            if sys.stdout.isatty():
                status = typer.style(status, fg=COLOURS[check.status])
            typer.echo(f"{status}  {check.name:<{width}}  {check.found}")
            if check.mend:
                typer.echo(f"{'':<{width + 6}}  -> {check.mend}")
    if any(check.status == "fail" for check in checks):
        raise typer.Exit(1)
