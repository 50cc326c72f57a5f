"""One cluster for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.cluster import KafkaCluster


@pytest.fixture(scope="package")
def cluster() -> Iterator[KafkaCluster]:
    """Three brokers, ended with the last test of this folder; tests use topics of their own, and leave all
    three running.
    """
    with KafkaCluster() as made:
        yield made
