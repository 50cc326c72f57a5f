"""The fold taken from its changelog's records again and again finds what one that goes on finds."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from benchmarks.workload import STAMP, Raw, records
from detectors.events import Rejected
from detectors.log import LogFold
from detectors.moment import Findings
from detectors.policy import default
from streams.ticks import tick_record
from tests.chaos.feed import shuffled
from tests.chaos.proof import Best, said_of, told

EVENTS = 6_000
# Few enough that the rings of the busiest overflow now and then.
CUSTOMERS = 500


def _log(disordered: float) -> list[Raw]:
    policy = default()
    raws = records(EVENTS, seed=5, customers=CUSTOMERS)
    log = list(shuffled(raws, 5, doubled=0.02, disordered=disordered))
    end = max(raw.time for raw in log) + policy.lateness + policy.longest_timeout_ms
    return [*log, Raw(None, tick_record(end), end)]


def _fold(log: Sequence[Raw], every: int) -> tuple[object, set[bytes], dict[bytes, bytes]]:
    """Final facts, messages to the desk, states; ``every`` so many records a new process takes over."""
    fold, kept, best, desk = _new(), dict[bytes, bytes](), Best(), set[bytes]()
    for offset, raw in enumerate(log):
        if offset % every == every - 1:
            _keep(fold, kept)
            fold = _new()
            for key, value in kept.items():
                fold.fold.load(key, value)
        found = Findings()
        assert not isinstance(fold.record(raw.value, STAMP, offset, found), Rejected)
        for table, rows in found.rows.items():
            best.add(table, rows)
        desk.update(map(told, found.desk))
    _keep(fold, kept)
    facts = {
        (table, fact): said
        for table, rows in best.rows.items()
        for fact, (_, gone, said) in rows.items()
        if not gone
    }
    watermark = fold.fold.watermark
    return (
        facts,
        desk,
        {key: said_of(raw, watermark) for key, raw in kept.items() if not key.startswith(b"\0")},
    )


def _new() -> LogFold:
    return LogFold(0, default(), lambda _, subject: f"p-{subject}", lambda *_: "sealed")


def _keep(fold: LogFold, kept: dict[bytes, bytes]) -> None:
    for key, value in fold.fold.changed():
        if value is None:
            kept.pop(key, None)
        else:
            kept[key] = value


@pytest.mark.parametrize("disordered", [0.0, 0.05])
def test_a_fold_that_is_restarted_finds_the_same(disordered: float) -> None:
    log = _log(disordered)
    facts, desk, states = _fold(log, every=len(log) + 1)
    again, told_again, restored = _fold(log, every=700)
    assert again == facts
    assert told_again == desk
    assert restored == states
