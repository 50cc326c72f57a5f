"""A worker for the tests: counts and hashes every key, with one output per record.

``faust -A tests.lanes.counting worker`` or ``python -m tests.lanes.counting``; ``LANES_KAFKA``,
``LANES_DATA`` and ``LANES_SESSION`` in the environment say where and how. Records are JSON objects with an
``id``. ``LANES_BESIDE`` adds a sink lane, whose database is a file and away until there is a file ``back``,
an ordinary Faust agent, and Faust's web server on that port.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import zlib
from collections.abc import AsyncIterable, Iterable, Sequence
from functools import cache
from pathlib import Path

import msgspec

from streams.kafka.urls import parse
from streams.lanes import Output, Record
from streams.lanes.app import make_app, run_worker
from streams.lanes.registry import Lanes

TOPIC, CHANGELOG, OUTPUTS = "counting.events", "counting.events-changelog", "counting.outputs"
SINK, PLAIN = "counting.rows", "counting.plain"


class Event(msgspec.Struct):
    """The part of a record that the test looks at."""

    id: str


class State(msgspec.Struct, array_like=True):
    """One key's state; ``applied`` is the offset to apply next, so that nothing counts twice."""

    count: int = 0
    hash: int = 0
    applied: int = 0


def step(state: State, value: bytes) -> None:
    """Count, and mix in the value so that order matters."""
    state.count += 1
    state.hash = zlib.crc32(value, state.hash)


class Counting:
    """The fold."""

    def __init__(self, partition: int, partitions: int) -> None:
        self.partition = partition
        self.states: dict[bytes, State] = {}
        self.dirty: set[bytes] = set()
        self.decode = msgspec.json.Decoder(Event).decode
        self.pack = msgspec.msgpack.Encoder().encode
        self.unpack = msgspec.msgpack.Decoder(State).decode

    def load(self, key: bytes, value: bytes) -> None:
        self.states[key] = self.unpack(value)

    def ready(self) -> None:
        return

    def apply(self, records: Sequence[Record]) -> Sequence[Output]:
        outputs = []
        for offset, _, key, value, _ in records:
            if value == b"poison":
                raise KeyError("a value that must not be in the log")
            assert key is not None
            assert value is not None
            event = self.decode(value)
            state = self.states.get(key)
            if state is None:
                state = self.states[key] = State()
            if offset < state.applied:
                continue
            step(state, value)
            state.applied = offset + 1
            self.dirty.add(key)
            outputs.append(Output(OUTPUTS, self.partition, key, event.id.encode()))
        return outputs

    def flush(self) -> Sequence[Output]:
        return ()

    def changed(self) -> Iterable[tuple[bytes, bytes | None]]:
        dirty, self.dirty = self.dirty, set()
        return [(key, self.pack(self.states[key])) for key in dirty]


class File:
    """The sink."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.rows: list[bytes] = []

    async def apply(self, records: Sequence[Record]) -> None:
        while not (self.directory / "back").exists():  # noqa: ASYNC110 -- as a database is waited for
            await asyncio.sleep(0.05)
        self.rows += [record.value or b"" for record in records]

    async def flush(self) -> None:
        rows, self.rows = self.rows, []
        with (self.directory / "rows").open("ab") as file:
            file.writelines(row + b"\n" for row in rows)


@cache
def build() -> object:
    """The app with its lanes."""
    session_s, directory = float(os.environ["LANES_SESSION"]), Path(os.environ["LANES_DATA"])
    beside = int(os.environ.get("LANES_BESIDE", "0"))
    app = make_app(
        parse(os.environ["LANES_KAFKA"]),
        group="counting",
        data_dir=directory,
        session_s=session_s,
        web_port=beside or None,
    )
    lanes = Lanes(app)
    lanes.fold(topic=TOPIC, make=Counting, changelog=CHANGELOG, outputs=[OUTPUTS])
    if beside:
        lanes.sink(topic=SINK, make=lambda partition: File(directory))

        @app.agent(app.topic(PLAIN))
        async def plain(stream: AsyncIterable[bytes]) -> None:
            async for value in stream:
                with (directory / "plain").open("ab") as file:
                    file.write(value + b"\n")

    return app


def __getattr__(name: str) -> object:
    # ``faust -A`` looks for it; whoever imports the fold needs no broker.
    if name == "app":
        return build()
    raise AttributeError(name)


if __name__ == "__main__":
    logging.basicConfig(
        level=os.environ.get("LANES_LOG", "WARNING"), format="%(asctime)s %(name)s %(message)s"
    )
    sys.exit(run_worker(build()))
