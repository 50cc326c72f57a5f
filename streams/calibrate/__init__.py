"""Calibration: a section of the policy, fitted to history. Offline; no worker ever imports this.

Which module fits a target is said here, by the target's name. Each has ``run(request, progress)``, which
writes the policy and gives the report; further targets are further lines.

>>> sorted(FITTED_BY)
['abandon', 'channels', 'recontact', 'reopen', 'survey']
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from streams.calibrate.request import Request
from streams.errors import SettingError

__all__ = ["FITTED_BY", "Progress", "Request", "run"]

Progress = Callable[[int, int], None]

#: The target's name -> the module whose ``run`` fits it.
FITTED_BY: Final[dict[str, str]] = {
    "recontact": "streams.calibrate.run",
    "reopen": "streams.calibrate.run",
    "abandon": "streams.hazard.calibrate",
    "channels": "streams.channels.calibrate",
    "survey": "streams.surveys.calibrate",
}


def run(request: Request, progress: Progress | None = None) -> dict[str, Any]:
    """Fit what ``request`` asks for, write it, and give the report as plain data.

    Raises SettingError for what cannot be asked and OperationError where files or libraries are missing.
    """
    module = FITTED_BY.get(request.target)
    if module is None:
        expected = "a target that can be fitted: " + ", ".join(FITTED_BY)
        raise SettingError("--target", repr(request.target), expected)
    found: dict[str, Any] = import_module(module).run(request, progress)
    return found
