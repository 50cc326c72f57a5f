"""Who has it hard now: decayed sums as they were stored, decayed on to the moment of the picture.

>>> from detectors.policy import default
>>> board = Board(default())
>>> board.take([("c1", "claim", 0, "upload", "web", 20.0, 20.0, 0.8, 0.6)])
>>> [round(board.top(at, 5)[0].effort) for at in (0, 1_200_000, 3_600_000)]
[63, 48, 32]
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dashboards.terminal.frame import Contribution, Standing
from dashboards.terminal.rows import Row, decimal, whole
from detectors import effort
from detectors.policy import Policy
from detectors.state import Sums

__all__ = ["Board"]

# Customers kept in mind between pictures: many more than fit on a screen, few enough to sort at once.
KEPT = 2_000


class Board:
    """The newest stored standing of each customer and journey, the hardest ones kept."""

    def __init__(self, policy: Policy) -> None:
        """``policy`` gives half-lives, weights and the floor of coverage."""
        self.policy = policy
        self._newest: dict[tuple[str, str], tuple[Sums, str, str, float, float]] = {}

    def take(self, rows: Iterable[Row]) -> None:
        """Rows of :data:`dashboards.queries.STANDINGS`; an older row never replaces a newer one."""
        latest = 0
        for customer, journey, at, step, channel, acute, chronic, coverage, need in rows:
            key = (str(customer), str(journey))
            sums = Sums(decimal(acute), decimal(chronic), whole(at))
            known = self._newest.get(key)
            if known is None or known[0].at <= sums.at:
                self._newest[key] = (sums, str(step), str(channel), decimal(coverage), decimal(need))
            latest = max(latest, sums.at)
        if len(self._newest) > KEPT:
            hardest = sorted(self._newest, key=lambda key: self._load(key, latest), reverse=True)
            self._newest = {key: self._newest[key] for key in hardest[:KEPT]}

    def top(self, now: int, most: int) -> list[Standing]:
        """The ``most`` with the highest effort at ``now`` (ms), hardest first; none without any effort."""
        hardest = sorted(self._newest, key=lambda key: (-self._load(key, now), key))[:most]
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
        return effort.load(self._newest[key][0], now, self.policy)

    def _standing(self, key: tuple[str, str], now: int) -> Standing:
        sums, step, channel, coverage, need = self._newest[key]
        if coverage < self.policy.document.effort.coverage_floor:
            return Standing(*key, step, channel, None, None, need)
        score = effort.score(sums, now, self.policy)
        return Standing(*key, step, channel, score, effort.ces(score), need)
