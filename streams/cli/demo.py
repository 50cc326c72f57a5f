"""``rehuman demo``: everything embedded, in one go."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streams.cli.options import check_files


def demo(
    source: Annotated[
        tuple[str, Path] | None,
        typer.Option(metavar="NAME FILE", help="Replay a file instead of the built-in scenario."),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option("--for", metavar="SECONDS", min=1, help="End by itself, with a summary.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, metavar="P", help="Port of the metrics; 0 takes a free one."),
    ] = None,
) -> None:
    """Watch effort rise and fall: broker, worker, database and traffic on this machine, no set-up.

    Everything starts afresh in a directory of its own; Ctrl-C stops it all and says where the data are.

    Example: rehuman demo --source anonymous-bank february.txt --for 60
    """
    if source is not None:
        from streams.sources.api import get_source

        get_source(source[0])
        check_files([source[1]])
    from streams.demo import run

    run(source=source, seconds=seconds, port=port)
