"""Libraries that say the same thing again and again, a hundred times a second while a broker is away.

>>> import logging
>>> now = 0.0
>>> spare = Sparing(["kafka"], clock=lambda: now)
>>> def say(name, text, *of): return logging.LogRecord(name, 40, "", 0, text, of, None)
>>> [spare.filter(say("kafka.net", "no answer %s", at)) for at in range(4)]
[True, True, False, False]
>>> spare.filter(say("ours", "no answer"))
True
>>> now, record = 61.0, say("kafka.net", "no answer %s", 7)
>>> spare.filter(record), record.getMessage()
(True, 'no answer 7 (and 2 more like it, left out)')
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from streams.clock import monotonic

__all__ = ["Sparing"]

# Of one kind, so many lines in so many seconds: enough to see that it goes on, and that it differs.
MOST, WITHIN_S = 2, 60.0
# Letters of a text that tells of itself what it is about.
SAYS_SOMETHING = 8
# Kinds that are remembered; a library has some hundred.
MOST_KINDS = 1_000


class Sparing(logging.Filter):
    """Lets the first few lines of each kind through, and says later how many were left out."""

    def __init__(self, libraries: Iterable[str], clock: Callable[[], float] = monotonic) -> None:
        """``libraries`` are first parts of loggers' names; others have their say. ``clock`` is in seconds."""
        super().__init__()
        self._libraries = frozenset(libraries)
        self._clock = clock
        # By kind: since when, lines let through since, lines left out.
        self._kinds: dict[tuple[str, int, str], tuple[float, int, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is to be written; adds to it what was left out before."""
        if record.name.partition(".")[0] not in self._libraries:
            return True
        # The text as it stands in the library's code, whatever it is filled with; unless it is nothing else.
        text = str(record.msg)
        if sum(letter.isalpha() for letter in text) < SAYS_SOMETHING:
            text = record.getMessage()
        kind = record.name, record.levelno, text
        now = self._clock()
        since, told, left_out = self._kinds.pop(kind, (now, 0, 0))
        if now - since >= WITHIN_S:
            since, told = now, 0
        if told >= MOST:
            self._kinds[kind] = since, told, left_out + 1
            return False
        self._kinds[kind] = since, told + 1, 0
        if len(self._kinds) > MOST_KINDS:
            del self._kinds[next(iter(self._kinds))]
        if left_out:
            record.msg = f"{record.getMessage()} (and {left_out} more like it, left out)"
            record.args = ()
        return True
