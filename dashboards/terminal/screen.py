"""Draws a frame for a terminal of any size: pure, so that it can be tested without one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.console import Group, RenderableType
from rich.layout import Layout
from rich.table import Table
from rich.text import Text

from dashboards.terminal import sections, words
from dashboards.terminal.frame import Frame
from dashboards.terminal.room import Need, shared

__all__ = ["Heading", "screen"]

# From this width on, journeys and alerts stand beside the customers instead of below.
WIDE = 132
GUTTER = 2
# From the top: where it hurts before whom.
ORDER = ("moves", "journeys", "customers", "alerts", "moments")
# Of the highest, which for long stay the same. Below the lines of their title and heads.
MOST_CUSTOMERS = 8
MOST_MOVES = 14


class Heading(NamedTuple):
    """What is shown (``title``), where more is to be had (``notes``), and whether time is a file's."""

    title: str
    notes: str
    replay: bool = False


def screen(frame: Frame | None, heading: Heading, width: int, height: int) -> RenderableType:
    """The whole picture, ``height`` lines of ``width`` columns; None while nothing has been read yet.

    Where it does not all fit, the least important sections are left out.
    """
    layout = Layout()
    lines = _header(frame, heading, width)
    header = Layout(Group(*lines), size=len(lines))
    if frame is None:
        waiting = sections.line("waiting for the first events: the worker is starting", "dim")
        layout.split_column(header, Layout(waiting))
        return layout
    room = max(3, height - len(lines))
    if width < WIDE:
        layout.split_column(header, _column(frame, heading, width, room, ORDER))
        return layout
    left = (width - GUTTER) // 2
    right = width - GUTTER - left
    body = Layout()
    body.split_row(
        Layout(_column(frame, heading, left, room, ("moves", "customers", "moments")), size=left),
        Layout(Text(" "), size=GUTTER),
        _column(frame, heading, right, room, ("journeys", "alerts")),
    )
    layout.split_column(header, body)
    return layout


def _needs(frame: Frame, width: int) -> list[Need]:
    """The most important first: a title and so much that it can be understood, and no more than there is."""
    moves = min(MOST_MOVES, len(frame.rises) + len(frame.falls))
    journeys = -(-len(frame.journeys) // sections.cells(width))
    return [
        Need("moves", 1 + max(1, min(4, moves)), 1 + moves),
        Need("customers", 4, 2 + min(MOST_CUSTOMERS, len(frame.standings))),
        Need("alerts", 4, 1 + 3 * len(frame.alerts), 3),
        Need("journeys", 2, 1 + journeys),
        Need("moments", 3, 1 + len(frame.moments)),
    ]


def _column(frame: Frame, heading: Heading, width: int, room: int, names: Sequence[str]) -> Layout:
    """Of the sections with these names those that fit, one below the other."""
    sizes = shared(room, [need for need in _needs(frame, width) if need.name in names])
    column = Layout()
    parts = [
        Layout(_drawn(name, frame, heading, width, sizes[name]), size=sizes[name])
        for name in ORDER
        if name in sizes
    ]
    column.split_column(*parts, Layout(Text(" ")))
    return column


def _drawn(name: str, frame: Frame, heading: Heading, width: int, height: int) -> RenderableType:
    if name == "moves":
        return sections.moves(frame, height)
    if name == "journeys":
        return sections.journeys(frame, width, height)
    if name == "customers":
        return sections.customers(frame, width, height)
    if name == "alerts":
        return sections.alerts(frame.alerts, height, replay=heading.replay)
    return sections.moments(frame.moments, height, replay=heading.replay)


def _header(frame: Frame | None, heading: Heading, width: int) -> list[RenderableType]:
    now = "" if frame is None else f"{words.clock(frame.now, dated=heading.replay)} UTC"
    top = Table.grid(expand=True)
    top.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    top.add_column(justify="right", no_wrap=True)
    top.add_row(Text(heading.title, style="bold"), Text(now, style="bold"))
    lines: list[RenderableType] = [top]
    if frame is not None:
        flow, freshness = words.flow(frame), _freshness(frame, heading)
        lines += (
            [sections.line(f"{flow}   {freshness}")]
            if width >= WIDE
            else [sections.line(flow), sections.line(freshness)]
        )
        lines.append(sections.line(words.counts(frame, brief=width < WIDE)))
    return [*lines, sections.line(heading.notes, "dim")]


def _freshness(frame: Frame, heading: Heading) -> str:
    if not frame.reached:
        return "no event stored yet"
    lag = "" if frame.flow.lag is None else f", lag {frame.flow.lag:,}"
    if heading.replay:
        return f"event time reached{lag}"
    return f"newest stored {max(0, frame.now - frame.reached) / 1000:.1f} s old{lag}"
