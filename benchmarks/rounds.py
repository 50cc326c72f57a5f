"""One round: everything is measured once, one after the other, on the same topic.

Rounds are interleaved so that a machine that slows down, or somebody else's work on it, falls on all parts
alike; a ratio is of two figures of one round.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from benchmarks import latency, naive
from benchmarks.quota import limited, quotas
from benchmarks.stage import Stage, ended, scrape
from benchmarks.watch import Rate, follow, slope
from benchmarks.workload import partitioned, records
from streams.clock import monotonic

__all__ = ["Plan", "Round"]

Figures = dict[str, float]

# Nothing may take longer to begin.
PATIENCE_S = 120.0
# What two workers leave to the broker and to us, as a share of each core.
FOR_WORKERS = 0.5


@dataclass(frozen=True)
class Plan:
    """Sizes; times are in seconds."""

    events: int = 2_000_000
    # Of each rate: ten seconds see twenty checkpoints of a lane and several inserts.
    seconds: float = 12.0
    # Not counted: the first records after the start, when files and memory are cold.
    warm_s: float = 1.0
    floor_events: int = 300_000
    naive_seconds: float = 15.0
    alert_seconds: float = 15.0
    alert_warm_s: float = 3.0
    customers: int = 1_000_000
    scattered: bool = False

    @property
    def cores(self) -> float:
        """What each worker gets where one is compared with two."""
        return min(1.0, FOR_WORKERS * (os.cpu_count() or 1) / 2)


class Round:
    """The measurements; each gives its figures under names of their own."""

    def __init__(self, stage: Stage, plan: Plan, number: int, states: str) -> None:
        """``states``: a changelog that holds ``plan.customers`` customers."""
        self._stage, self._plan, self._number, self._states = stage, plan, number, states

    def run(self, told: Callable[[str, Figures], None]) -> Figures:
        """All of them; ``told`` hears of each as it is done."""
        found: Figures = {}
        steps: Sequence[tuple[str, Callable[[], Figures]]] = (
            ("raw", self.raw),
            ("floor", self.floor),
            ("naive", self.naive),
            ("pipeline", self.pipeline),
            ("facts", self.facts),
            ("workers", self.workers),
            ("alerts", lambda: self.alerts(found["pipeline_eps"] / 2)),
            ("restore", self.restore),
        )
        for name, step in steps:
            figures = step()
            found |= figures
            told(name, figures)
        found["ratio"] = found["pipeline_eps"] / found["naive_eps"]
        found["share_of_floor"] = found["pipeline_eps"] / found["floor_eps"]
        return found

    def raw(self) -> Figures:
        """aiokafka, records taken and dropped."""
        stage = self._stage
        arguments = (stage.bootstrap, stage.topics.events, stage.partitions, self._plan.seconds)
        return stage.answer("raw", *arguments)

    def floor(self) -> Figures:
        """Decode, fold and blocks without a broker."""
        plan = self._plan
        # New customers cost more than known ones, and the pipeline's window begins after a while as well.
        options = ["--events", plan.floor_events, "--warm", plan.floor_events // 6, "--json"]
        options += ["--partitions", self._stage.partitions] + ["--scattered"] * plan.scattered
        found = self._stage.answer("floor", *options)
        cpu = 1e6 * (found["apply_s"] + found["flush_s"]) / found["events"]
        return {"floor_eps": found["floor_eps"], "floor_cpu_us": cpu}

    def naive(self) -> Figures:
        """The naive agent: outputs that are in its topic."""
        stage, plan = self._stage, self._plan
        name = f"{stage.topics.prefix}-naive-{self._number}"
        scores = naive.scores(name)
        stage.topic(scores)
        home = stage.world.home / name
        arguments = (stage.kafka_url, stage.topics.events, name, stage.partitions, home)
        with ended(stage.python("naive", *arguments)) as process:
            rate = self._rate(lambda: stage.ends(scores), stage.topics.events, [process], plan.naive_seconds)
        return {"naive_eps": rate.eps, "naive_cpu_us": rate.cpu_us}

    def pipeline(self) -> Figures:
        """One worker's events lanes, from committed offset to committed offset."""
        self._stage.reset()
        rate = self._workers(1)
        return {"pipeline_eps": rate.eps, "pipeline_cpu_us": rate.cpu_us}

    def facts(self) -> Figures:
        """What the pipeline has left in the topic of facts, into the engine."""
        stage, plan = self._stage, self._plan
        worker = stage.worker("facts")
        (url,) = stage.metrics_urls()
        ends = stage.ends(stage.topics.facts)

        def rows() -> Mapping[int, int]:
            found = scrape(url)
            return {
                0: int(sum(n for key, n in found.items() if key.startswith("rehuman_rows_written_total")))
            }

        def over(_: Mapping[int, int]) -> bool:
            return stage.committed(stage.topics.facts) == ends

        samples = follow(rows, over, [worker.pid], warm_s=0, seconds=2 * plan.seconds, patience_s=PATIENCE_S)
        rate = slope([*samples])
        stage.world.stop(worker)
        return {"rows_s": rate.eps, "row_cpu_us": rate.cpu_us}

    def workers(self) -> Figures:
        """One and two workers, each with the same share of a core; or by CPU seconds, without shares."""
        with_quotas = quotas()
        cores = self._plan.cores if with_quotas else 0.0
        rates = []
        for count in (1, 2):
            self._stage.reset()
            rates.append(self._workers(count, cores))
        one, two = rates
        by_cpu = 2 * one.cpu_us / two.cpu_us
        return {
            "two_workers_ratio": two.eps / one.eps if with_quotas else by_cpu,
            "two_workers_by_cpu": by_cpu,
            "one_worker_eps": one.eps,
            "two_workers_eps": two.eps,
            "one_worker_cpu_us": one.cpu_us,
            "two_workers_cpu_us": two.cpu_us,
            "worker_cores": cores,
        }

    def alerts(self, eps: float) -> Figures:
        """From a send to the alert on the broker, under ``eps`` events a second."""
        stage, plan = self._stage, self._plan
        count = int(eps * plan.alert_seconds)
        raws = list(partitioned(records(count, scattered=plan.scattered), stage.partitions))
        world = stage.another(f"alerts-{self._number}")
        world.start_worker("events,desk")
        try:
            world.until(lambda: '"metrics"' in world.log(), "the worker")
            found = asyncio.run(latency.run(stage, world, raws, eps, plan.alert_warm_s))
        finally:
            world.close()
        return {
            "alert_p50_ms": 1000 * found.share(0.5),
            "alert_p99_ms": 1000 * found.share(0.99),
            "alert_max_ms": 1000 * found.seconds[-1],
            "alerts_timed": len(found.seconds),
            "alert_load_eps": found.eps,
        }

    def restore(self) -> Figures:
        """The state of many customers, back from a changelog."""
        stage = self._stage
        found = stage.answer("restore", stage.bootstrap, self._states, stage.partitions)
        return {
            "restore_keys_s": found["keys"] / found["seconds"],
            "bytes_per_customer": found["bytes"] / found["keys"],
        }

    def _workers(self, count: int, cores: float = 0.0) -> Rate:
        topic = self._stage.topics.events
        with self.started(count, cores) as workers:
            return self._rate(lambda: self._stage.committed(topic), topic, workers, self._plan.seconds)

    @contextmanager
    def started(self, count: int, cores: float = 0.0) -> Iterator[list[subprocess.Popen[bytes]]]:
        """Events workers, each with its share of a core (0: no bound) and partitions of its own."""
        stage = self._stage
        workers = [stage.worker("events") for _ in range(count)]
        with limited([worker.pid for worker in workers], cores) if cores else nullcontext():
            if count > 1:
                self._joined(stage.topics.events)
            yield workers
        for worker in workers:
            stage.world.stop(worker)

    def _joined(self, topic: str) -> None:
        """Wait until every worker has partitions, and every partition a worker."""
        stage = self._stage
        urls, deadline = stage.metrics_urls(), monotonic() + PATIENCE_S
        name = f'rehuman_lanes_open{{topic="{topic}"}}'
        while True:
            lanes = [scrape(url).get(name, 0) for url in urls]
            if all(lanes) and sum(lanes) == stage.partitions:
                return
            assert monotonic() < deadline, f"workers have {lanes} partitions"
            time.sleep(0.2)

    def _rate(
        self,
        done: Callable[[], Mapping[int, int]],
        source: str,
        processes: Sequence[subprocess.Popen[bytes]],
        seconds: float,
    ) -> Rate:
        ends = self._stage.ends(source)

        def over(found: Mapping[int, int]) -> bool:
            """A worker whose partition is at its end has less to do than it could."""
            return any(found.get(partition, 0) >= end for partition, end in ends.items())

        pids = [process.pid for process in processes]
        return slope(
            follow(done, over, pids, warm_s=self._plan.warm_s, seconds=seconds, patience_s=PATIENCE_S)
        )
