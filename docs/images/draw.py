"""Draws ``demo.svg``: the live view's own screen over a running demonstration.

``REHUMAN_CONFIG=var/demo-.../rehuman.toml .venv/bin/python docs/images/draw.py`` while ``rehuman demo`` runs
in another terminal.
"""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI

from dashboards.terminal.frame import Flow
from dashboards.terminal.reader import Reader
from dashboards.terminal.screen import Heading, screen
from streams import policies
from streams.clock import wall_ms
from streams.demo.flow import scrape
from streams.settings import load
from streams.warehouse.client import connect

PICTURE = Path(__file__).with_name("demo.svg")
WIDTH, HEIGHT = 116, 40
# Rich's own template loads a font from the network; a picture should not.
FONT = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"
TEMPLATE = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<title>rehuman demo: whose effort rises and falls and why, where it is highest, alerts with reasons</title>
<style>
.{unique_id}-matrix {{ font-family: FONT; font-size: {char_height}px; line-height: {line_height}px;
  font-variant-east-asian: full-width; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix" xml:space="preserve">
{matrix}
</g>
</g>
</svg>
""".replace("FONT", FONT)


def main() -> None:
    """Read what the view would show now, and draw it."""
    settings = load()
    client = connect(settings.clickhouse_url)
    accepted, scored, lag = scrape(settings.metrics_port)
    flow = Flow(accepted, accepted, scored, lag)
    frame = Reader(client, policies.configured(settings), wall_ms, lambda: flow).poll()
    client.disconnect()
    console = Console(width=WIDTH, height=HEIGHT, record=True, file=io.StringIO(), force_terminal=True)
    heading = Heading(
        "rehuman: constructed customers, live (a scenario made up for demonstration)",
        f"metrics http://127.0.0.1:{settings.metrics_port}/metrics   Ctrl-C ends it   "
        f"data var/{settings.data_dir.name}",
    )
    console.print(screen(frame, heading, WIDTH, HEIGHT))
    PICTURE.write_text(
        console.export_svg(title="rehuman demo", theme=MONOKAI, code_format=TEMPLATE, unique_id="demo"),
        encoding="utf-8",
    )


main()
