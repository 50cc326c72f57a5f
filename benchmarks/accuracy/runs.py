"""A simulation folded: its events and truth, the final rows of findings, and what is told of each moment.

``streams.simulate`` makes the customers up and knows no detector; the fold is the worker's own. What human
need and cause are told of a moment is what an alert raised just then would say.

>>> from detectors.policy import default
>>> from streams.simulate.parameters import load
>>> run = folded(simulated(load("quiet-day"), seed=1, customers=3, hours=2), default())
>>> len(run.judged) == sum(one["record"] == "moment" for one in run.simulation.truth)
True
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from detectors.cause import cause
from detectors.log import LogFold
from detectors.moment import Findings, Moment
from detectors.need import overrides, weigh
from detectors.policy import LEVELS, Policy
from detectors.tables import TABLES
from detectors.vocabulary import TYPES
from streams.simulate.crowd import events
from streams.simulate.parameters import Parameters
from streams.sources.api import SourceEvent
from streams.ticks import TickAt, tick_record, under

__all__ = ["START", "Judged", "Run", "Simulation", "folded", "ms", "simulated"]

START = 1_767_571_200_000  # 2026-01-05, a Monday
# Beyond all events: the clock of whoever folds.
_FAR = START + 4_000 * 86_400_000
_TENANT = "default"
_OVERRIDDEN = LEVELS.index("offer_human")
_TABLES = ("abandonments", "channel_switches")

Record = dict[str, Any]


class Simulation(NamedTuple):
    """Events in time order, and truth by customer as they came."""

    events: list[Record]
    raw: list[bytes]
    truth: list[Record]


class Judged(NamedTuple):
    """What holds of a moment just after it; ``seen`` is whether any event of its journey came before."""

    moment: Record
    seen: bool
    need: float
    level: str
    cause: str


class Run(NamedTuple):
    """Findings beside the truth."""

    simulation: Simulation
    rows: dict[str, list[Record]]
    judged: list[Judged]


def ms(text: str) -> int:
    """RFC 3339 in milliseconds since the epoch."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def simulated(of: Parameters, *, seed: int, customers: int, hours: int) -> Simulation:
    """Make them up."""
    truth: list[Record] = []
    raw = list(events(of, seed=seed, customers=customers, hours=hours, start=START, truth=truth.extend))
    return Simulation([msgspec.json.decode(one) for one in raw], raw, truth)


def folded(simulation: Simulation, policy: Policy) -> Run:
    """Fold all events, in the order in which they came, and look at each moment when it is there."""
    log = LogFold(0, policy, lambda _, subject: subject, lambda *_: "")
    found: dict[str, dict[str, Record]] = {table: {} for table in _TABLES}
    moments = [(ms(one["time"]), one) for one in simulation.truth if one["record"] == "moment"]
    moments.sort(key=lambda pair: pair[0], reverse=True)
    judged: list[Judged] = []
    for offset, item in enumerate(under(policy, _items(simulation), now_ms=_FAR)):
        while moments and moments[-1][0] < item.time:
            judged.append(_judge(log, policy, *moments.pop()))
        raw = tick_record(item.time) if isinstance(item, TickAt) else item.value
        out = Findings()
        outcome = log.record(raw, _FAR, offset, out)
        if not isinstance(outcome, str):
            raise ValueError(f"a simulated event is refused: {outcome}")
        _keep(out, found)
    judged += [_judge(log, policy, *moment) for moment in reversed(moments)]
    rows = {table: [row for row in kept.values() if not row["retracted"]] for table, kept in found.items()}
    return Run(simulation, rows, judged)


def _items(simulation: Simulation) -> Iterator[SourceEvent]:
    for event, raw in zip(simulation.events, simulation.raw, strict=True):
        rank = TYPES[event["type"]].rank
        yield SourceEvent(
            ms(event["time"]), rank, event["source"], event["id"], event["subject"].encode(), raw
        )


def _keep(out: Findings, found: dict[str, dict[str, Record]]) -> None:
    """Of each fact the row of its highest version."""
    if not out.found:
        return
    for table in _TABLES:
        for values in out.rows.get(table, ()):
            row = dict(zip(TABLES[table].names, values, strict=True))
            known = found[table].get(row["fact_id"])
            if known is None or row["ver"] >= known["ver"]:
                found[table][row["fact_id"]] = row


def _judge(log: LogFold, policy: Policy, time: int, moment: Record) -> Judged:
    state = log.fold.customer(_TENANT, moment["customer"])
    if state is None:
        return Judged(moment, False, 0.0, "", "unknown")
    m = Moment(state, policy, Findings(), time, 0, 0)
    journey = m.known(moment["journey"])
    if journey is None:
        return Judged(moment, False, 0.0, "", "unknown")
    need = weigh(m, journey, m.effort(journey))
    level = policy.level(need)
    if overrides(m):
        level = max(level, _OVERRIDDEN)
    return Judged(moment, True, need, LEVELS[level], cause(m, journey))
