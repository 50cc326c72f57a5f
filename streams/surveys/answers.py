"""The answers of a history, each beside the effort just before it, as the fold stores them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import msgspec

from detectors.policy import Policy
from detectors.tables import TABLES
from streams.backtest import fold_events
from streams.clock import wall_ms
from streams.identity import Pseudonyms
from streams.sources.api import SourceEvent
from streams.ticks import TickAt, under

__all__ = ["Answer", "gather"]

Progress = Callable[[int, int], None]
EVERY: Final = 2_000
_SURVEY: Final = {name: place for place, name in enumerate(TABLES["surveys"].names)}
_EVENT: Final = {name: place for place, name in enumerate(TABLES["events"].names)}


class Answer(msgspec.Struct, frozen=True):
    """``value`` is 0 (worst) to 1 (best), ``effort`` the journey's just before it, 0 to 100."""

    metric: str
    customer: str
    time: int
    journey: str
    step: str
    value: float
    effort: float


def gather(
    events: Sequence[SourceEvent], policy: Policy, names: Pseudonyms, progress: Progress | None = None
) -> tuple[list[Answer], dict[str, int]]:
    """Fold ``events`` (in order): the answers that can be used, and how many cannot, by reason."""
    found: list[Answer] = []
    left: dict[str, int] = {}
    # Where a customer stood in a journey: few surveys say it themselves.
    steps: dict[tuple[str, str, str], str] = {}
    done = 0
    timed: Iterable[SourceEvent | TickAt] = under(policy, events, now_ms=wall_ms())
    for folded in fold_events(timed, policy, names):
        rows = folded.findings.rows
        for row in rows.get("surveys", ()):
            reason = _reason(row)
            if reason:
                left[reason] = left.get(reason, 0) + 1
            else:
                found.append(_answer(row, steps))
        for row in rows.get("events", ()):
            if row[_EVENT["step"]]:
                steps[str(row[0]), str(row[1]), str(row[_EVENT["journey"]])] = str(row[_EVENT["step"]])
        if isinstance(folded.raw, SourceEvent):
            done += 1
            if progress and done % EVERY == 0:
                progress(done, len(events))
    if progress:
        progress(done, len(events))
    return found, dict(sorted(left.items()))


def _reason(row: Sequence[Any]) -> str:
    if row[_SURVEY["value"]] is None:
        return "scale_not_known"
    return "too_little_seen" if row[_SURVEY["effort_before"]] is None else ""


def _answer(row: Sequence[Any], steps: dict[tuple[str, str, str], str]) -> Answer:
    tenant, customer, journey = str(row[0]), str(row[1]), str(row[_SURVEY["journey"]])
    return Answer(
        str(row[_SURVEY["metric"]]),
        f"{tenant}/{customer}",
        int(row[3]),
        journey,
        str(row[_SURVEY["step"]]) or steps.get((tenant, customer, journey), ""),
        float(row[_SURVEY["value"]]),
        float(row[_SURVEY["effort_before"]]),
    )
