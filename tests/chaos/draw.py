"""Lines over time as a picture (SVG): panels one above the other, with marks where something was done.

>>> memory = Line("worker 1", [(0.0, 90.0), (60.0, 91.0)])
>>> drawn = draw("an hour", [("memory, MB", [memory])], [(30.0, "kill")])
>>> drawn.startswith("<svg"), drawn.count("<polyline"), "kill" in drawn
(True, 1, True)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from math import floor, log10
from typing import NamedTuple

__all__ = ["Line", "draw"]

WIDTH, PANEL, LEFT, RIGHT, TOP, GAP = 900, 150, 70, 110, 46, 34
COLOURS = ("#1f6feb", "#d9730d")
FONT = "ui-sans-serif, system-ui, 'DejaVu Sans', sans-serif"


class Line(NamedTuple):
    """``points`` are (minutes, value); a value that is no number interrupts the line."""

    label: str
    points: Sequence[tuple[float, object]]


def draw(
    title: str, panels: Sequence[tuple[str, Sequence[Line]]], marks: Sequence[tuple[float, str]] = ()
) -> str:
    """The picture's text. Time goes from 0 to the last point of all; each panel's scale begins at 0."""
    last = max((at for _, lines in panels for line in lines for at, _ in line.points), default=1.0) or 1.0
    height = TOP + len(panels) * (PANEL + GAP) + 10

    def x(at: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * at / last

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="{FONT}" '
        'font-size="12" fill="#24292f">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="20" font-size="15">{escape(title)}</text>',
    ]
    for number, (name, lines) in enumerate(panels):
        top = TOP + number * (PANEL + GAP)
        most = _nice(max((value for line in lines for _, value in _numbers(line)), default=1.0))
        parts += _frame(name, top, most, last)
        for at, label in marks:
            parts.append(
                f'<line x1="{x(at):.1f}" x2="{x(at):.1f}" y1="{top}" y2="{top + PANEL}" stroke="#cf222e" '
                f'stroke-opacity="0.35" stroke-dasharray="2 3"><title>{escape(label)}</title></line>'
            )
        for place, line in enumerate(lines):
            colour = COLOURS[place % len(COLOURS)]
            for piece in _pieces(line):
                points = " ".join(f"{x(at):.1f},{top + PANEL * (1 - v / most):.1f}" for at, v in piece)
                parts.append(
                    f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
                )
            parts.append(
                f'<text x="{WIDTH - RIGHT + 10}" y="{top + 14 + 16 * place}" fill="{colour}">'
                f"{escape(line.label)}</text>"
            )
    return "\n".join([*parts, "</svg>", ""])


def _frame(name: str, top: int, most: float, last: float) -> list[str]:
    found = [f'<text x="{LEFT}" y="{top - 6}" fill="#57606a">{escape(name)}</text>']
    for share in (0.0, 0.5, 1.0):
        y = top + PANEL * (1 - share)
        found.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#d0d7de"/>'
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" fill="#57606a">{most * share:,g}</text>'
        )
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        found.append(
            f'<text x="{LEFT + (WIDTH - LEFT - RIGHT) * share:.1f}" y="{top + PANEL + 14}" '
            f'text-anchor="middle" fill="#57606a">{last * share:.0f} min</text>'
        )
    return found


def _numbers(line: Line) -> Iterable[tuple[float, float]]:
    return [(at, float(value)) for at, value in line.points if isinstance(value, int | float)]


def _pieces(line: Line) -> Iterable[list[tuple[float, float]]]:
    piece: list[tuple[float, float]] = []
    for at, value in line.points:
        if isinstance(value, int | float):
            piece.append((at, float(value)))
        elif piece:
            yield piece
            piece = []
    if piece:
        yield piece


def _nice(value: float) -> float:
    """The next of 1, 2 or 5 times a power of ten."""
    if value <= 0:
        return 1.0
    unit = 10.0 ** floor(log10(value))
    return next(step * unit for step in (1, 2, 5, 10) if step * unit >= value * (1 - 1e-9))
