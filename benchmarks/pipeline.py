"""All benchmarks in one run: ``python -m benchmarks.pipeline [--json]``, or ``make bench``.

Starts a real Kafka and a ClickHouse engine, fills the topics, and measures in rounds. A full run takes about
a quarter of an hour on two cores. What is printed with ``--json`` goes to standard output, all else to
standard error.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import report, restore
from benchmarks.rounds import Figures, Plan, Round
from benchmarks.stage import Stage, ended
from detectors import BUILD
from streams.clock import monotonic
from tests.support.ending import ends_by_sigterm
from tests.support.engine import running
from tests.support.kafka import KafkaBroker

__all__ = ["measure"]

ROUNDS = 5
# A broker of a benchmark is not to wait for its own garbage.
HEAP = "1g"
# From the worker's start.
PROFILE_S = 20.0


def measure(stage: Stage, plan: Plan, rounds: int) -> list[Figures]:
    """Fill the topics and run the rounds; figures of each."""
    began = monotonic()

    def say(text: str) -> None:
        print(f"{monotonic() - began:6.0f} s  {text}", file=sys.stderr, flush=True)

    say(f"filling: {plan.events:,} events, {plan.customers:,} customers")
    stage.fill(plan.events, scattered=plan.scattered)
    states = f"{stage.topics.prefix}.many-changelog"
    stage.topic(states)
    stage.send(restore.states(states, plan.customers, stage.partitions))
    found = []
    for number in range(1, rounds + 1):

        def told(name: str, figures: Figures, number: int = number) -> None:
            shown = ", ".join(f"{key} {value:,.5g}" for key, value in figures.items())
            say(f"round {number}, {name}: {shown}")

        found.append(Round(stage, plan, number, states).run(told))
    return found


def profile(stage: Stage, plan: Plan) -> str:
    """Where a worker's time goes while it has a backlog, by a sampler inside it."""
    stage.fill(plan.events, scattered=plan.scattered)
    found = stage.world.home / "profile"
    topic = stage.topics.events
    with ended(stage.python("sampled", found, "events")) as worker:
        ends = stage.ends(topic)
        deadline = monotonic() + PROFILE_S
        while monotonic() < deadline and stage.committed(topic) != ends:
            time.sleep(0.5)
        worker.terminate()
        worker.wait(60)
    return found.read_text()


def main() -> None:
    """The command line."""
    plan = Plan()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipeline", description=__doc__)
    parser.add_argument("--json", action="store_true", help="JSON instead of the table")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--events", type=int, default=plan.events, help="in the topic, filled beforehand")
    parser.add_argument("--seconds", type=float, default=plan.seconds, help="of each rate's window")
    parser.add_argument("--customers", type=int, default=plan.customers, help="of the restore")
    parser.add_argument("--floor-events", type=int, default=plan.floor_events)
    parser.add_argument("--scattered", action="store_true", help="draw the customer anew for each event")
    parser.add_argument("--profile", action="store_true", help="only show where a worker's time goes")
    options = parser.parse_args()
    if BUILD != "compiled":
        parser.error("the detectors are not compiled as they are now: make setup")
    apart = ("json", "rounds", "profile")
    ends_by_sigterm()
    # A group that is new, and topics that are being deleted, are no news here.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    given = {name: value for name, value in vars(options).items() if name not in apart}
    plan = dataclasses.replace(plan, **given)
    with (
        tempfile.TemporaryDirectory(prefix="rehuman-bench-") as home,
        KafkaBroker(heap=HEAP) as broker,
        running() as engine,
        Stage(broker.url, engine, Path(home)) as stage,
    ):
        if options.profile:
            print(profile(stage, plan))
            return
        rounds = measure(stage, plan, options.rounds)
    found = report.summary(rounds, dataclasses.asdict(plan))
    print(json.dumps(found, indent=2) if options.json else report.table(found))


if __name__ == "__main__":
    main()
