"""``rehuman simulate``: customers on every channel, with the truth about them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streams.cli.options import AsJson, check_output, parse_time, print_json
from streams.cli.progress import progress
from streams.errors import SettingError

# The Monday that example files begin with.
START = "2026-01-05"
# Years 1990 to 9000, ms since the epoch: the events of the last ones need room after them.
EARLIEST = 631_152_000_000
LATEST = 221_876_928_000_000


def simulate(
    events_out: Annotated[
        Path,
        typer.Option("--events-out", "--out", metavar="NDJSON", help="Write the events; .gz packs them."),
    ],
    truth_out: Annotated[
        Path,
        typer.Option(
            "--truth-out", "--truth", metavar="NDJSON", help="Write the truth: needs, switches, outcomes."
        ),
    ],
    pack: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="quiet-day, broken-release, outage, billing-run, onboarding, collections, seasonal-peak "
            "or happy-shoppers.",
        ),
    ] = "quiet-day",
    customers: Annotated[int, typer.Option(min=1, metavar="N", help="How many come.")] = 1000,
    hours: Annotated[
        int | None, typer.Option(min=1, metavar="H", help="Over how long they come; 24 by default.")
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, metavar="D", help="The same in days, instead of --hours.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, metavar="S", help="The same seed, the same bytes.")] = 1,
    start: Annotated[
        str, typer.Option(metavar="TIME", help="When the first one comes (ISO 8601; UTC by default).")
    ] = START,
    as_json: AsJson = False,
) -> None:
    """Make up customers on every channel, and write what they do and what is true of them.

    People have matters, patience, skills and moods; the company has channels that settle matters or fail.
    Nothing of it knows how events are judged. Give the events to backtest or replay, as cloudevents.

    Example: rehuman simulate --pack outage --customers 5000 --days 2 --seed 7 --out e.jsonl --truth t.jsonl
    """
    if hours is not None and days is not None:
        raise SettingError("--days", str(days), "either --hours or --days")
    began = parse_time("--start", start)
    if not EARLIEST <= began < LATEST:
        raise SettingError("--start", repr(start), "a year between 1990 and 9000")
    for name, path in (("--events-out", events_out), ("--truth-out", truth_out)):
        check_output(name, path)
    if events_out.absolute() == truth_out.absolute():
        raise SettingError("--truth-out", str(truth_out), "another file than --events-out")
    from streams.simulate.parameters import load
    from streams.simulate.write import write

    parameters = load(pack)
    with progress("simulate", "customers") as tell:
        summary = write(
            parameters,
            seed=seed,
            customers=customers,
            hours=24 * days if days else hours or 24,
            start=began,
            events_out=events_out,
            truth_out=truth_out,
            progress=tell,
        )
    if as_json:
        print_json({"pack": pack, "seed": seed, **summary._asdict()})
        return
    typer.echo(f"{pack}, seed {seed}: {parameters.title}")
    typer.echo(f"{summary.customers} customers, {summary.events} events, {summary.truth} records of truth")
