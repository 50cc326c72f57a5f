"""Shows pictures until it is told to stop: a live screen on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console, RenderableType
from rich.live import Live

from dashboards.terminal import lines
from dashboards.terminal.frame import Frame
from dashboards.terminal.screen import Heading, screen

__all__ = ["watch"]

# Between two pictures. A person does not read faster, and the database has other work.
PERIOD_S = 1.0
# Between two status lines where there is no terminal.
STATUS_S = 5.0


def watch(
    poll: Callable[[], Frame | None], heading: Heading, wait: Callable[[float], bool], console: Console
) -> Frame | None:
    """Show what ``poll`` returns until ``wait(seconds)`` says True; returns the last picture.

    ``poll`` returning None means that there is nothing new to show yet. Whatever ``poll`` and ``wait`` raise
    passes through, with the terminal put right again.
    """
    if console.is_terminal:
        return _live(poll, heading, wait, console)
    return _plain(poll, heading, wait, console)


def _live(
    poll: Callable[[], Frame | None], heading: Heading, wait: Callable[[float], bool], console: Console
) -> Frame | None:
    frame: Frame | None = None

    def picture() -> RenderableType:
        # Read again at each drawing: the window may have another size by then.
        return screen(frame, heading, *console.size)

    with Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            frame = poll() or frame
            live.update(picture(), refresh=True)
            if wait(PERIOD_S):
                return frame


def _plain(
    poll: Callable[[], Frame | None], heading: Heading, wait: Callable[[float], bool], console: Console
) -> Frame | None:
    frame: Frame | None = None
    since_status = 0.0
    while True:
        fresh = poll()
        for line in lines.news(fresh, replay=heading.replay) if fresh else ():
            _say(console, line)
        frame = fresh or frame
        if since_status >= STATUS_S and frame:
            _say(console, lines.status(frame, replay=heading.replay))
            since_status = 0.0
        if wait(PERIOD_S):
            return frame
        since_status += PERIOD_S


def _say(console: Console, line: str) -> None:
    # No markup, no colours, no wrapping: lines are for grep.
    console.print(line, markup=False, highlight=False, soft_wrap=True)
