"""A target as a user writes it: what the score is to foretell.

>>> parse("recontact=3600,max=30")
TargetSpec(name='recontact', seconds=3600, most=30, text='recontact=3600,max=30')
>>> parse("reopen")
TargetSpec(name='reopen', seconds=None, most=None, text='reopen')
>>> parse("churn")  # doctest: +ELLIPSIS
Traceback (most recent call last):
streams.errors.SettingError: --target: found 'churn'; expected recontact=SECONDS[,max=N], reopen, ...
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from streams.errors import SettingError

__all__ = ["EXPECTED", "NAMES", "TargetSpec", "parse"]

NAMES: Final = ("recontact", "reopen", "survey", "abandon")
EXPECTED: Final = "recontact=SECONDS[,max=N], reopen, survey or abandon=SECONDS"
# Ten digits of seconds are three hundred years; more is a slip of the finger.
_TARGET: Final = re.compile(
    r"(?:(?P<timed>recontact|abandon)=(?P<seconds>[0-9]{1,9})(?:,max=(?P<most>[0-9]{1,9}))?|(?P<plain>reopen|survey))"
)


class TargetSpec(msgspec.Struct, frozen=True):
    """``seconds`` is the window after the scored event, ``most`` the contacts a month above which a customer
    is left out; ``text`` is as it was written.
    """

    name: str
    seconds: int | None
    most: int | None
    text: str


def parse(text: str) -> TargetSpec:
    """The target that ``text`` names. Raises :class:`SettingError` with those there are."""
    match = _TARGET.fullmatch(text.strip())
    if match is None:
        raise SettingError("--target", repr(text), EXPECTED)
    if match["plain"]:
        return TargetSpec(match["plain"], None, None, text.strip())
    seconds = int(match["seconds"])
    most = None if match["most"] is None else int(match["most"])
    if seconds < 1:
        raise SettingError("--target", repr(text), "a window of at least one second")
    if match["timed"] == "abandon" and most is not None:
        raise SettingError("--target", repr(text), "abandon=SECONDS, which knows no max")
    if most == 0:
        raise SettingError("--target", repr(text), "a max of at least one contact a month")
    return TargetSpec(match["timed"], seconds, most, text.strip())
