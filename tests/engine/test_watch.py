"""Who interrupts a running statement, and who only sends the next one."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from streams.engine.watch import Watch


@pytest.fixture
def killed() -> list[str]:
    return []


@pytest.fixture
def watch(killed: list[str]) -> Iterator[Watch]:
    watch = Watch(killed.append)
    watch.start()
    yield watch
    watch.stop()


@pytest.fixture
def peers() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    yield ours, theirs
    ours.close()
    theirs.close()


@pytest.mark.parametrize("farewell", [b"\x03", b""])
def test_a_word_or_the_end_interrupts(
    watch: Watch, killed: list[str], peers: tuple[socket.socket, socket.socket], farewell: bytes
) -> None:
    ours, theirs = peers
    with watch.over(ours, "first") as interrupted:
        assert not interrupted.wait(0.3)
        if farewell:
            theirs.sendall(farewell)
        else:
            theirs.shutdown(socket.SHUT_WR)
        assert interrupted.wait(5)
    assert killed == ["first"]


def test_what_comes_between_statements_interrupts_none(
    watch: Watch, killed: list[str], peers: tuple[socket.socket, socket.socket]
) -> None:
    ours, theirs = peers
    with watch.over(ours, "first"):
        pass
    theirs.sendall(b"next query")
    assert ours.recv(100) == b"next query"
    with watch.over(ours, "second") as interrupted:
        assert not interrupted.wait(0.3)
    assert killed == []


def test_the_next_query_heard_while_the_last_was_watched_is_not_a_cancel(
    killed: list[str], peers: tuple[socket.socket, socket.socket]
) -> None:
    """The poll began in the first statement and returns in the second, for the bytes in between."""
    watch = Watch(killed.append)
    ours, theirs = peers
    theirs.sendall(b"next query")
    with watch.over(ours, "second") as interrupted:
        assert watch._heard({ours.fileno(): ("first", threading.Event())}) == []
        assert watch._heard({ours.fileno(): ("second", interrupted)}) == [("second", interrupted)]


def test_all_are_interrupted_when_the_engine_must_end(
    watch: Watch, killed: list[str], peers: tuple[socket.socket, socket.socket]
) -> None:
    with watch.over(peers[0], "first") as one, watch.over(peers[1], "second") as two:
        watch.interrupt_all()
        assert one.is_set()
        assert two.is_set()
    assert sorted(killed) == ["first", "second"]
