"""Calibration: a section of the policy, fitted to history. Offline; no worker ever imports this.

Which module fits a target is said here, by the target's name. Each has ``run(request, progress)``, which
writes the policy and gives the report, and may have ``short(report)``, the same in a few lines of text;
further targets are further lines.

>>> sorted(FITTED_BY)
['abandon', 'channels', 'recontact', 'reopen', 'survey']
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from streams.calibrate.request import Request
from streams.errors import SettingError

__all__ = ["FITTED_BY", "Progress", "Request", "in_short", "run"]

Progress = Callable[[int, int], None]

#: The target's name -> the module whose ``run`` fits it.
FITTED_BY: Final[dict[str, str]] = {
    "recontact": "streams.calibrate.calibration",
    "reopen": "streams.calibrate.calibration",
    "abandon": "streams.hazard.calibrate",
    "channels": "streams.channels.calibrate",
    "survey": "streams.surveys.calibrate",
}


def run(request: Request, progress: Progress | None = None) -> dict[str, Any]:
    """Fit what ``request`` asks for, write it, and give the report as plain data.

    Raises SettingError for what cannot be asked and OperationError where files or libraries are missing.
    """
    found: dict[str, Any] = _module(request.target).run(request, progress)
    return found


def in_short(target: str, report: dict[str, Any]) -> list[str]:
    """The report in a few lines of text."""
    short = getattr(_module(target), "short", None)
    found: list[str] = _plain(report) if short is None else short(report)
    return found


def _module(target: str) -> Any:
    module = FITTED_BY.get(target)
    if module is None:
        raise SettingError("--target", repr(target), "a target that is fitted: " + ", ".join(FITTED_BY))
    return import_module(module)


def _plain(report: dict[str, Any]) -> list[str]:
    return [f"{name.replace('_', ' ')}: {value}" for name, value in report.items()]
