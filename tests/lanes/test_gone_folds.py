"""The project's own folds forget customers and alerts: wherever the process dies meanwhile, they start again.

A key that is gone may be durable while the mark is not. A fold that could not be told so could not be started
again by any worker.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from detectors.examples import MONDAY
from detectors.policy import DEFAULT_TEXT, parse
from streams import blocks, desk_lane
from streams.desk_lane import DeskFold
from streams.events_lane import EventsFold
from streams.identity import Pseudonyms
from streams.lanes import LaneObserver, LaneOptions
from streams.lanes.api import Fold
from streams.lanes.changelog import Merge
from streams.lanes.lane import FoldLane
from streams.sources.api import cloud_event
from streams.topics import TopicNames
from tests.lanes.memory import PLACE, CrashError, MemoryBroker, MemoryWire
from tests.lanes.test_lane import live
from tests.streams.test_desk_lane import candidates, of_another

TOPICS = TopicNames("test")
OPTIONS = LaneOptions(checkpoint_records=7, checkpoint_s=30.0)
HOUR_MS = 3_600_000
# When the broker took all of it: nothing lies in its future.
AFTER = MONDAY + 365 * 24 * HOUR_MS
Values = list[tuple[bytes, bytes]]
State = dict[bytes, bytes]


def events() -> Values:
    """One customer after the other fails three times within hours, and is not seen again for weeks."""
    found = []
    for number in range(72):
        case, again = divmod(number, 4)
        name = "step.failed" if again else "form_start"
        data = {"channel": "web", "journey": "loan", "step": "income", "session_id": f"s{case}"}
        time = MONDAY + (case * 60 + again) * HOUR_MS
        event = cloud_event(name, time, "web", f"e{number}", f"c{case % 9}", data)
        found.append((event.key or b"", event.value))
    return found


def proposals() -> Values:
    """Alerts that are raised four at a time, and then are over."""
    raised, _, ended = candidates()
    found: Values = []
    for block in range(6):
        for told in ([raised], [ended]):
            found += [(b"default", value) for n in range(4) for value in of_another(told, 4 * block + n)]
    return found


def forgetful_events() -> Fold:
    policy = parse(DEFAULT_TEXT.replace('idle = "90d"', 'idle = "1d"'))
    return EventsFold(0, 1, TOPICS, policy, Pseudonyms(b"0123456789abcdef", b"fedcba9876543210"))


def forgetful_desk() -> Fold:
    return DeskFold(0, TOPICS)


def once(make: Callable[[], Fold], broker: MemoryBroker, die_at: int = -1) -> list[tuple[bytes, int]]:
    """Run to the end of the log, or to a death; which keys the fold was told are gone."""
    fold, told = make(), []
    really = fold.gone

    def gone(key: bytes, position: int) -> None:
        told.append((key, position))
        really(key, position)

    fold.gone = gone  # type: ignore[method-assign]

    async def main() -> None:
        lane = FoldLane(
            PLACE,
            MemoryWire(broker, die_at=die_at),
            OPTIONS,
            LaneObserver(),
            headers=False,
            fold=fold,
            changelog="changelog",
        )
        await live(lane, len(broker.log))

    asyncio.run(main())
    return told


def facts(broker: MemoryBroker) -> dict[tuple[str, str], dict[str, Any]]:
    """Every row, each fact once: in its highest version."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for written in broker.sent.get(TOPICS.facts, []):
        block = blocks.decode(written.value or b"")
        for values in zip(*block.columns, strict=True):
            row = dict(zip(block.names, values, strict=True))
            before = found.get((block.table, row["fact_id"]))
            if before is None or row["ver"] > before["ver"]:
                found[block.table, row["fact_id"]] = row
            elif row["ver"] == before["ver"]:
                assert row == before, "said again otherwise"
    return found


def said(broker: MemoryBroker) -> set[bytes]:
    """What others were told; again is not more."""
    return {
        written.value or b""
        for topic in (TOPICS.desk, TOPICS.alerts)
        for written in broker.sent.get(topic, [])
    }


def states(broker: MemoryBroker) -> State:
    """What the changelog holds of customers or alerts."""
    merge = Merge()
    for written in broker.sent["changelog"]:
        merge.offer(*written)
    return {key: state for key, state in merge.states() if not key.startswith(b"\0")}


@pytest.mark.parametrize(
    ("make", "values"), [(forgetful_events, events), (forgetful_desk, proposals)], ids=["events", "desk"]
)
def test_it_is_exact_wherever_it_dies(
    make: Callable[[], Fold], values: Callable[[], Values], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_lane, "MOST_OPEN", 4)
    monkeypatch.setattr(desk_lane, "MOST_ENDED", 2)
    log = values()
    undisturbed = MemoryBroker(log, stamp=AFTER)
    once(make, undisturbed)
    assert any(written.value is None for written in undisturbed.sent["changelog"]), "something is forgotten"
    told = 0
    for die_at in range(sum(not what.startswith("ack") for what in undisturbed.journal)):
        broker = MemoryBroker(log, stamp=AFTER)
        with pytest.raises(CrashError):
            once(make, broker, die_at)
        told += len(once(make, broker))
        assert facts(broker) == facts(undisturbed), f"died at step {die_at}"
        assert said(broker) == said(undisturbed), f"died at step {die_at}"
        assert states(broker) == states(undisturbed), f"died at step {die_at}"
    assert told, "no death left a key that was gone ahead of the mark"
