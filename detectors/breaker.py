"""A breaker per source: one whose records keep failing is parked, so that the others go on.

What counts as a failure is the caller's to say (an event that could be read and still could not be folded).
Time is the log's: the broker's stamps in ms, in the order of one partition, never going back. The same log
therefore parks the same records, however it is cut into chunks.

A source is counted from its first failure on, and forgotten a span after its last one, so that sources that
never fail cost nothing. It is parked when, of what it sent in the span, both the number and the share of
failures are reached. After a rest the next records are let through on trial: the first failure parks it
again, enough good ones in a row release it.

>>> breaker = Breaker(Rules(failures=3, share=0.5, span=60_000, rest=600_000, trials=2))
>>> breaker.passed("web", 0), breaker.watching  # nothing has failed: nothing is counted
(False, False)
>>> [breaker.failed("phone", second * 1_000) for second in (1, 2, 3)]
[False, False, True]
>>> breaker.parks("phone", 4_000), breaker.parks("web", 4_000), breaker.parks("phone", 603_000)
(True, False, False)
>>> [breaker.passed("phone", 603_000 + n) for n in (0, 1)], breaker.watching
([False, True], False)
"""

from __future__ import annotations

from msgspec import Struct

__all__ = ["MOST", "Breaker", "Rules"]

# Sources watched at once in one partition, whatever names are sent: a few hundred bytes each.
MOST = 256
# The span slides in tenths: exact enough, and a source costs ten pairs of counts at most.
_STEPS = 10


class Rules(Struct, frozen=True):
    """When a source is parked, and for how long. ``failures`` 0 parks nobody; spans are in ms."""

    failures: int = 50
    share: float = 0.5
    span: int = 300_000
    rest: int = 600_000
    # Good records in a row that end a rest: enough that a source half of whose records fail does not pass.
    trials: int = 20


class _Watched(Struct):
    """One source: ``counts`` are [step, records, failures], the newest last; ``until`` 0 means not parked."""

    counts: list[list[int]]
    failed_at: int = 0
    until: int = 0
    heard_at: int = 0
    passed: int = 0


class Breaker:
    """The breaker of one partition; its memory is bounded by :data:`MOST`."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._step = max(1, rules.span // _STEPS)
        self._watched: dict[str, _Watched] = {}
        self._now = 0

    @property
    def watching(self) -> bool:
        """Whether any source is counted or parked; while none is, nobody needs to ask for one."""
        return bool(self._watched)

    @property
    def parked(self) -> list[str]:
        """The sources that are parked or on trial."""
        return sorted(source for source, found in self._watched.items() if found.until)

    def parks(self, source: str, stamp: int) -> bool:
        """Whether this record of ``source`` is to be put aside."""
        found = self._find(source, stamp)
        if found is None or not found.until:
            return False
        found.heard_at = self._now
        return self._now < found.until

    def passed(self, source: str, stamp: int) -> bool:
        """A record of ``source`` went well; True when that released the source."""
        found = self._find(source, stamp)
        if found is None:
            return False
        if not found.until:
            self._counts(found)[1] += 1
            return False
        found.passed += 1
        if found.passed < self._rules.trials:
            return False
        del self._watched[source]
        return True

    def failed(self, source: str, stamp: int) -> bool:
        """A record of ``source`` failed; True when that parked the source, for the first time or again."""
        if not self._rules.failures:
            return False
        found = self._find(source, stamp) or self._watch(source)
        if found is None:
            return False
        if self._now < found.until:
            return False  # it was read before the source was parked
        found.failed_at = self._now
        if not found.until:
            step = self._counts(found)
            step[1] += 1
            step[2] += 1
            records, failures = (sum(step[i] for step in found.counts) for i in (1, 2))
            if failures < self._rules.failures or failures < self._rules.share * records:
                return False
        found.counts.clear()
        found.passed = 0
        found.heard_at = self._now
        found.until = self._now + self._rules.rest
        return True

    def sweep(self, stamp: int) -> list[str]:
        """Forget who has not failed, or was not heard of, for long; gives those of them that were parked."""
        self._now = max(self._now, stamp)
        gone = {source: found for source, found in self._watched.items() if self._forgotten(found)}
        for source in gone:
            del self._watched[source]
        return sorted(source for source, found in gone.items() if found.until)

    def _find(self, source: str, stamp: int) -> _Watched | None:
        if stamp > self._now:
            self._now = stamp
        found = self._watched.get(source)
        # The same whether a sweep has come by or not.
        if found is not None and self._forgotten(found):
            del self._watched[source]
            return None
        return found

    def _forgotten(self, found: _Watched) -> bool:
        if found.until:
            return self._now - max(found.until, found.heard_at) > self._rules.rest
        return self._now - found.failed_at > self._rules.span

    def _counts(self, found: _Watched) -> list[int]:
        """The counts of this step, those before the span dropped."""
        step = self._now // self._step
        counts = found.counts
        if not counts or counts[-1][0] != step:
            counts.append([step, 0, 0])
            while counts[0][0] <= step - _STEPS:
                del counts[0]
        return counts[-1]

    def _watch(self, source: str) -> _Watched | None:
        """Begin to count; None where everybody watched is parked and there is no room."""
        if len(self._watched) >= MOST:
            others = [(found.failed_at, name) for name, found in self._watched.items() if not found.until]
            if not others:
                return None
            del self._watched[min(others)[1]]
        found = self._watched[source] = _Watched([])
        return found
