"""Minutes without ClickHouse under live traffic: what alerts, lag, memory and logs do, and what is stored.

``python -m tests.chaos.outage --minutes 10`` starts a broker, an engine and a worker with all lanes, sends
events at a steady rate before, during and after the outage, and prints what was seen. Exit code 1 when a row
is missing, doubled or different, when a partition moved, or when the log said more or less than it should.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from streams.clock import monotonic, wall_ms
from tests.chaos.outage_look import differences
from tests.chaos.outage_parts import HOW, Alerts, Traffic
from tests.chaos.stage import stage, verdict
from tests.support.engine import EngineUnderTest
from tests.support.kafka import KafkaAt
from tests.support.metrics import metric, metrics_of, said
from tests.support.world import World

__all__ = ["Outage"]

SAMPLE_S = 5.0


class Outage:
    """One installation with a worker, taken through an outage; ``apart`` gives the facts one of their own."""

    def __init__(
        self, kafka: KafkaAt, engine: EngineUnderTest, home: Path, rate: float, *, apart: bool = False
    ) -> None:
        self.engine = engine
        self.world = World(kafka.url, engine.server_url, home, clock="wall", partitions=8).prepare()
        self._workers = ["events,desk", "facts"] if apart else ["events,desk,facts"]
        self.worker = [self.world.start_worker(lanes) for lanes in self._workers][-1]
        self.traffic, self.alerts = Traffic(self.world, rate), Alerts(self.world)
        self.samples: list[dict[str, float]] = []
        self._began = monotonic()

    def begin(self) -> None:
        """Wait until every lane reads; then traffic flows."""
        count = len(self._workers)
        self.world.until(lambda: len(said(self.world, "worker starts")) == count, "the start")
        self.world.until(lambda: metric(metrics_of(self.world), "rehuman_ready") == count, "all lanes")
        self.alerts.start()
        self.traffic.start()

    def watch(self, seconds: float, until: Callable[[dict[str, float]], bool] = lambda _: False) -> float:
        """Look at the metrics for that long, or until they say so; the seconds it was."""
        began = monotonic()
        while (spent := monotonic() - began) < seconds:
            time.sleep(min(SAMPLE_S, seconds - spent))
            if until(self.sample()):
                break
        return monotonic() - began

    def sample(self) -> dict[str, float]:
        """What an operator would see now."""
        found, topics = metrics_of(self.world), self.world.settings.topics
        status = Path(f"/proc/{self.worker.pid}/status").read_text()
        taken = {
            "at": monotonic() - self._began,
            "rss_mb": int(status.split("VmRSS:")[1].split()[0]) / 1024,
            "threads": int(status.split("Threads:")[1].split()[0]),
            "lag_events": metric(found, "rehuman_lane_lag_records", topic=topics.events),
            "lag_facts": metric(found, "rehuman_lane_lag_records", topic=topics.facts),
            "waiting_rows": metric(found, "rehuman_facts_waiting_rows"),
            "waiting_since": metric(found, "rehuman_facts_waiting_since_timestamp_seconds"),
            "lanes_open": metric(found, "rehuman_lanes_open"),
            "assignments": metric(found, "rehuman_restore_duration_seconds_count"),
            "up": metric(found, "rehuman_clickhouse_up"),
            "rows": metric(found, "rehuman_rows_written_total"),
            "machine_load": os.getloadavg()[0],
        }
        self.samples.append(taken)
        return taken

    def latencies(self, since_ms: int, until_ms: int) -> list[int]:
        """Milliseconds from the send to the alert, in order, of what was sent in between; -1: no alert."""
        chosen = [(name, sent) for name, sent in self.traffic.asked.items() if since_ms <= sent < until_ms]
        return sorted(self.alerts.at[name] - sent if name in self.alerts.at else -1 for name, sent in chosen)

    def close(self) -> None:
        """End the threads and the worker."""
        self.traffic.stop()
        self.alerts.stop()
        self.world.close()


def _share(ordered: Sequence[int], quantile: float) -> int:
    return ordered[min(len(ordered) - 1, int(len(ordered) * quantile))] if ordered else -1


def main(arguments: Sequence[str] | None = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.outage", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="without ClickHouse (default: 10)")
    parser.add_argument("--before", type=float, default=2.0, help="minutes before and after it (default: 2)")
    parser.add_argument("--rate", type=float, default=1_000.0, help="events a second (default: 1000)")
    parser.add_argument("--apart", action="store_true", help="a worker of its own for the facts")
    parser.add_argument("--how", choices=sorted(HOW), default="killed")
    parser.add_argument("--engine", type=Path, help="its directory; for disk-full on a small file system")
    parser.add_argument("--json", type=Path, help="write samples and figures to this file")
    options = parser.parse_args(arguments)
    with ExitStack() as held:
        home, kafka, engine = held.enter_context(stage("outage", options.engine))
        run = Outage(kafka, engine.migrate(), home, options.rate, apart=options.apart)
        held.callback(run.close)
        report, wrong = _run(run, options)
    if options.json:
        options.json.write_text(json.dumps(report | {"samples": run.samples, "wrong": wrong}, indent=1))
    for name, value in report.items():
        print(f"{name}: {value}")
    return verdict(wrong)


def _run(run: Outage, options: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    run.begin()
    run.watch(20)  # the first seconds of a process are not what it does later
    marks = [wall_ms()]
    run.watch(options.before * 60)
    marks.append(wall_ms())
    before = run.sample()
    with HOW[options.how](run.engine):
        run.watch(options.minutes * 60)
        marks.append(wall_ms())
        during = run.sample()
    behind = during["lag_facts"]
    caught_up = run.watch(900, until=lambda now: now["lag_facts"] < 100 and not now["waiting_since"])
    after = run.sample()
    marks.append(wall_ms())
    run.watch(options.before * 60)
    marks.append(wall_ms())
    run.traffic.stop()
    run.world.settle()
    time.sleep(2)
    report: dict[str, Any] = {"how": options.how, "events": run.traffic.count, "minutes": options.minutes}
    for phase, name in enumerate(("before", "during", "catching up", "after")):
        ordered = run.latencies(marks[phase], marks[phase + 1])
        figures = [_share(ordered, quantile) for quantile in (0.5, 0.99, 1.0)]
        report[f"alerts {name}: n, p50, p99, most (ms)"] = [len(ordered), *figures]
    minutes = range(marks[0], marks[-1], 60_000)
    report["alerts by minute: p99 (ms)"] = [_share(run.latencies(at, at + 60_000), 0.99) for at in minutes]
    loads = [round(sample["machine_load"], 1) for sample in run.samples[:: int(60 / SAMPLE_S)]]
    report["load of the machine by minute"] = loads
    report["blocks behind at the end of the outage"] = behind
    report["seconds to catch up"] = round(caught_up, 1)
    report["rows written while catching up"] = after["rows"] - during["rows"]
    peak = max(sample["rss_mb"] for sample in run.samples)
    report["worker's memory before, most (MB)"] = [round(before["rss_mb"]), round(peak)]
    report["most rows held"] = max(sample["waiting_rows"] for sample in run.samples)
    lines = said(run.world, "clickhouse", "facts")
    report["log"] = [json.dumps(line) for line in lines]
    wrong = differences(run.world)
    events = run.world.value("SELECT uniqExact(event_id) FROM events_exact WHERE source = 'web/shop'")
    if int(events) != run.traffic.count:
        wrong.append(f"{events} events stored of {run.traffic.count}")
    if missing := run.latencies(0, wall_ms()).count(-1):
        wrong.append(f"{missing} alerts missing")
    if [line["event"].startswith("clickhouse") for line in lines].count(True) != 2:
        wrong.append("not one line when it began and one when it was over")
    if len({sample["assignments"] for sample in run.samples}) > 1:
        wrong.append("partitions moved")
    if len({sample["lanes_open"] for sample in run.samples[2:]}) > 1:
        wrong.append("lanes closed")
    if not (during["waiting_since"] > 0 == after["waiting_since"]):
        wrong.append("the metric does not say since when")
    return report, wrong


if __name__ == "__main__":
    sys.exit(main())
