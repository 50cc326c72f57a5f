"""Installations that a whole module of tests shares."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.sources.datasets import first_days
from tests.support.engine import EngineUnderTest
from tests.support.kafka import KafkaAt
from tests.support.world import World


@pytest.fixture(scope="module")
def made(
    kafka: KafkaAt, engine: EngineUnderTest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., World]]:
    """Like ``world``, but kept for the module."""
    worlds: list[World] = []

    def make(**settings: object) -> World:
        url = engine.database(migrated=False)
        found = World(kafka.url, url, tmp_path_factory.mktemp("world"), **settings)
        worlds.append(found)
        return found

    yield make
    for found in worlds:
        found.close()


@pytest.fixture(scope="session")
def few_days(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first three days of the bank's month."""
    return first_days(tmp_path_factory.mktemp("days"))
