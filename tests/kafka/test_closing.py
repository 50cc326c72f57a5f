"""Closing a client never disturbs its own thread while that is reading an answer."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer
from kafka.net.transport import KafkaTCPTransport

from streams.kafka import urls
from streams.kafka.closing import close

READING_S = 0.3
PATIENCE_S = 20.0


def consumer(url: str) -> KafkaConsumer:
    return KafkaConsumer(**urls.parse(url).client(), enable_auto_commit=False)


def admin(url: str) -> KafkaAdminClient:
    return KafkaAdminClient(**urls.parse(url).client())


@pytest.fixture(params=[consumer, admin])
def reading(
    request: pytest.FixtureRequest, tansu: str, monkeypatch: pytest.MonkeyPatch
) -> KafkaConsumer | KafkaAdminClient:
    """A client whose thread has just been told that there is an answer to read."""
    make: Callable[[str], Any] = request.param
    client = make(tansu)
    begun = threading.Event()
    read = KafkaTCPTransport._sock_recv

    def slowly(transport: KafkaTCPTransport) -> Any:
        begun.set()
        time.sleep(READING_S)
        return read(transport)

    monkeypatch.setattr(KafkaTCPTransport, "_sock_recv", slowly)
    client._manager.cluster.request_update()
    assert begun.wait(PATIENCE_S)
    return client


def test_no_socket_is_closed_while_it_is_read(
    reading: KafkaConsumer | KafkaAdminClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        close(reading)
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []
    close(reading)


# A consumer asks its thread for something else first, so that only some of its closes come at a bad time.
@pytest.mark.parametrize("reading", [admin], indirect=True)
def test_the_library_s_own_way_still_does_that(
    reading: KafkaAdminClient, caplog: pytest.LogCaptureFixture
) -> None:
    """Where this fails, kafka-python closes as we do, and ``streams.kafka.closing`` can go."""
    with caplog.at_level(logging.WARNING):
        reading.close()
    assert [record for record in caplog.records if record.exc_info] != []
