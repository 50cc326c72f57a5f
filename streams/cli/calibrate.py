"""``rehuman calibrate``: fit a section of the policy to history."""

from __future__ import annotations

from itertools import pairwise
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

Names = list[str] | None


def calibrate(
    source: Source,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="What to read, as one stream.")],
    target: Annotated[
        str,
        typer.Option(
            metavar="TARGET", help="What the score is to foretell, such as recontact=3600,max=30 or reopen."
        ),
    ],
    policy_out: Annotated[Path, typer.Option(metavar="FILE", help="Write the policy with its section here.")],
    base: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The policy whose other sections stay; by default the built-in."),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Fit from here (ISO 8601; UTC by default).")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Look at nothing from here on, outcomes neither.")
    ] = None,
    holdout: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="Fit what was known by then; report how well it foretells the rest."
        ),
    ] = None,
    features: Annotated[Names, typer.Option(metavar="NAME[,NAME]", help="Use these features alone.")] = None,
    without: Annotated[Names, typer.Option(metavar="NAME[,NAME]", help="Leave these features out.")] = None,
    with_protected: Annotated[
        Names,
        typer.Option(metavar="NAME[,NAME]", help="Use a protected attribute; the report says so first."),
    ] = None,
    pair: Annotated[
        Names, typer.Option(metavar="NAME:NAME", help="Let two features act together; may be repeated.")
    ] = None,
    wait: Annotated[
        str,
        typer.Option(metavar="KIND", help="Of abandon: who waits in a queue, or pauses in a form or cart."),
    ] = "queue",
    live: Annotated[
        bool, typer.Option("--live", help="In the worker, too, human need is this section's at these events.")
    ] = False,
    half_lives: Annotated[
        bool,
        typer.Option(
            "--half-lives", help="Try other half-lives of effort, too; what is better changes every score."
        ),
    ] = False,
    report_out: Annotated[Path | None, typer.Option(metavar="JSON", help="Write the report.")] = None,
    pictures: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write pictures of the shapes and the reliability (SVG)."),
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Fit a section of the policy to history, and say how well it foretells.

    Needs the extra: pip install 'rehuman[calibrate]'. Protected attributes are left out unless named.

    Example: rehuman calibrate anonymous-bank calls.csv --target recontact=3600 --policy-out policy.toml
    """
    times = {"--from": since, "--until": until, "--holdout": holdout}
    moments = {name: None if text is None else parse_time(name, text) for name, text in times.items()}
    _in_order(times, moments)
    check_files(files)
    if base is not None:
        check_files([base])
    for name, path in (("--policy-out", policy_out), ("--report-out", report_out)):
        check_output(name, path)
    if pictures is not None and (pictures.exists() and not pictures.is_dir()):
        raise SettingError("--pictures", str(pictures), "a directory")
    settings = load_settings(config)
    from streams.calibrate import Request, in_short, run

    request = Request(
        settings=settings,
        source=source,
        files=tuple(files),
        target_text=target,
        policy_out=policy_out,
        base=base,
        start=moments["--from"],
        until=moments["--until"],
        holdout=moments["--holdout"],
        report_out=report_out,
        pictures=pictures,
        features=_names(features),
        without=_names(without),
        with_protected=_names(with_protected),
        pairs=_pairs(pair),
        live=live,
        half_lives=half_lives,
        wait=wait,
    )
    with progress("calibrate", "records") as tell:
        found = run(request, tell)
    if as_json:
        print_json(found)
        return
    for line in in_short(request.target, found):
        typer.echo(line)


def _in_order(times: dict[str, str | None], moments: dict[str, int | None]) -> None:
    given = [
        (name, moments[name]) for name in ("--from", "--holdout", "--until") if moments[name] is not None
    ]
    for (before, earlier), (after, later) in pairwise(given):
        if earlier is not None and later is not None and earlier >= later:
            raise SettingError(after, repr(times[after]), f"a time after {before}")


def _names(given: list[str] | None) -> tuple[str, ...]:
    return tuple(name.strip() for text in given or () for name in text.split(",") if name.strip())


def _pairs(given: list[str] | None) -> tuple[tuple[str, str], ...]:
    found = []
    for text in given or ():
        first, colon, second = text.partition(":")
        if not colon or not first.strip() or not second.strip() or first.strip() == second.strip():
            raise SettingError("--pair", repr(text), "two features, such as outcome:wait_s")
        found.append((first.strip(), second.strip()))
    return tuple(found)
