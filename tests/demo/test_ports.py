"""A demonstration's port is its own from the choice on, before the worker listens and while it does."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import pytest

from streams import metrics
from streams.demo.ports import HOST, reserved
from streams.errors import SettingError


def test_the_worker_can_listen_on_a_reserved_port() -> None:
    with reserved(0) as port:
        assert metrics.serve(port, HOST) == port
        with socket.create_connection((HOST, port), timeout=5):
            pass


def test_two_that_start_at_once_never_choose_the_same() -> None:
    with ExitStack() as stack:
        found = [stack.enter_context(reserved(None)) for _ in range(5)]
        assert len(set(found)) == 5


def test_the_usual_port_is_taken_where_it_is_free() -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, 9464))
            probe.listen()
        except OSError:
            pass  # somebody else has it, which is the same to us
        with reserved(None) as port:
            assert port not in (0, 9464)


def test_a_wish_that_cannot_be_met_is_refused() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = f"--port: found {port} .in use.; expected a free port"
        with pytest.raises(SettingError, match=said), reserved(port):
            pass
    with reserved(port) as kept:
        assert kept == port
        with pytest.raises(SettingError, match=said), reserved(port):
            pass


def test_it_is_free_again_afterwards_and_nobody_else_is_given_it_before() -> None:
    with reserved(0) as port, socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind((HOST, port))
    with reserved(port) as again:
        assert again == port
