"""Decides: pure functions of (state, events, time, policy)."""

from detectors.native import enable

__all__ = ["BUILD"]

#: "compiled" or "pure": see :mod:`detectors.native`.
BUILD = enable()
