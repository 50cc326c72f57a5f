"""The engine that these tests speak to: a real process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from clickhouse_driver import Client

from tests.support.engine import EngineUnderTest


@pytest.fixture(params=[False, "lz4"], ids=["plain", "lz4"])
def client(engine: EngineUnderTest, request: pytest.FixtureRequest) -> Iterator[Client]:
    """A client in a database of its own, without and with compression."""
    name = f"wire_{id(request)}"
    admin = engine.client()
    admin.execute(f"CREATE DATABASE {name}")
    client = engine.client(database=name, compression=request.param)
    yield client
    client.disconnect()
    admin.execute(f"DROP DATABASE {name}")
    admin.disconnect()
