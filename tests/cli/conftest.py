"""Commands as a user runs them: real processes, a clean environment."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from streams.embedded_broker import EmbeddedBroker
from streams.engine import launch

PROGRAM = Path(sys.executable).parent / "rehuman"
# A command that cannot do its work says so within ten seconds on a machine that has nothing else to do;
# clients left to their own defaults would take thirty and more.
IN_TIME_S = 25.0


class Outcome(NamedTuple):
    """What a command answered; ``seconds`` is how long it took."""

    code: int
    out: str
    err: str
    seconds: float


Run = Callable[..., Outcome]


def environment(home: Path, **settings: object) -> dict[str, str]:
    """This process' environment without any setting of ours, with ``REHUMAN_`` ones as given."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith("REHUMAN_")}
    given = {f"REHUMAN_{name.upper()}": str(value) for name, value in settings.items()}
    return kept | {"XDG_DATA_HOME": str(home)} | given


@pytest.fixture
def rehuman(tmp_path: Path) -> Run:
    """``rehuman("sql", "SELECT 1", clickhouse_url=...)``: arguments as they are, settings as variables."""

    def run(*arguments: object, **settings: object) -> Outcome:
        began = time.monotonic()
        done = subprocess.run(
            [PROGRAM, *map(str, arguments)],
            env=environment(tmp_path, **settings),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return Outcome(done.returncode, done.stdout, done.stderr, time.monotonic() - began)

    return run


@pytest.fixture(scope="module")
def broker_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an embedded broker."""
    with EmbeddedBroker(tmp_path_factory.mktemp("broker")) as running:
        yield running.url


@pytest.fixture(scope="module")
def engine_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an embedded engine that the first command will start."""
    directory = tmp_path_factory.mktemp("engine")
    yield f"embedded://{directory}"
    launch.stop(directory)


@pytest.fixture
def mute() -> Iterator[int]:
    """A port where somebody listens and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]
