"""What the policy's sections are made of: durations, bounded numbers, and a section that knows its keys."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

__all__ = ["Ms", "NonNegative", "Positive", "Section", "Share"]


class Ms(int):
    """A duration in milliseconds, written with its unit in the file."""


Positive = Annotated[float, Meta(gt=0)]
NonNegative = Annotated[float, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]


class Section(Struct, forbid_unknown_fields=True):
    """A table of the policy; a key that it does not have is a mistake."""
