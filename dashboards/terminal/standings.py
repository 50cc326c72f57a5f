"""Who has it hard now: decayed sums as they were stored, decayed on to the moment of the picture.

>>> from detectors.policy import default
>>> board = Board(default())
>>> board.take([("c1", "claim", 0, "upload", "web", 20.0, 20.0, 0.8, 0.6)])
>>> [round(board.top(at, 5)[0].effort) for at in (0, 1_200_000, 3_600_000)]
[63, 48, 32]
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from dashboards.terminal.frame import Contribution, Standing
from dashboards.terminal.rows import Row, decimal, whole
from detectors import effort
from detectors.policy import Policy
from detectors.state import Sums

__all__ = ["Board"]

# Customers kept in mind between pictures: many more than fit on a screen, few enough to sort at once.
KEPT = 2_000
MINUTE_MS = 60_000


class _Known(NamedTuple):
    """What is known of one customer in one journey: the sums of the last minute's rows, newest last."""

    sums: tuple[Sums, ...]
    step: str
    channel: str
    coverage: float
    need: float


class Board:
    """The newest stored standing of each customer and journey, the hardest ones kept."""

    def __init__(self, policy: Policy) -> None:
        """``policy`` gives half-lives, weights and the floor of coverage."""
        self.policy = policy
        self._known: dict[tuple[str, str], _Known] = {}

    def take(self, rows: Iterable[Row]) -> None:
        """Rows of :data:`dashboards.queries.STANDINGS`; an older row never replaces a newer one."""
        latest = 0
        for customer, journey, at, step, channel, acute, chronic, coverage, need in rows:
            key = (str(customer), str(journey))
            sums = Sums(decimal(acute), decimal(chronic), whole(at))
            before = self._known[key].sums if key in self._known else ()
            if not before or before[-1].at <= sums.at:
                kept = _last_minute((*before, sums), sums.at)
                self._known[key] = _Known(kept, str(step), str(channel), decimal(coverage), decimal(need))
            latest = max(latest, sums.at)
        if len(self._known) > KEPT:
            hardest = sorted(self._known, key=lambda key: self._load(key, latest), reverse=True)
            self._known = {key: self._known[key] for key in hardest[:KEPT]}

    def top(self, now: int, most: int) -> list[Standing]:
        """The ``most`` with the highest effort at ``now`` (ms), hardest first; none without any effort."""
        hardest = sorted(self._known, key=lambda key: (-self._load(key, now), key))[:most]
        return [self._standing(key, now) for key in hardest if self._load(key, now) > 0.0]

    def explained(
        self, standings: Sequence[Standing], parts: Iterable[Row], most: int = 4
    ) -> tuple[Standing, ...]:
        """The standings with what their effort is made of, out of rows of CONTRIBUTIONS.

        Points are in proportion to each signal's part of x, so that all of them would add up to the effort.
        """
        by_key: dict[tuple[str, str], list[tuple[str, float, int]]] = {}
        for customer, journey, signal, part, count in parts:
            found = by_key.setdefault((str(customer), str(journey)), [])
            found.append((str(signal), decimal(part), whole(count)))
        return tuple(
            self._explain(one, by_key.get((one.customer, one.journey), []), most) for one in standings
        )

    def _explain(self, one: Standing, parts: list[tuple[str, float, int]], most: int) -> Standing:
        x = sum(part for _, part, _ in parts)
        if one.effort is None or x <= 0.0:
            return one
        worth = one.effort / x
        largest = sorted(parts, key=lambda entry: (-abs(entry[1]), entry[0]))[:most]
        return one._replace(
            why=tuple(Contribution(name, part * worth, count) for name, part, count in largest)
        )

    def _load(self, key: tuple[str, str], now: int) -> float:
        return effort.load(self._known[key].sums[-1], now, self.policy)

    def _standing(self, key: tuple[str, str], now: int) -> Standing:
        known = self._known[key]
        if known.coverage < self.policy.document.effort.coverage_floor:
            return Standing(*key, known.step, known.channel, None, None, known.need)
        score = effort.score(known.sums[-1], now, self.policy)
        kept = _last_minute(known.sums, now)
        minute_ago = now - MINUTE_MS
        before = effort.score(kept[0], minute_ago, self.policy) if kept[0].at <= minute_ago else 0.0
        ces = effort.ces(score)
        return Standing(*key, known.step, known.channel, score, ces, known.need, change=score - before)


def _last_minute(sums: tuple[Sums, ...], now: int) -> tuple[Sums, ...]:
    """Those of the minute before ``now``, and the one that stood when it began."""
    older = sum(one.at <= now - MINUTE_MS for one in sums)
    return sums[max(0, older - 1) :]
