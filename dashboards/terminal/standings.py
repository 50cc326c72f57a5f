"""Where everybody stands now, and stood before: sums as they were stored, moved to another moment.

Sums add up: what a customer's effort was some minutes ago is an older row's with the signals up to then, or,
where none was seen, the newest row's without the signals since.

>>> from detectors.policy import default
>>> board = Board(default(), 120_000)
>>> board.take([("c1", "claim", 60_000, "upload", "web", 20.0, 20.0, 0.8, 0.6)])
>>> board.note([("f1", "c1", "claim", "form_error", 20.0, 60_000)])
>>> [(round(one.effort), round(one.change), one.came[:1]) for one in board.standings(60_000)]
[(63, 63, (Arrival(signal='form_error', points=20.0, times=1),))]
>>> [(round(one.effort), round(one.change), one.came) for one in board.standings(960_000)]
[(51, -1, ())]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import exp
from typing import NamedTuple

from dashboards.terminal.frame import Arrival, Contribution, Standing
from dashboards.terminal.rows import Row, decimal, whole
from detectors import effort
from detectors.policy import Policy
from detectors.state import Sums

__all__ = ["Board"]

# Customers kept in mind between pictures: many more than fit on a screen, few enough to score at once.
KEPT = 2_000
# What subtracting leaves of sums that cancel, as a share of what was subtracted: it would grow backwards.
ROUNDING = 1e-9
# Growth beyond e to this does not fit a number.
_FAR = 700.0
# A customer's signals that a picture can name.
MOST_CAME = 6

Key = tuple[str, str]


class _Known(NamedTuple):
    """One customer in one journey: the newest row, and its sums with older ones before them."""

    rows: tuple[Sums, ...]
    step: str
    channel: str
    coverage: float
    need: float

    @property
    def sums(self) -> Sums:
        return self.rows[-1]

    def older(self, since: int) -> Sums | None:
        """The last row that is not later than ``since``."""
        return next((row for row in reversed(self.rows) if row.at <= since), None)


class _Signal(NamedTuple):
    time: int
    name: str
    points: float


class Board:
    """The newest stored standing of each customer and journey, and their newest signals."""

    def __init__(self, policy: Policy, moved_ms: int) -> None:
        """``policy`` gives half-lives, weights and the floor of coverage; changes are over ``moved_ms``."""
        self.policy = policy
        self._moved_ms = moved_ms
        self._known: dict[Key, _Known] = {}
        self._signals: dict[Key, dict[str, _Signal]] = {}

    def take(self, rows: Iterable[Row]) -> None:
        """Rows of :data:`dashboards.queries.STANDINGS`; an older row never replaces a newer one."""
        for customer, journey, at, step, channel, acute, chronic, coverage, need in rows:
            key = (str(customer), str(journey))
            sums = Sums(decimal(acute), decimal(chronic), whole(at))
            before = self._known.get(key)
            if before is None or before.sums.at <= sums.at:
                kept = _within((*(before.rows if before else ()), sums), sums.at - self._moved_ms)
                self._known[key] = _Known(kept, str(step), str(channel), decimal(coverage), decimal(need))
        if len(self._known) > KEPT:
            last = sorted(self._known.items(), key=lambda entry: (-entry[1].sums.at, -self._load(entry[1])))
            self._known = dict(last[:KEPT])

    def note(self, rows: Iterable[Row]) -> None:
        """Rows of :data:`dashboards.queries.SIGNALS`; the same one again changes nothing."""
        for fact_id, customer, journey, name, points, at in rows:
            found = self._signals.setdefault((str(customer), str(journey)), {})
            found[str(fact_id)] = _Signal(whole(at), str(name), decimal(points))

    def standings(self, now: int) -> list[Standing]:
        """Everybody known at ``now`` (ms), in no order; without a score only those with some effort."""
        since = now - self._moved_ms
        self._forget(since)
        return [one for key, known in self._known.items() for one in self._standing(key, known, now, since)]

    def explained(
        self, standings: Sequence[Standing], parts: Iterable[Row], most: int = 4
    ) -> tuple[Standing, ...]:
        """The standings with what their effort is made of, out of rows of CONTRIBUTIONS.

        Points are in proportion to each signal's part of x, so that all of them would add up to the effort.
        """
        by_key: dict[Key, list[tuple[str, float, int]]] = {}
        for customer, journey, signal, part, count in parts:
            found = by_key.setdefault((str(customer), str(journey)), [])
            found.append((str(signal), decimal(part), whole(count)))
        return tuple(_explain(one, by_key.get((one.customer, one.journey), []), most) for one in standings)

    def _load(self, known: _Known) -> float:
        return effort.load(known.sums, known.sums.at, self.policy)

    def _forget(self, since: int) -> None:
        """Drop signals that came before ``since`` and are in a row from before it, too."""
        kept = {}
        for key, signals in self._signals.items():
            known = self._known.get(key)
            older = known and known.older(since)
            settled = older.at if older else since
            if left := {fact_id: one for fact_id, one in signals.items() if one.time > settled}:
                kept[key] = left
        self._signals = kept

    def _standing(self, key: Key, known: _Known, now: int, since: int) -> Iterator[Standing]:
        signals = self._signals.get(key, {}).values()
        sums = Sums(known.sums.acute, known.sums.chronic, known.sums.at)
        for one in signals:
            # A time-out's, or its event's row is still on its way.
            if one.time > known.sums.at:
                effort.add(sums, one.points, one.time, self.policy)
        if known.coverage < self.policy.document.effort.coverage_floor:
            if effort.load(sums, now, self.policy) > 0.0:
                yield Standing(*key, known.step, known.channel, None, None, known.need, at=known.sums.at)
            return
        recent = [one for one in signals if one.time > since]
        older = known.older(since)
        before = self._at(older, signals, since) if older else self._back(sums, recent, now, since)
        score = effort.score(sums, now, self.policy)
        yield Standing(
            *key,
            known.step,
            known.channel,
            score,
            effort.ces(score, self.policy.ces_line),
            known.need,
            change=score - before,
            at=known.sums.at,
            came=_came(recent),
        )

    def _at(self, row: Sums, signals: Iterable[_Signal], since: int) -> float:
        """The score at ``since``, out of a row from before."""
        sums = Sums(row.acute, row.chronic, row.at)
        for one in signals:
            if row.at < one.time <= since:
                effort.add(sums, one.points, one.time, self.policy)
        return effort.score(sums, since, self.policy)

    def _back(self, sums: Sums, recent: Iterable[_Signal], now: int, since: int) -> float:
        """The score at ``since``, out of later sums without the ``recent`` signals, all of which came after.

        Over more than a half-life, a signal that is not stored yet would make a mountain of what was before:
        there it is taken to be no higher than now. Over a thousand of them nothing can be told, and no change
        is claimed.
        """
        policy = self.policy
        if policy.acute_rate * (sums.at - since) > _FAR:
            return effort.score(sums, now, policy)
        left, gone = Sums(sums.acute, sums.chronic, sums.at), Sums(0.0, 0.0, sums.at)
        for one in recent:
            effort.add(left, -one.points, one.time, policy)
            effort.add(gone, abs(one.points), one.time, policy)
        back = left.at - since
        acute = left.acute * exp(policy.acute_rate * back)
        chronic = left.chronic * exp(policy.chronic_rate * back)
        if abs(left.acute) <= ROUNDING * gone.acute:
            acute = 0.0
        if abs(left.chronic) <= ROUNDING * gone.chronic:
            chronic = 0.0
        found = effort.score(Sums(acute, chronic, since), since, policy)
        short = back <= policy.document.effort.acute_half_life
        return found if short else min(found, effort.score(sums, now, policy))


def _within(rows: tuple[Sums, ...], since: int) -> tuple[Sums, ...]:
    """Those later than ``since``, and the one that stood then."""
    older = sum(one.at <= since for one in rows)
    return rows[max(0, older - 1) :]


def _came(recent: Sequence[_Signal]) -> tuple[Arrival, ...]:
    found: dict[str, Arrival] = {}
    for one in recent:
        before = found.get(one.name, Arrival(one.name, 0.0, 0))
        found[one.name] = Arrival(one.name, before.points + one.points, before.times + 1)
    weightiest = sorted(found.values(), key=lambda part: (-abs(part.points), part.signal))
    return tuple(weightiest[:MOST_CAME])


def _explain(one: Standing, parts: list[tuple[str, float, int]], most: int) -> Standing:
    x = sum(part for _, part, _ in parts)
    if one.effort is None or x <= 0.0:
        return one
    worth = one.effort / x
    largest = sorted(parts, key=lambda entry: (-abs(entry[1]), entry[0]))[:most]
    return one._replace(why=tuple(Contribution(name, part * worth, count) for name, part, count in largest))
