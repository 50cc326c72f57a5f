"""``rehuman dead-letters``: what was put aside and why, and sending it again."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.options import AsJson, Config, load_settings, parse_since, print_json
from streams.cli.progress import progress
from streams.errors import OperationError, SettingError

if TYPE_CHECKING:
    from streams.letters.choice import Choice
    from streams.letters.survey import Survey

app = typer.Typer(help="Records that were put aside: why, and sending them again.", no_args_is_help=True)

Reasons = Annotated[
    list[str] | None,
    typer.Option("--reason", metavar="R", help="Only these; also with the field: wrong_type:data.wait_s."),
]
Since = Annotated[
    str | None, typer.Option("--since", metavar="T", help="Put aside since then: a time, or a span as 2h.")
]
Source = Annotated[
    str, typer.Option("--source", metavar="S", help="Only of this source, as 'list' shows it.")
]

PLACE = re.compile(r"(\d{1,9}):(\d{1,18})")
WARNING = "these bytes are a customer's record as it was sent: personal data"


@app.command("list")
def list_(
    reason: Reasons = None,
    since: Since = None,
    source: Source = "",
    limit: Annotated[int, typer.Option(min=0, metavar="N", help="Show the newest N one by one.")] = 20,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Count what was put aside by reason and source, and show the newest ones; never their bytes.

    Example: rehuman dead-letters list --reason source_parked --since 2h
    """
    choice = _choice((), reason, since, source)
    settings = load_settings(config)
    from streams.letters.survey import survey

    with progress("dead letters", "records") as tell:
        found = survey(settings, choice, newest=limit, progress=tell)
    if as_json:
        print_json(
            {
                "total": found.total,
                "states": found.states,
                "groups": [
                    {
                        "reason": group.reason,
                        "source": group.source,
                        "count": group.count,
                        "first": _time(group.first),
                        "last": _time(group.last),
                    }
                    for group in found.groups
                ],
                "newest": [line._asdict() | {"stamp": _time(line.stamp)} for line in found.newest],
            }
        )
    else:
        _show(found)


@app.command()
def show(
    place: Annotated[str, typer.Argument(metavar="PARTITION:OFFSET", help="As 'list' shows it.")],
    raw: Annotated[
        bool,
        typer.Option("--raw", help="Write the record's bytes, and nothing else. They are personal data."),
    ] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show why one record was put aside and where it came from; its bytes only with --raw.

    Example: rehuman dead-letters show 3:17 --raw > record.json
    """
    at = _place(place)
    settings = load_settings(config)
    from streams.letters.one import bytes_of, one

    letter = one(settings, *at)
    if raw:
        value = bytes_of(settings, letter)
        sys.stderr.write(WARNING + "\n")
        sys.stdout.buffer.write(value)
        sys.stdout.buffer.flush()
        return
    told = letter.told()
    if as_json:
        print_json(told)
        return
    width = max(map(len, told))
    for name, said in told.items():
        typer.echo(f"{name.replace('_', ' '):<{width}}  {_plain(str(said))}")
    typer.echo(f"--raw writes its bytes: {WARNING.partition(': ')[2]}")


@app.command()
def resend(
    places: Annotated[
        list[str] | None, typer.Argument(metavar="PARTITION:OFFSET", help="These; or see the options.")
    ] = None,
    reason: Reasons = None,
    since: Since = None,
    source: Source = "",
    everything: Annotated[bool, typer.Option("--all", help="All that are open.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Also what was sent again and has come back since.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, and send nothing.")] = False,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Send records back to where they came from, once each: safe to repeat.

    What took minutes to mend is late by then, as a rule: stored and flagged, scored no more.

    Example: rehuman dead-letters resend --reason source_parked --dry-run
    """
    if not (places or reason or since or source or everything):
        raise SettingError("resend", "nothing to choose by", "places, --reason, --since, --source or --all")
    if everything and (places or reason or since or source):
        raise SettingError("--all", "another choice beside it", "one or the other")
    choice = _choice(places or (), reason, since, source)
    settings = load_settings(config)
    from streams.letters.resend import resend as send

    with progress("resend", "records") as tell:
        result = send(settings, choice, again=again, dry_run=dry_run, progress=tell)
    missing = len(choice.places) - result.matched
    if choice.places and not (reason or since or source) and missing:
        there = f"{missing} of {len(choice.places)} places hold no dead letter"
        raise OperationError(f"{there}; {result.sent} sent" if result.sent else there)
    if as_json:
        import msgspec

        print_json(msgspec.to_builtins(result) | {"dry_run": dry_run})
        return
    kinds = ", ".join(f"{name} {count}" for name, count in sorted(result.reasons.items()))
    typer.echo(f"{'would send' if dry_run else 'sent'} {result.sent}{f' ({kinds})' if kinds else ''}")
    for count, what in (
        (result.resent_before, "sent before"),
        (result.came_back, "came back after they were sent (--again sends them once more)"),
        (result.gone, "not kept any more where they came from"),
        (result.foreign, "of topics that are none of this installation's"),
    ):
        if count:
            typer.echo(f"left alone: {count} {what}")


def _choice(
    places: list[str] | tuple[()], reasons: list[str] | None, since: str | None, source: str
) -> Choice:
    """What the options say. Raises SettingError."""
    from detectors.decode import REASONS
    from streams.dead_letters import LANE_REASONS
    from streams.letters.choice import Choice
    from streams.letters.letter import UNKNOWN

    known = {*REASONS, *LANE_REASONS, UNKNOWN}
    for reason in reasons or ():
        if reason.partition(":")[0] not in known:
            raise SettingError("--reason", repr(reason), f"one of {', '.join(sorted(known))}")
    return Choice(frozenset(map(_place, places)), frozenset(reasons or ()), source, parse_since(since))


def _place(text: str) -> tuple[int, int]:
    found = PLACE.fullmatch(text)
    if found is None:
        raise SettingError("PARTITION:OFFSET", repr(text), "a place such as 3:17")
    return int(found[1]), int(found[2])


def _show(found: Survey) -> None:
    if not found.total:
        typer.echo("no dead letters")
        return
    states = ", ".join(f"{count} {name}" for name, count in found.states.items() if count)
    typer.echo(f"{found.total} dead letters: {states}\n")
    groups = [
        (str(group.count), group.reason, group.source or "-", _time(group.first), _time(group.last))
        for group in found.groups
    ]
    _columns(("COUNT", "REASON", "SOURCE", "FIRST", "LAST"), groups)
    if found.newest:
        typer.echo("")
        lines = [
            (
                line.place,
                _time(line.stamp),
                line.reason,
                line.source or "-",
                line.came_from,
                str(line.size),
                line.state,
            )
            for line in found.newest
        ]
        _columns(("PLACE", "PUT ASIDE", "REASON", "SOURCE", "CAME FROM", "BYTES", "STATE"), lines)


def _columns(names: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(len(row[n]) for row in (names, *rows)) for n in range(len(names))]
    for row in (names, *rows):
        # A reason or a source may hold anything: one line each, whatever it is.
        cells = (f"{_plain(cell):<{width}}" for cell, width in zip(row, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _time(ms: int) -> str:
    from streams.sources.api import rfc3339

    return rfc3339(ms)
