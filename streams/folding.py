"""The fold of a back-test: one log of events and ticks, record by record or many at a time."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import msgspec

from detectors.events import Rejected
from detectors.log import LogFold
from detectors.moment import Findings
from detectors.policy import Policy
from streams.clock import wall_ms
from streams.identity import Pseudonyms
from streams.sources.api import SourceEvent
from streams.ticks import TickAt, tick_record

__all__ = ["PROGRESS_EVERY", "Found", "Progress", "few_collections", "fold_chunks", "fold_events"]

Items = Sequence[SourceEvent | TickAt]
Progress = Callable[[int, int], None]
PROGRESS_EVERY: Final = 2_000
# Records decoded before the first of them is folded: few enough to stay in the cache, see LogFold.events.
AT_ONCE: Final = 128


class Found(msgspec.Struct):
    """What one record led to."""

    raw: SourceEvent | TickAt
    outcome: str | Rejected
    subject: str
    scored: bool
    findings: Findings


def fold_events(
    items: Iterable[SourceEvent | TickAt],
    policy: Policy,
    names: Pseudonyms,
    watch: frozenset[str] = frozenset(),
) -> Iterator[Found]:
    """Fold ``items`` as one partition's log and give what each led to.

    Of events of a type in ``watch`` the findings say what was known just after each was folded.
    """
    log = LogFold(0, policy, names.pseudonym, names.reference)
    stamp = wall_ms()
    for offset, item in enumerate(items):
        raw = _record(item)
        findings = Findings(watch)
        before = log.fold.counts.scored
        outcome = log.record(raw, stamp, offset, findings)
        if isinstance(outcome, Rejected):
            log.reject("file", outcome, raw, stamp, offset, findings)
        subject = "" if isinstance(item, TickAt) else item.key.decode("utf-8", "replace")
        yield Found(item, outcome, subject, log.fold.counts.scored > before, findings)


def fold_chunks(
    items: Items,
    policy: Policy,
    names: Pseudonyms,
    *,
    watch: frozenset[str] = frozenset(),
    progress: Progress | None = None,
) -> Iterator[Findings]:
    """As :func:`fold_events`, in a fraction of the time: what some records in a row led to, together.

    A record's offset is its place in ``items``. ``progress`` is told of records, ticks and all. Items in
    order are folded as such; from where they turn out not to be, or an event makes the fold raise, as any.
    """
    stamp = wall_ms()
    log = LogFold(0, policy, names.pseudonym, names.reference, ordered=True)
    at = said = 0
    while at < len(items):
        findings = Findings(watch)
        after = _fold_some(log, items, at, len(items), stamp, findings)
        if log.fold.spoiled:
            log = LogFold(0, policy, names.pseudonym, names.reference)
            again = 0
            while again < at:
                again = _fold_some(log, items, again, at, stamp, Findings(watch))
            findings = Findings(watch)
            after = _fold_some(log, items, at, len(items), stamp, findings)
        at = after
        yield findings
        if progress is not None and at - said >= PROGRESS_EVERY:
            said = at
            progress(at, len(items))
    if progress is not None:
        progress(len(items), len(items))


def _fold_some(log: LogFold, items: Items, at: int, end: int, stamp: int, out: Findings) -> int:
    """Fold some records from ``at`` on, before ``end``; the place behind them."""
    records: list[tuple[int, int, bytes]] = []
    for place in range(at, min(at + AT_ONCE, end)):
        item = items[place]
        if isinstance(item, TickAt):
            records.append((place, stamp, tick_record(item.time)))
            break  # it is folded by itself
        records.append((place, stamp, item.value))
    count, outcome = log.events(records, out)
    if isinstance(outcome, Rejected):
        offset, _, raw = records[count]
        log.reject("file", outcome, raw, stamp, offset, out)
    # What stands behind the events, if anything does, is dealt with, too.
    return at + min(count + 1, len(records))


@contextmanager
def few_collections() -> Iterator[None]:
    """Look for cycles rarely: all of a file is in memory and stays, and no event leaves a cycle behind."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(200_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _record(item: SourceEvent | TickAt) -> bytes:
    return tick_record(item.time) if isinstance(item, TickAt) else item.value
