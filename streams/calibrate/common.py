"""What all that is fitted shares: the base policy, the events, what is written, and how pictures look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from detectors.policy import Policy, PolicyError, default, parse
from streams import policies
from streams.calibrate.extra import need
from streams.calibrate.request import Request
from streams.calibrate.text import with_section
from streams.errors import OperationError, SettingError
from streams.sources.api import SourceCounts, SourceEvent, get_source
from streams.sources.files import read_merged

__all__ = ["BAR", "EDGE", "LINE", "STYLE", "base_policy", "checked", "draw", "joined", "read", "save"]

# Text stays text, ids come from the salt and not from the clock, and no date is written: the same fit gives
# the same bytes.
STYLE: Final = {"svg.hashsalt": "rehuman", "svg.fonttype": "none", "font.size": 8}
LINE, BAR, EDGE = "#1f5a8a", "#8fb8d9", "#888888"


def checked(request: Request, target: str) -> None:
    """Raises SettingError for what a target without features does not know, OperationError for libraries."""
    if request.target_text != target:
        raise SettingError("--target", repr(request.target_text), f"{target}, which takes no more")
    given = {
        "--features": request.features,
        "--without": request.without,
        "--with-protected": request.with_protected,
        "--pair": request.pairs,
        "--live": request.live,
        "--half-lives": request.half_lives,
    }
    for option, value in given.items():
        if value:
            raise SettingError(option, "given", f"nothing: {target} has no features and always holds")
    need(pictures=request.pictures is not None)


def base_policy(path: Path | None) -> Policy:
    """The policy whose other sections stay. Raises SettingError for one that cannot be."""
    return default() if path is None else policies.read("--base", path)


def read(request: Request) -> tuple[list[SourceEvent], int, int]:
    """The events that are looked at, and the first and last moment. Raises OperationError where are none."""
    events = list(read_merged(get_source(request.source), request.files, SourceCounts()))
    if request.until is not None:
        events = [event for event in events if event.time < request.until]
    if not events:
        raise OperationError("the files hold no event that can be used")
    return events, events[0].time if request.start is None else request.start, events[-1].time


def joined(base: Policy, name: str, section: str) -> Policy:
    """The base with its new section, read back. Raises SettingError for one that cannot be."""
    try:
        return parse(with_section(base.text, name, section))
    except PolicyError as error:
        raise SettingError(f"--policy-out: {error.key}", error.found, error.expected) from None


def save(request: Request, policy: Policy, report: dict[str, Any]) -> None:
    """Write the policy, and the report where one is wanted. Raises OperationError."""
    try:
        request.policy_out.write_text(policy.text, "utf-8")
        if request.report_out is not None:
            request.report_out.write_bytes(msgspec.json.format(msgspec.json.encode(report)) + b"\n")
    except OSError as error:
        raise OperationError(f"{error.filename}: {error.strerror}") from None


def draw(path: Path, titles: Sequence[str], each: Callable[[int, Any], None]) -> None:
    """A picture of one part a title, side by side in threes; ``each(number, axes)`` draws one."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    columns = min(3, len(titles))
    rows = -(-len(titles) // columns)
    path.parent.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(3.4 * columns, 2.6 * rows), layout="constrained")
        for number, title in enumerate(titles):
            axes = figure.add_subplot(rows, columns, number + 1)
            # A label is somebody's own text: no dollar of it is mathematics.
            axes.set_title(title.replace("$", r"\$"))
            each(number, axes)
        figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
