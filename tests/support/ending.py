"""How a long run is ended."""

from __future__ import annotations

import signal
import sys

__all__ = ["ends_by_sigterm"]


def ends_by_sigterm() -> None:
    """From now on SIGTERM ends this process as an exit does: with all that it has started."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
