"""What targets with a section of their own share: the base policy, the span, and what is written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from detectors.policy import DEFAULT_TEXT, PolicyError, parse
from streams.calibrate.request import Request
from streams.calibrate.text import with_section
from streams.errors import OperationError, SettingError
from streams.sources.api import SourceEvent

__all__ = ["base_text", "span", "write"]


def base_text(path: Path | None) -> str:
    """The base policy's text, checked. Raises SettingError for one that cannot be."""
    if path is None:
        return DEFAULT_TEXT
    try:
        text = path.read_text("utf-8")
        parse(text)
    except OSError as error:
        raise SettingError("--base", f"{path} ({error.strerror})", "a policy file (TOML)") from None
    except UnicodeDecodeError:
        raise SettingError("--base", f"{path} (not UTF-8)", "a policy file (TOML)") from None
    except PolicyError as error:
        raise SettingError(f"--base: {error.key}", error.found, error.expected) from None
    return text


def span(events: Sequence[SourceEvent], start: int | None, until: int | None) -> tuple[int, int]:
    """First and last moment that is looked at. Raises OperationError where there is nothing to look at."""
    if not events:
        raise OperationError("the files hold no event that can be used")
    first = events[0].time if start is None else start
    last = events[-1].time if until is None else min(until, events[-1].time)
    return first, last


def write(request: Request, base: str, name: str, section: str, report: dict[str, Any]) -> None:
    """The policy with its new section, as it is valid, and the report where one is wanted."""
    text = with_section(base, name, section)
    try:
        parse(text)
    except PolicyError as error:
        raise OperationError(f"the policy with its new section would not be valid: {error}") from None
    try:
        request.policy_out.write_text(text, "utf-8")
        if request.report_out is not None:
            request.report_out.write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")
    except OSError as error:
        raise OperationError(f"{error.filename}: {error.strerror}") from None
