"""A day of the bank, folded with what was known at its events."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from detectors.examples import MONDAY
from detectors.log import LogFold
from detectors.moment import Findings
from detectors.policy import Policy
from streams.sources.api import SourceEvent
from streams.ticks import TickAt, tick_record, under
from tests.sources.datasets import first_days, once

__all__ = ["ENDS", "SECTION", "bank_day", "watch"]

ENDS = frozenset(["call.ended", "call.abandoned"])
# Numbers, labels, what is missing and pairs of each kind.
SECTION = """
[targets.recontact]
target = "recontact=3600,max=30"
events = ["call.ended", "call.abandoned"]
live = LIVE
base = -1.7613
[targets.recontact.numbers.wait_s]
edges = [10.0, 60.0, 180.0]
log_odds = [-0.3, 0.0, 0.25, 0.7]
[targets.recontact.numbers.since_contact]
edges = [600.0, 3600.0]
log_odds = [0.9, 0.4, -0.1]
missing = -0.35
[targets.recontact.numbers.contacts_8h]
edges = [0.5]
log_odds = [0.0, 0.45]
[targets.recontact.numbers.hour]
edges = [8.0, 16.5]
log_odds = [0.15, 0.0, -0.2]
[targets.recontact.labels.outcome]
other = -0.05
[targets.recontact.labels.outcome.log_odds]
served = -0.8
queue = 1.2
[targets.recontact.labels.queue.log_odds]
"" = -0.1
PS = 0.2
[[targets.recontact.pairs]]
features = ["outcome", "since_contact"]
first = { labels = ["queue", "ivr"] }
second = { edges = [900.0] }
log_odds = [[0.5, 0.1], [0.3, 0.2], [0.0, 0.0]]
missing = -0.15
[[targets.recontact.pairs]]
features = ["wait_s", "talk_s"]
first = { edges = [30.0] }
second = { edges = [20.0, 300.0] }
log_odds = [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]]
"""


@cache
def bank_day() -> tuple[SourceEvent, ...]:
    """The first of February: 1,700 calls, about 6,800 events."""
    with TemporaryDirectory() as directory:
        return tuple(once("anonymous-bank", first_days(Path(directory), "990201")).events)


def watch(events: Iterable[SourceEvent], policy: Policy, kinds: frozenset[str] = ENDS) -> Findings:
    """Fold events as a back-test does; customers keep their names."""
    log = LogFold(0, policy, lambda _, subject: subject, lambda *_: "sealed")
    out = Findings(kinds)
    for offset, item in enumerate(under(policy, list(events), now_ms=MONDAY)):
        raw = tick_record(item.time) if isinstance(item, TickAt) else item.value
        assert isinstance(log.record(raw, MONDAY, offset, out), str)
    return out
