"""The two brokers that everything here must work on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from streams.embedded_broker import EmbeddedBroker


@pytest.fixture(scope="module")
def tansu(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an embedded broker."""
    with EmbeddedBroker(tmp_path_factory.mktemp("tansu")) as broker:
        yield broker.url


@pytest.fixture(scope="module", params=["kafka", "tansu"])
def broker_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of Apache Kafka, and then of Tansu."""
    if request.param == "tansu":
        yield request.getfixturevalue("tansu")
    else:
        yield f"kafka://{request.getfixturevalue('kafka').bootstrap}"
