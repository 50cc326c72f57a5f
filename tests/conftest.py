"""The real parts that tests share: one Apache Kafka for the whole run, one ClickHouse engine a process."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from tests.support.engine import EngineUnderTest, shared
from tests.support.kafka import KafkaAt
from tests.support.kafka import shared as shared_kafka
from tests.support.world import World

# An example takes as long as it takes where others use the processor too.
settings.register_profile("here", deadline=None)
settings.load_profile("here")

# Data sets lie in memory until the end, millions of objects through which the cycle collector would go again
# and again.
gc.set_threshold(100_000, 50, 100)

# Files that take minutes or tens of seconds are begun first, so that no process is left alone with one. Some
# of them mostly wait (for a session to end, for a leader), others mostly compute: they take turns.
LONGEST = (
    *("cluster", "lanes", "detectors/test_bounds", "e2e/test_bank", "chaos", "detectors/test_partition"),
    *("e2e/test_sources", "e2e", "demo", "streams/test_reconcile", "sources", "fuzz", "benchmarks", "cli"),
    "warehouse",
)
# What the files of a folder share is too dear to be had by two processes, or has the same name in each.
TOGETHER = ("tests/cluster", "tests/lanes", "tests/sources")


class Scheduling(LoadScopeScheduling):
    """Gives a process whole files, or whole folders of files."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.split("::")[0]
        return next((folder for folder in TOGETHER if path.startswith(f"{folder}/")), path)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    """The scheduler of several processes."""
    return Scheduling(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The order of files where several processes run them; on its own each part keeps its usual one."""
    if not hasattr(config, "workerinput"):
        return
    here = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        path = item.path.relative_to(here).as_posix() if item.path.is_relative_to(here) else ""
        return next((at for at, start in enumerate(LONGEST) if path.startswith(start)), len(LONGEST))

    items.sort(key=place)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaAt]:
    """Apache Kafka, one for all processes; tests use topic prefixes of their own."""
    own = tmp_path_factory.getbasetemp()
    with shared_kafka((own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "kafka") as broker:
        yield broker


@pytest.fixture(scope="session")
def engine() -> EngineUnderTest:
    """A current ClickHouse engine; tests use databases of their own."""
    return shared()


@pytest.fixture
def world(kafka: KafkaAt, engine: EngineUnderTest, tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Makes installations on the shared broker and engine: topics, database and data of their own."""
    made: list[World] = []

    def make(**settings: object) -> World:
        found = World(kafka.url, engine.database(migrated=False), tmp_path / str(len(made)), **settings)
        made.append(found)
        return found

    yield make
    for found in made:
        found.close()
