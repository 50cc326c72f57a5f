"""The time that people can watch begins with the first picture."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from streams.demo import showing
from streams.demo.showing import FIRST_S, Wait
from streams.errors import OperationError


class Clock:
    """A monotonic clock that only waiting moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> bool:
        self.now += seconds
        return False

    def is_set(self) -> bool:
        return False


def waiting(monkeypatch: pytest.MonkeyPatch, seconds: float | None) -> tuple[Clock, SimpleNamespace, Wait]:
    clock, view = Clock(), SimpleNamespace(last=None, took_s=0.0)
    monkeypatch.setattr(showing, "monotonic", clock)
    return clock, view, Wait(clock, lambda: None, seconds, view)  # type: ignore[arg-type]


def test_a_slow_start_takes_nothing_from_what_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, view, wait = waiting(monkeypatch, 10)
    while clock.now < 100 + FIRST_S - 2:
        assert not wait(1)
    view.last = "a picture"
    began = clock.now
    while not wait(1):
        pass
    assert clock.now - began == pytest.approx(10)


@pytest.mark.parametrize("seconds", [None, 10])
def test_a_first_picture_that_never_comes_is_said(
    monkeypatch: pytest.MonkeyPatch, seconds: float | None
) -> None:
    clock, _, wait = waiting(monkeypatch, seconds)
    while clock.now < 100 + FIRST_S:
        assert not wait(1)
    with pytest.raises(OperationError, match="nothing was stored within 120 s"):
        wait(1)
    assert clock.now == pytest.approx(100 + FIRST_S)


def test_a_failed_part_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, view, _ = waiting(monkeypatch, None)

    def failed() -> None:
        raise OperationError("the worker ended")

    with pytest.raises(OperationError, match="the worker ended"):
        Wait(clock, failed, None, view)(1)  # type: ignore[arg-type]
    over = threading.Event()
    over.set()
    assert Wait(over, failed, None, view)(1)  # type: ignore[arg-type]
