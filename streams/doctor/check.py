"""What the doctor says of one thing."""

from __future__ import annotations

from typing import Literal, NamedTuple

__all__ = ["Check"]


class Check(NamedTuple):
    """``found`` is how it is; ``mend`` what to do about it, empty when there is nothing to do."""

    name: str
    status: Literal["ok", "warn", "fail"]
    found: str
    mend: str = ""
