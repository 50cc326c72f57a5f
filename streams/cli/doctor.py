"""``rehuman doctor``: what is wrong, and how to mend it."""

from __future__ import annotations

import sys

import typer

from streams.cli.options import AsJson, Config, load_settings, print_json

COLOURS = {"ok": typer.colors.GREEN, "warn": typer.colors.YELLOW, "fail": typer.colors.RED}


def doctor(config: Config = None, as_json: AsJson = False) -> None:
    """Check every part and setting; say what is wrong and how to mend it. Exits with 1 if anything fails.

    Example: rehuman doctor --json
    """
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
