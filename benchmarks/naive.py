"""The naive worker: what one would write with Faust and the fold, an afternoon before the deadline.

An agent takes event after event, folds it as the lanes do (the same decoder, fold and policy), writes the
customer's packed state to a Faust table, and sends the event's scores to a topic. Faust's own defaults: its
consumer, its streams, a table in memory behind a changelog, ``at_least_once``. Where there was a choice it is
the faster one: raw serializers, msgspec for the one output, no web server, no log, the fold's own customers
in memory (the table is written and never read), no rows but the event's own.

Run as a process of its own by the benchmark: ``python -m benchmarks.naive KAFKA_URL EVENTS NAME PARTITIONS
DIR``, where EVENTS is the topic to read and NAME the agent's group.
"""

from __future__ import annotations

import sys
from typing import Any

import faust
import msgspec

from detectors.log import LogFold
from detectors.moment import Findings
from detectors.policy import default
from detectors.tables import TABLES
from streams.identity import Pseudonyms

__all__ = ["make", "scores"]

KEY = b"benchmark-key-0123456789"
NAMES = TABLES["events"].names
_encode = msgspec.json.Encoder().encode


def scores(name: str) -> str:
    """The topic with one output an event, which is made beforehand."""
    return f"{name}-scores"


def make(kafka_url: str, source: str, name: str, partitions: int, directory: str) -> Any:
    """The app."""
    app = faust.App(
        name,
        broker=kafka_url,
        store="memory://",
        datadir=directory,
        topic_partitions=partitions,
        topic_replication_factor=1,
        key_serializer="raw",
        value_serializer="raw",
        web_enabled=False,
    )
    events = app.topic(source, key_type=bytes, value_type=bytes)
    out = app.topic(scores(name), key_type=bytes, value_type=bytes)
    customers = app.Table("customers", key_type=bytes, value_type=bytes, partitions=partitions)
    names, policy = Pseudonyms(KEY, KEY), default()
    folds = [LogFold(number, policy, names.pseudonym, names.reference) for number in range(partitions)]
    findings = Findings()

    @app.agent(events)  # type: ignore[untyped-decorator]  # Faust has no types
    async def score(stream: Any) -> None:
        async for event in stream.events():
            message = event.message
            log = folds[message.partition]
            log.record(event.value, int(message.timestamp * 1000), message.offset, findings)
            for key, state in log.fold.changed():
                if not key.startswith(b"\x00"):  # the partition's own clock is no customer's
                    customers[event.key] = state
            if "events" in findings.rows:
                row = findings.rows["events"][-1]
                await out.send(key=event.key, value=_encode(dict(zip(NAMES, row, strict=True))))
            findings.found.clear()
            findings.desk.clear()

    return app


def main() -> None:
    """Run until killed."""
    kafka_url, source, name, partitions, directory = sys.argv[1:]
    app = make(kafka_url, source, name, int(partitions), directory)
    sys.argv[1:] = ["worker", "--loglevel", "error"]
    app.main()


if __name__ == "__main__":
    main()
