"""When each source was last seen: here, or by another worker. Decision record 9 has the reasons.

*Seen* is event time, not arrival: a feed that was cut and sends what it had kept is silent until it has
caught up, because the customers' next steps are still on their way. A source that nobody knows is fresh.

>>> from detectors.policy import default
>>> ours, theirs = (Sources(silence(default())) for _ in range(2))
>>> ours.saw([("web/shop", 1_000_000)], now=1_000_000)
>>> ours.news(now=1_000_000)
[('web/shop', 1000000)]
>>> theirs.heard("web/shop", 1_000_000)
>>> theirs.silent(now=1_600_000), theirs.silent(now=1_600_001)
([], ['web/shop'])
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from detectors.durations import DAY
from detectors.labels import label
from detectors.policy import Policy

__all__ = ["FORGET_MS", "MOST", "Silence", "Sources", "silence"]

# As long as events are kept: what a source has not said for so long, it will not say any more, and timers
# that wait for it may go.
FORGET_MS = 7 * DAY
# Their names must fit into a tick; an installation has a handful. The least recently seen are forgotten.
MOST = 256
# Others are told when what they know is older by this share of the span: a source of the default span is a
# record each half minute, however many events, partitions and workers there are.
TOLD_SHARE = 20
# Ticks are a second apart.
LEAST_TOLD_MS = 1_000

# How long a source may say nothing, in ms, before it is silent.
Silence = Callable[[str], int]


def silence(policy: Policy) -> Silence:
    """As a policy has it."""
    rules = policy.document.time
    # Events carry the label of a long name.
    spans = {label(source): span for source, span in rules.silences.items()}
    return lambda source: spans.get(source, rules.silence)


class Sources:
    """One worker's book. Times are event times in ms, never ahead of the wall clock when they were seen."""

    def __init__(self, spans: Silence, most: int = MOST) -> None:
        """``spans`` may be replaced when another policy comes into force."""
        self.spans = spans
        self._most = most
        self._seen: dict[str, int] = {}
        # What the board says, and so what everybody knows.
        self._told: dict[str, int] = {}

    def saw(self, events: Iterable[tuple[str, int]], now: int) -> None:
        """Events of our own partitions: (source, time). One from the future counts as of now."""
        seen = self._seen
        for source, time in events:
            if time > seen.get(source, -1):
                seen[source] = min(time, now)

    def heard(self, source: str, time: int | None) -> None:
        """What the board says of a source; None: it was forgotten."""
        if time is None:
            self._told.pop(source, None)
        else:
            # Two workers may write in either order.
            self._told[source] = max(time, self._told.get(source, 0))

    def silent(self, now: int) -> list[str]:
        """The sources that have been silent for longer than their span, sorted."""
        known = self._known().items()
        return sorted(source for source, time in known if FORGET_MS >= now - time > self.spans(source))

    def news(self, now: int) -> list[tuple[str, int | None]]:
        """What to write on the board: sources with their times, and None for those to be forgotten."""
        known = self._known()
        kept = {source: time for source, time in known.items() if now - time <= FORGET_MS}
        if len(kept) > self._most:
            latest = sorted(kept, key=lambda source: (kept[source], source))[-self._most :]
            kept = {source: kept[source] for source in latest}
        self._seen = {source: time for source, time in self._seen.items() if source in kept}
        news: list[tuple[str, int | None]] = [(s, None) for s in sorted(self._told) if s not in kept]
        for source, time in sorted(self._seen.items()):
            told = self._told.get(source)
            if told is None or time - told >= max(LEAST_TOLD_MS, self.spans(source) // TOLD_SHARE):
                news.append((source, time))
        return news

    def __len__(self) -> int:
        return len(self._known())

    def _known(self) -> dict[str, int]:
        return {
            source: max(self._seen.get(source, 0), self._told.get(source, 0))
            for source in self._seen.keys() | self._told.keys()
        }
