"""The sections of the screen, each drawn for as many lines as it is given.

Levels, kinds and directions are always spelled out; colour only repeats them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from dashboards.terminal import words
from dashboards.terminal.frame import Alert, Frame, JourneyEffort, Moment, Standing
from dashboards.terminal.picks import MOVED

__all__ = ["alerts", "cells", "clipped", "customers", "journeys", "line", "moments", "moves"]

COLOURS = {"watch": "cyan", "offer_help": "yellow", "offer_human": "magenta", "human_now": "bold red"}
KINDS = {"forced": "red", "ping_pong": "red", "abandoned": "yellow", "recovered": "green"}
# A journey with its three figures.
CELL = 26
UP, DOWN = "red", "green"


def moves(frame: Frame, height: int) -> RenderableType:
    """The largest rises, then the largest falls: half of the lines each, or what the others leave."""
    room = max(1, height - 1)
    falls = frame.falls[: max(room // 2, room - len(frame.rises))]
    rises = frame.rises[: room - len(falls)]
    table = Table.grid(padding=(0, 1), expand=True)
    for size in (1, 8, 20, 9, 4):
        table.add_column(width=size, no_wrap=True, overflow="ellipsis")
    table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    for one in (*rises, *falls):
        colour = UP if one.change > 0 else DOWN
        before, now = words.moved(one)
        table.add_row(
            Text("▲" if one.change > 0 else "▼", style=colour),
            words.short(one.customer),
            words.place(one.journey, one.step),
            Text(f"{before:2} -> {now:2}", style="bold"),
            Text(f"{now - before:+}", style=colour, justify="right"),
            Text(words.arrived(one), style="dim"),
        )
    title = f"on the move: effort {words.span(frame.spans.moved)} ago -> now, and what came"
    return _section(title, [table] if rises or falls else [line("nobody's effort moved", "dim")])


def customers(frame: Frame, width: int, height: int) -> RenderableType:
    """The highest effort, and what it is made of."""
    table = Table.grid(padding=(0, 1), expand=True)
    bar = 12 if width >= 90 else 8
    for name, size in (("customer", 8), ("journey/step", 20), ("effort", bar + 6), ("CES", 3), ("need", 4)):
        right = name in ("CES", "need")
        table.add_column(
            name, width=size, no_wrap=True, overflow="ellipsis", justify="right" if right else "left"
        )
    table.add_column("made of", ratio=1, no_wrap=True, overflow="ellipsis")
    table.add_row(
        *(Text(column.header, style="dim") for column in table.columns if isinstance(column.header, str))
    )
    for one in frame.standings[: max(1, height - 2)]:
        table.add_row(
            words.short(one.customer),
            words.place(one.journey, one.step),
            _bar(one, bar),
            words.score(one.ces, 1),
            words.percent(one.need),
            Text(words.made_of(one.why, 4), style="dim"),
        )
    return _section(f"highest effort, active in the last {words.span(frame.spans.active)}", [table])


def _bar(one: Standing, width: int) -> Text:
    if one.effort is None:
        return Text("  - too little seen"[: width + 6], style="dim")
    moving = ("▲ ", UP) if one.change >= MOVED else ("▼ ", DOWN) if one.change <= -MOVED else "  "
    filled = round(one.effort / 100 * width)
    colour = _heat(one.effort)
    bar = ("━" * filled, colour), ("─" * (width - filled), "dim")
    return Text.assemble((f"{one.effort:3.0f} ", colour), moving, *bar)


def _heat(effort: float) -> str:
    return "green" if effort < 30 else "yellow" if effort < 55 else "dark_orange" if effort < 75 else "red"


def cells(width: int) -> int:
    """How many journeys stand beside each other."""
    return max(1, width // CELL)


def journeys(frame: Frame, width: int, height: int) -> RenderableType:
    """Each journey's customers, median and share above 50, where most have it hard first."""
    across = cells(width)
    table = Table.grid(expand=True)
    for _ in range(across):
        table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    shown = [_journey(one) for one in frame.journeys[: across * max(1, height - 1)]]
    for first in range(0, len(shown), across):
        table.add_row(*shown[first : first + across])
    title = "by journey: active customers, median effort, above 50"
    return _section(title, [table] if shown else [line("nobody active", "dim")])


def _journey(one: JourneyEffort) -> Text:
    return Text.assemble(
        f"{one.journey[:9]:9}",
        (f"{one.customers:5,}", "dim"),
        (f"{one.median:4.0f}", _heat(one.median)),
        f"{words.percent(one.above):>5}",
    )


def alerts(found: Sequence[Alert], height: int, *, replay: bool) -> RenderableType:
    """Who needs a human: three lines each."""
    rows: list[RenderableType] = []
    for one in found[: max(1, (height - 1) // 3)]:
        open_now = one.what != "resolved"
        colour = COLOURS.get(one.level, "white") if open_now else "dim"
        head = Text.assemble(
            (words.clock(one.at, dated=replay), "dim"),
            " ",
            (one.level if open_now else f"resolved {one.level}", colour),
            f" {words.cause(one.cause)}  {words.short(one.customer)} {words.place(one.journey, one.step)}",
        )
        rows += [
            clipped(head),
            line(f"  {words.scores(one)}: {words.reason(one)}"),
            line(f"  {words.guidance(one)}", "italic"),
        ]
    return _section("alerts: who needs a human, and why", rows or [line("none yet", "dim")])


def moments(found: Sequence[Moment], height: int, *, replay: bool) -> RenderableType:
    """What was given up, recovered and switched, newest first."""
    rows: list[RenderableType] = []
    for one in found[: max(1, height - 1)]:
        colour = KINDS.get(one.kind, KINDS.get(one.what, "white"))
        rows.append(
            clipped(
                Text.assemble(
                    (words.clock(one.at, dated=replay), "dim"),
                    " ",
                    (f"{one.what} {one.kind}", colour),
                    f"  {words.moment(one)}",
                )
            )
        )
    return _section("given up, recovered, switched", rows or [line("none yet", "dim")])


def line(text: str, style: str = "") -> Text:
    """One line, cut off where the terminal ends."""
    return clipped(Text(text, style=style))


def clipped(text: Text) -> Text:
    """The same text on one line, cut off where the terminal ends."""
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _section(title: str, rows: Iterable[RenderableType]) -> RenderableType:
    return Group(Rule(Text(title, style="bold"), align="left", style="dim"), *rows)
