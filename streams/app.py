"""The Faust app: lanes on their topics, ticks from the wall clock, metrics. ``faust -A streams.app worker``.

The app is made at first use, from the settings of the environment, so that importing this module costs and
requires nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka.errors import KafkaError

from streams import collector, metrics, policies
from streams.accounts import Accepted
from streams.clock import monotonic, wall_ms
from streams.desk_lane import DeskFold
from streams.errors import SettingError
from streams.events_lane import EventsFold
from streams.facts_lane import FactsLane
from streams.freshness.board import Board
from streams.freshness.sources import Sources, silence
from streams.identity import Pseudonyms
from streams.kafka import urls
from streams.lanes.api import Output
from streams.lanes.app import make_app
from streams.lanes.failure import end_process
from streams.lanes.observer import LaneObserver
from streams.lanes.registry import Lanes
from streams.ports import free_port
from streams.settings import Settings, load
from streams.ticks import WORKER, tick_record
from streams.topics import LANES
from streams.warehouse.inserter import Inserter
from streams.warehouse.writer import FactsWriter

__all__ = ["build"]

# Time-outs are minutes; a tick a second keeps alerts from timers within their second and costs nothing.
TICK_S = 1.0
# A lane that waits gets no chunk that would say how far it is behind; dashboards look every 15 s or so.
LAG_EVERY_S = 10.0
# A client whose brokers are away asks them again and again; a broker that is there answers at once.
ANSWER_S = 5.0
SWEEP_EVERY_S = 10.0


def build(settings: Settings, lanes: Sequence[str] = LANES) -> Any:
    """A Faust app with these lanes. Raises SettingError for a wrong policy, key or address."""
    for name in lanes:
        if name not in LANES:
            raise SettingError("--lanes", repr(name), f"some of {', '.join(LANES)}")
    policy = policies.configured(settings)
    names = Pseudonyms.of(settings)
    topics = settings.topics
    app = make_app(
        urls.parse(settings.kafka_url),
        group=settings.group,
        data_dir=settings.data_dir,
        web_port=settings.web_port or free_port(),
    )
    found = Lanes(app, observer=_Metrics(topics.events))
    served: list[str] = []
    if "events" in lanes:
        sources = Sources(silence(policy)) if settings.clock == "wall" else None
        served.append(topics.events)
        found.fold(
            topic=topics.events,
            make=lambda partition, partitions: EventsFold(
                partition,
                partitions,
                topics,
                policy,
                names,
                Accepted(partition, sources),
                settings.parking,
            ),
            changelog=topics.changelog(topics.events),
            outputs=[topics.facts, topics.desk, topics.dead_letters, topics.sources],
            dense=[topics.facts],
        )
        if sources is not None:
            board = Board(topics.sources, sources)
            _follow(app, board, urls.parse(settings.kafka_url).client())
            _tick(app, found, topics.events, board)
    if "desk" in lanes:
        served.append(topics.desk)
        found.fold(
            topic=topics.desk,
            make=lambda partition, partitions: DeskFold(partition, topics),
            changelog=topics.changelog(topics.desk),
            outputs=[topics.alerts, topics.facts, topics.dead_letters],
            dense=[topics.facts],
        )
    if "facts" in lanes:
        served.append(topics.facts)
        inserter = Inserter(FactsWriter(settings.clickhouse_url), strict=set(lanes) == {"facts"})
        found.sink(
            topic=topics.facts,
            make=lambda partition: FactsLane(partition, inserter, topics, found.deliver),
        )
    _watch(app, found, served)
    return app


def _watch(app: Any, lanes: Lanes, topics: Sequence[str]) -> None:
    """Keep the metrics that say which partitions this worker has, whether they are read, and how far."""

    @app.task  # type: ignore[untyped-decorator]  # Faust has no types
    async def watch() -> None:
        looked = swept = monotonic()
        while not app.should_stop:
            if monotonic() - looked >= LAG_EVERY_S:
                looked = monotonic()
                await _lag(lanes)
            if monotonic() - swept >= SWEEP_EVERY_S:
                swept = monotonic()
                collector.sweep()
            collector.rest()
            for topic in topics:
                metrics.LANES_OPEN.labels(topic).set(len(lanes.open(topic)))
            metrics.READY.set(lanes.ready())
            await asyncio.sleep(TICK_S)


async def _lag(lanes: Lanes) -> None:
    try:
        found = await asyncio.wait_for(lanes.behind(), ANSWER_S)
    except (KafkaError, TimeoutError):
        # Everything else stands still as it was, which looks like nothing to do.
        metrics.KAFKA_UP.set(0)
        return
    for place, count in found.items():
        metrics.LANE_LAG.labels(place.topic, str(place.partition)).set(count)
    if found:
        metrics.KAFKA_UP.set(1)


def _follow(app: Any, board: Board, client: Mapping[str, Any]) -> None:
    """Read what other workers have seen of the sources."""

    @app.task  # type: ignore[untyped-decorator]  # Faust has no types
    async def follow() -> None:
        try:
            await board.follow(client, lambda: bool(app.should_stop))
        except Exception as error:
            end_process("the sources cannot be read", error)


def _tick(app: Any, lanes: Lanes, topic: str, board: Board) -> None:
    """Once a second, the time by the wall clock into every partition that this worker owns.

    With the names of the sources that are silent, over all partitions: timers wait for them.
    """

    @app.task  # type: ignore[untyped-decorator]  # Faust has no types
    async def ticks() -> None:
        while not app.should_stop:
            await asyncio.sleep(TICK_S)
            if not board.read:
                continue  # a tick that calls every source fresh would give up whoever waits for one
            now = wall_ms()
            record = tick_record(now, WORKER, await board.tell(now, lanes.send))
            await lanes.send([Output(topic, partition, None, record) for partition in lanes.open(topic)])


class _Metrics(LaneObserver):
    """What lanes do, as metrics."""

    def __init__(self, events: str) -> None:
        """``events`` is the topic of events."""
        self._events = events

    def records(self, topic: str, partition: int, count: int) -> None:
        metrics.CONSUMED.labels(topic).inc(count)

    def checkpoint(self, topic: str, partition: int, offset: int, seconds: float) -> None:
        metrics.CHECKPOINT_SECONDS.labels(topic).observe(seconds)
        metrics.COMMITTED_AT.labels(topic).set(wall_ms() / 1000)

    def lag(self, topic: str, partition: int, count: int) -> None:
        metrics.LANE_LAG.labels(topic, str(partition)).set(count)

    def restored(self, topic: str, partition: int, keys: int, seconds: float) -> None:
        metrics.RESTORED_KEYS.labels(topic).inc(keys)
        metrics.RESTORE_SECONDS.labels(topic).observe(seconds)

    def ended(self, topic: str, partition: int) -> None:
        # What stood here would be added to what the next owner shows.
        metrics.LANE_LAG.remove(topic, str(partition))
        if topic == self._events:
            metrics.CUSTOMERS.remove(str(partition))
            metrics.WATERMARK.remove(str(partition))


def __getattr__(name: str) -> Any:
    if name == "app":
        made = build(load(None))
        globals()["app"] = made
        return made
    raise AttributeError(name)
