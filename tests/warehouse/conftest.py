"""A migrated database of its own for each test, on the one engine of the run."""

from __future__ import annotations

import pytest

from tests.support.engine import EngineUnderTest


@pytest.fixture
def url(engine: EngineUnderTest) -> str:
    """URL of a fresh, migrated database."""
    return engine.database()
