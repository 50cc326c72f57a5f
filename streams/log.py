"""Logs: one line an event, JSON for machines or text for people, all of it through one door.

What is logged are names, counts, offsets and times; never a customer's id, a field's value or a message's
text. Libraries log whole records at their debug level, so theirs is never below ``info``; and of lines of
theirs that come again and again only the first few of each minute (:mod:`streams.sparing`).
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any, Literal

import structlog

from streams.sparing import Sparing

__all__ = ["Level", "configure", "get_logger", "silence", "to_file"]

Level = Literal["debug", "info", "warning", "error"]
# Their own word at this level and above is worth a line.
LIBRARIES = {
    "faust": "warning",
    "mode": "warning",
    "aiokafka": "warning",
    "kafka": "warning",
    "asyncio": "warning",
}

_shared: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure(level: Level = "info", json: bool | None = None) -> None:
    """Send every log line of this process, libraries' too, to standard error.

    ``json`` None means text on a terminal and JSON elsewhere. May be called again.
    """
    terminal = sys.stderr.isatty()
    as_json = not terminal if json is None else json
    _send(logging.StreamHandler(sys.stderr), level, _as_json() if as_json else _as_text(colors=terminal))


def to_file(path: Path) -> None:
    """Append every warning of this process, libraries' too, to a file, which is made with the first one.

    For commands that own the terminal.
    """
    _send(logging.FileHandler(path, delay=True, encoding="utf-8"), "warning", _as_text(colors=False))


def _as_json() -> list[structlog.typing.Processor]:
    # Tracebacks as data, without the values of local variables: those may be somebody's.
    tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    return [structlog.processors.ExceptionRenderer(tracebacks), structlog.processors.JSONRenderer()]


def _as_text(*, colors: bool) -> list[structlog.typing.Processor]:
    plain = structlog.dev.plain_traceback
    return [structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain)]


def _send(handler: logging.Handler, level: Level, render: list[structlog.typing.Processor]) -> None:
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
        )
    )
    handler.addFilter(Sparing(LIBRARIES))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name, least in LIBRARIES.items():
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(max(root.level, logging.getLevelName(least.upper())))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def silence() -> None:
    """No log lines at all: for commands that answer in lines of their own."""
    logging.getLogger().handlers[:] = [logging.NullHandler()]


def get_logger(name: str) -> Any:
    """A logger whose calls take an event and named values: ``log.info("checkpoint", partition=3)``."""
    return structlog.stdlib.get_logger(name)
