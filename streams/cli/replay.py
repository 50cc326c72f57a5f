"""``rehuman replay``: a file's events to Kafka, with the ticks of their own time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streams.cli.options import AsJson, Config, Source, check_files, load_settings, print_json
from streams.cli.progress import progress
from streams.errors import SettingError


def replay(
    source: Source,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="What to replay, as one stream.")],
    speed: Annotated[
        str,
        typer.Option(metavar="X", help="Times as fast as it happened, or max: as fast as Kafka takes it."),
    ] = "max",
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Publish a file's events, and the ticks of their own time, to Kafka.

    Use a topic prefix of its own (REHUMAN_TOPIC_PREFIX) beside live traffic, and REHUMAN_CLOCK=events.

    Example: rehuman replay anonymous-bank february.txt --speed 3600
    """
    factor = _speed(speed)
    check_files(files)
    settings = load_settings(config)
    from streams.replay import run
    from streams.sources.api import get_source

    with progress("replay") as tell:
        summary = run(settings, get_source(source), files, speed=factor, progress=tell)
    if as_json:
        print_json(summary)
        return
    for line in summary.counts.lines():
        typer.echo(line)
    pace = f"{summary.seconds:.1f} s, {summary.events / max(summary.seconds, 0.001):.0f} events/s"
    typer.echo(f"{summary.events} events and {summary.ticks} ticks sent ({pace})")


def _speed(text: str) -> float | None:
    """The factor, or None for ``max``. Raises SettingError."""
    if text == "max":
        return None
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 0 < factor < float("inf"):
        raise SettingError("--speed", repr(text), "a number above 0 (3600 makes an hour a second), or max")
    return factor
