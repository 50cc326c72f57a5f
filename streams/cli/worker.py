"""``rehuman worker``: the lanes, for as long as nobody stops them."""

from __future__ import annotations

from typing import Annotated

import typer

from streams.cli.options import Config, load_settings
from streams.errors import SettingError
from streams.topics import LANES


def worker(
    lanes: Annotated[
        str, typer.Option("--lanes", metavar="NAMES", help=f"Comma-separated, of {', '.join(LANES)}.")
    ] = ",".join(LANES),
    config: Config = None,
) -> None:
    """Run the worker against the configured Kafka and ClickHouse.

    Several share the partitions. SIGTERM and Ctrl-C end it after a last checkpoint.

    Example: rehuman worker --lanes events,desk
    """
    chosen = tuple(dict.fromkeys(name.strip() for name in lanes.split(",")))
    for name in chosen:
        if name not in LANES:
            raise SettingError("--lanes", repr(name), f"some of {', '.join(LANES)}")
    settings = load_settings(config)
    from streams.worker import run

    run(settings, chosen)
