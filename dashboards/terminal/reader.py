"""Asks the database for the next picture: what is new since the last, and where that leaves everybody."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain
from typing import Protocol

from dashboards import queries
from dashboards.terminal import picks, rows
from dashboards.terminal.frame import Alert, Flow, Frame, Moment, Spans
from dashboards.terminal.rows import Row, whole
from dashboards.terminal.standings import Board
from detectors.policy import Policy

__all__ = ["Client", "Reader"]

MINUTE_MS = 60_000
# Rows are read again this long after they came in: an insert takes a while from its time stamp to its end.
OVERLAP_MS = 10_000
# Rows of one query and poll. More customers than that in a second are beyond any screen.
MOST_STANDINGS = 20_000
MOST_SIGNALS = 20_000
MOST_NEW = 200
# What stays on the screen.
KEPT = 60
TOP = 20
# Time alone takes a point or two of effort in two minutes: just enough to be seen.
LIVE = Spans(moved=2 * MINUTE_MS, active=5 * MINUTE_MS)
# A file passes at hours a second, some partitions ahead of others.
REPLAY = Spans(moved=360 * MINUTE_MS, active=360 * MINUTE_MS)
# Facts remembered as shown: those of the overlap, of all three kinds, many times over.
SEEN = 20_000


class Client(Protocol):
    """What the view needs of clickhouse-driver."""

    def execute(self, query: str, params: dict[str, object]) -> list[Row]:
        """All rows of a query."""


class Reader:
    """One reader per view; not thread safe, like the client it is given."""

    def __init__(
        self,
        client: Client,
        policy: Policy,
        clock: Callable[[], int] | None,
        flow: Callable[[], Flow] = Flow,
    ) -> None:
        """``clock`` gives the moment (ms) to decay scores to; None takes the newest event's time (a replay).

        ``flow`` tells how far events have come, as far as somebody knows beside the database.
        """
        self._client = client
        self._spans = LIVE if clock else REPLAY
        self._board = Board(policy, self._spans.moved)
        self._clock = clock
        self._flow = flow
        self._since = 0
        self._seen: dict[tuple[str, str], int] = {}
        self._moments: list[Moment] = []
        self._alerts: list[Alert] = []
        rules = policy.document.effort
        self._decay: dict[str, object] = {
            "acute_weight": rules.acute_weight,
            "chronic_weight": rules.chronic_weight,
            "acute_ms": float(rules.acute_half_life),
            "chronic_ms": float(rules.chronic_half_life),
        }

    def poll(self) -> Frame:
        """The next picture. Raises what the client raises where the database does not answer."""
        freshness = self._client.execute(queries.FRESHNESS, {})[0]
        stored, reached, stored_at = (whole(value) for value in freshness)
        now = self._clock() if self._clock else reached
        if not stored:
            # What is stored meanwhile is the next picture's, which also has a moment to show it at.
            return Frame(now, reached, stored, stored_at, self._flow(), spans=self._spans)
        moments, alerts = self._new_moments(), self._new_alerts()
        self._moments = sorted(chain(moments, self._moments), key=lambda one: -one.at)[:KEPT]
        self._alerts = _newest(chain(alerts, self._alerts))[:KEPT]
        self._board.take(self._ask(queries.STANDINGS, MOST_STANDINGS))
        self._board.note(self._ask(queries.SIGNALS, MOST_SIGNALS))
        everybody = self._board.standings(now)
        active = picks.active(everybody, now - self._spans.active)
        top = picks.hardest(active, TOP)
        parts = self._contributions([one.customer for one in top], now) if top else []
        self._since = max(self._since, stored_at - OVERLAP_MS)
        counts = self._client.execute(queries.COUNTS, {})
        return Frame(
            now=now,
            reached=reached,
            stored=stored,
            stored_at=stored_at,
            flow=self._flow(),
            standings=self._board.explained(top, parts),
            moments=tuple(self._moments),
            alerts=tuple(self._alerts),
            fresh=tuple(sorted(chain(moments, alerts), key=lambda one: one.at)),
            counts={(str(what), str(kind), str(detail)): whole(n) for what, kind, detail, n in counts},
            spans=self._spans,
            rises=tuple(picks.rises(everybody, TOP)),
            falls=tuple(picks.falls(everybody, TOP)),
            journeys=tuple(picks.by_journey(active)),
        )

    def _ask(self, query: str, limit: int) -> list[Row]:
        return self._client.execute(query, {"since": self._since, "limit": limit})

    def _contributions(self, customers: list[str], now: int) -> list[Row]:
        asked = {**self._decay, "customers": tuple(customers), "now": now, "limit": MOST_STANDINGS}
        return self._client.execute(queries.CONTRIBUTIONS, asked)

    def _unseen(self, query: str, limit: int) -> list[Row]:
        """Rows that no poll has had in this version; they begin with (fact_id, ver)."""
        found = [((query, str(row[0])), row) for row in self._ask(query, limit)]
        new = [(fact, row) for fact, row in found if self._seen.get(fact, -1) < whole(row[1])]
        self._seen.update((fact, whole(row[1])) for fact, row in new)
        # Insertion order is age: what is older than the overlap will not be read again.
        for fact in list(self._seen)[: max(0, len(self._seen) - SEEN)]:
            del self._seen[fact]
        return [row for _, row in new]

    def _new_moments(self) -> list[Moment]:
        given_up = self._unseen(queries.ABANDONMENTS, MOST_NEW)
        switched = self._unseen(queries.SWITCHES, MOST_NEW)
        return [rows.abandonment(row) for row in given_up] + [rows.switch(row) for row in switched]

    def _new_alerts(self) -> list[Alert]:
        return [rows.alert(row) for row in self._unseen(queries.ALERTS, MOST_NEW)]


def _newest(alerts: Iterable[Alert]) -> list[Alert]:
    """Each alert as it stands, those with the latest news first."""
    newest: dict[str, Alert] = {}
    for one in sorted(alerts, key=lambda one: -one.at):
        newest.setdefault(one.alert_id, one)
    return list(newest.values())
