"""Draws a frame for a terminal of any size: pure, so that it can be tested without one.

Levels and kinds are always spelled out; colour only repeats them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich.console import Group, RenderableType
from rich.layout import Layout
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from dashboards.terminal import words
from dashboards.terminal.frame import Alert, Frame, Moment, Standing

__all__ = ["Heading", "screen"]

# From this width on, alerts stand beside the customers instead of below.
WIDE = 132
GUTTER = 2
COLOURS = {"watch": "cyan", "offer_help": "yellow", "offer_human": "magenta", "human_now": "bold red"}
KINDS = {"forced": "red", "ping_pong": "red", "abandoned": "yellow", "recovered": "green"}


class Heading(NamedTuple):
    """What is shown (``title``), where more is to be had (``notes``), and whether time is a file's."""

    title: str
    notes: str
    replay: bool = False


def screen(frame: Frame | None, heading: Heading, width: int, height: int) -> RenderableType:
    """The whole picture, ``height`` lines of ``width`` columns; None while nothing has been read yet."""
    layout = Layout()
    lines = _header(frame, heading, width)
    header = Layout(Group(*lines), size=len(lines))
    if frame is None:
        waiting = _line("waiting for the first events: the worker is starting", "dim")
        layout.split_column(header, Layout(waiting))
        return layout
    room = max(3, height - len(lines))
    if width >= WIDE:
        moments = max(4, room // 3)
        left, right = Layout(), Layout()
        left.split_column(
            Layout(_customers(frame.standings, width // 2, room - moments)),
            Layout(_moments(frame.moments, heading, moments), size=moments),
        )
        right.update(_alerts(frame.alerts, heading, room))
        body = Layout(name="body")
        body.split_row(left, Layout(Text(" "), size=GUTTER), right)
        layout.split_column(header, body)
        return layout
    moments, alerts = max(2, room // 4), max(4, room * 2 // 5)
    layout.split_column(
        header,
        Layout(_customers(frame.standings, width, room - moments - alerts)),
        Layout(_alerts(frame.alerts, heading, alerts), size=alerts),
        Layout(_moments(frame.moments, heading, moments), size=moments),
    )
    return layout


def _header(frame: Frame | None, heading: Heading, width: int) -> list[RenderableType]:
    now = "" if frame is None else f"{words.clock(frame.now, dated=heading.replay)} UTC"
    top = Table.grid(expand=True)
    top.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    top.add_column(justify="right", no_wrap=True)
    top.add_row(Text(heading.title, style="bold"), Text(now, style="bold"))
    lines: list[RenderableType] = [top]
    if frame is not None:
        flow, freshness = words.flow(frame), _freshness(frame, heading)
        lines += [_line(f"{flow}   {freshness}")] if width >= WIDE else [_line(flow), _line(freshness)]
        lines.append(_line(words.counts(frame, brief=width < WIDE)))
    return [*lines, _line(heading.notes, "dim")]


def _freshness(frame: Frame, heading: Heading) -> str:
    if not frame.reached:
        return "no event stored yet"
    lag = "" if frame.flow.lag is None else f", lag {frame.flow.lag:,}"
    if heading.replay:
        return f"event time reached{lag}"
    return f"newest stored {max(0, frame.now - frame.reached) / 1000:.1f} s old{lag}"


def _section(title: str, rows: Iterable[RenderableType]) -> RenderableType:
    return Group(Rule(Text(title, style="bold"), align="left", style="dim"), *rows)


def _customers(standings: Sequence[Standing], width: int, height: int) -> RenderableType:
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
    for one in standings[: max(1, height - 2)]:
        table.add_row(
            words.short(one.customer),
            words.place(one.journey, one.step),
            _bar(one.effort, one.change, bar),
            words.score(one.ces, 1),
            words.percent(one.need),
            Text(words.made_of(one.why, 4), style="dim"),
        )
    return _section("highest effort now", [table])


def _bar(effort: float | None, change: float, width: int) -> Text:
    if effort is None:
        return Text("  - too little seen"[: width + 6], style="dim")
    # Of a point or more in the last minute.
    moving = ("▲ ", "red") if change >= 1 else ("▼ ", "green") if change <= -1 else "  "
    colour = "green" if effort < 30 else "yellow" if effort < 55 else "dark_orange" if effort < 75 else "red"
    filled = round(effort / 100 * width)
    bar = ("━" * filled, colour), ("─" * (width - filled), "dim")
    return Text.assemble((f"{effort:3.0f} ", colour), moving, *bar)


def _alerts(alerts: Sequence[Alert], heading: Heading, height: int) -> RenderableType:
    rows: list[RenderableType] = []
    for one in alerts[: max(1, (height - 1) // 3)]:
        open_now = one.what != "resolved"
        colour = COLOURS.get(one.level, "white") if open_now else "dim"
        head = Text.assemble(
            (words.clock(one.at, dated=heading.replay), "dim"),
            " ",
            (one.level if open_now else f"resolved {one.level}", colour),
            f" {words.cause(one.cause)}  {words.short(one.customer)} {words.place(one.journey, one.step)}",
        )
        rows += [
            _clipped(head),
            _line(f"  {words.scores(one)}: {words.reason(one)}"),
            _line(f"  {words.guidance(one)}", "italic"),
        ]
    return _section("alerts: who needs a human, and why", rows or [_line("none yet", "dim")])


def _moments(moments: Sequence[Moment], heading: Heading, height: int) -> RenderableType:
    rows: list[RenderableType] = []
    for one in moments[: max(1, height - 1)]:
        colour = KINDS.get(one.kind, KINDS.get(one.what, "white"))
        rows.append(
            _clipped(
                Text.assemble(
                    (words.clock(one.at, dated=heading.replay), "dim"),
                    " ",
                    (f"{one.what} {one.kind}", colour),
                    f"  {words.moment(one)}",
                )
            )
        )
    return _section("given up, recovered, switched", rows or [_line("none yet", "dim")])


def _line(text: str, style: str = "") -> Text:
    return _clipped(Text(text, style=style))


def _clipped(text: Text) -> Text:
    text.no_wrap, text.overflow = True, "ellipsis"
    return text
