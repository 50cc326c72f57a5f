"""A few threads that may block. A process that ends does not wait for them, unlike for an executor's."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

__all__ = ["Hands"]

T = TypeVar("T")


class Hands:
    """Daemon threads, started as they are needed; more work than threads waits its turn."""

    def __init__(self, most: int, name: str) -> None:
        self._most, self._name = most, name
        self._threads: list[threading.Thread] = []
        self._work: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._busy = 0

    async def do(self, work: Callable[[], T]) -> T:
        """Run ``work`` in a thread and return what it returns; cancelling leaves it running, unheard."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()

        self._busy += 1
        if self._busy > len(self._threads) < self._most:
            thread = threading.Thread(
                target=self._run, name=f"{self._name} {len(self._threads)}", daemon=True
            )
            self._threads.append(thread)
            thread.start()
        self._work.put(partial(_do, work, loop, done))
        try:
            return await done
        finally:
            self._busy -= 1
            # The future holds an error, which holds the frames that it went through, and whatever they hold:
            # if one of these held the future, all of it would stay until the collector comes by.
            del done

    def _run(self) -> None:
        while True:
            self._work.get()()


def _do(work: Callable[[], T], loop: asyncio.AbstractEventLoop, done: asyncio.Future[T]) -> None:
    try:
        result = work()
    except BaseException as error:
        told = partial(_fail, done, error)
    else:
        told = partial(_finish, done, result)
    with suppress(RuntimeError):  # the loop has ended meanwhile
        loop.call_soon_threadsafe(told)
    del done, told  # as in Hands.do


def _finish(done: asyncio.Future[T], result: T) -> None:
    if not done.done():
        done.set_result(result)


def _fail(done: asyncio.Future[Any], error: BaseException) -> None:
    if not done.done():
        done.set_exception(error)
