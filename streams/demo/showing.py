"""The view's side of a demonstration: its pictures, and the time between them."""

from __future__ import annotations

import threading
from collections.abc import Callable

from clickhouse_driver import errors as driver_errors

from dashboards.terminal.frame import Flow, Frame
from dashboards.terminal.reader import Reader
from detectors.policy import Policy
from streams.clock import monotonic
from streams.errors import OperationError
from streams.settings import Settings

__all__ = ["SLICE_S", "View", "Wait"]

# A poll may take a third of the time, not more: the worker shares the machine.
POLL_SHARE = 3.0
# Between two looks at whether everything still runs.
SLICE_S = 0.2
# The first picture comes some seconds after the start; a machine that is busy with other things takes longer.
FIRST_S = 120.0


class View:
    """Polls the database with a client of its own; remembers the last picture and how long it took."""

    def __init__(
        self,
        settings: Settings,
        policy: Policy,
        clock: Callable[[], int] | None,
        flow: Callable[[], Flow],
    ) -> None:
        from streams.warehouse.client import connect

        self._client = connect(settings.clickhouse_url)
        self._reader = Reader(self._client, policy, clock, flow)
        self.last: Frame | None = None
        self.took_s = 0.0

    def poll(self) -> Frame | None:
        """The next picture; None until anything is stored. Raises OperationError without a database."""
        began = monotonic()
        try:
            frame = self._reader.poll()
        except (driver_errors.Error, EOFError, OSError) as error:
            raise OperationError(f"the embedded engine does not answer: {type(error).__name__}") from None
        self.took_s = monotonic() - began
        if not frame.stored:
            return None
        self.last = frame
        return frame

    def close(self) -> None:
        """Let go of the connection."""
        self._client.disconnect()


class Wait:
    """The time between two pictures: says True when it is over, raises when a part has failed.

    ``seconds`` are those that people can watch: they begin with the first picture, however long the worker
    took to start.
    """

    def __init__(
        self, over: threading.Event, check: Callable[[], None], seconds: float | None, view: View
    ) -> None:
        self._over = over
        self._check = check
        self._view = view
        self._seconds = seconds
        self._end: float | None = None
        self._first_by = monotonic() + FIRST_S

    def __call__(self, seconds: float) -> bool:
        """Wait ``seconds`` or longer. Raises OperationError if a first picture never comes."""
        self._begin()
        until = monotonic() + max(seconds, self._view.took_s * POLL_SHARE)
        if self._end is not None:
            until = min(until, self._end)
        while (left := until - monotonic()) > 0:
            if self._over.wait(min(left, SLICE_S)):
                return True
            self._check()
        return self._over.is_set() or (self._end is not None and monotonic() >= self._end)

    def _begin(self) -> None:
        if self._view.last is None:
            if monotonic() >= self._first_by:
                raise OperationError(f"nothing was stored within {FIRST_S:.0f} s")
        elif self._end is None and self._seconds is not None:
            self._end = monotonic() + self._seconds
