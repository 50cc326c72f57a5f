"""From rows to pictures: what is new once, in order, bounded, with scores decayed to the moment."""

from __future__ import annotations

import pytest

from dashboards import queries
from dashboards.terminal.frame import Alert, Moment
from dashboards.terminal.reader import OVERLAP_MS, Reader
from dashboards.terminal.standings import KEPT, Board
from detectors import effort
from detectors.policy import default
from detectors.state import Sums
from tests.dashboards.canned import ABANDONMENTS, ALERTS, NOW, STANDINGS, CannedClient, reader


def test_standings_are_hardest_first_without_those_at_ease() -> None:
    frame = reader(CannedClient()).poll()
    assert [one.journey for one in frame.standings][::2] == ["claim", "billing"]
    hardest = frame.standings[0]
    assert hardest.effort == pytest.approx(effort.score(Sums(40.0, 40.0, NOW), NOW, default()))
    assert hardest.ces == pytest.approx(effort.ces(hardest.effort or 0))


def test_too_little_observed_gives_no_score() -> None:
    frame = reader(CannedClient()).poll()
    assert (frame.standings[-1].effort, frame.standings[-1].ces) == (None, None)


def test_contributions_are_in_proportion_and_add_up_to_the_score() -> None:
    hardest = reader(CannedClient()).poll().standings[0]
    assert sum(part.points for part in hardest.why) == pytest.approx(hardest.effort)
    assert [part.signal for part in hardest.why] == ["form_error", "info_repeated", "step_completed"]
    assert hardest.why[2].points < 0


def test_scores_decay_between_two_polls_without_new_rows() -> None:
    client, moment = CannedClient(), [NOW]
    looking = Reader(client, default(), lambda: moment[0])
    before = looking.poll().standings[0].effort
    client.answers[queries.STANDINGS] = []
    moment[0] += 1_200_000
    after = looking.poll().standings[0].effort
    assert before is not None
    assert after is not None
    assert after < before


def test_change_is_what_the_last_minute_did() -> None:
    board = Board(default())
    board.take([("c", "j", NOW, "s", "web", 10.0, 10.0, 0.9, 0.1)])
    assert board.top(NOW, 1)[0].change == board.top(NOW, 1)[0].effort
    later = NOW + 90_000
    assert -2.0 < board.top(later, 1)[0].change < 0.0
    for seconds in (100, 110):
        acute = 10.0 + seconds / 10
        board.take([("c", "j", NOW + seconds * 1_000, "s", "web", acute, acute, 0.9, 0.1)])
    now = NOW + 120_000
    (one,) = board.top(now, 1)
    before = effort.score(Sums(10.0, 10.0, NOW), NOW + 60_000, default())
    assert one.change == pytest.approx((one.effort or 0) - before)
    assert one.change > 10


def test_an_older_row_never_replaces_a_newer_one() -> None:
    board = Board(default())
    board.take(STANDINGS)
    board.take([(STANDINGS[0][0], "claim", NOW - 1, "old", "web", 99.0, 99.0, 0.9, 0.9)])
    assert board.top(NOW, 1)[0].step == "details"


def test_the_board_stays_small_and_keeps_the_hardest() -> None:
    board = Board(default())
    board.take([(f"c{n:05d}", "j", NOW, "s", "web", float(n), float(n), 0.9, 0.1) for n in range(3 * KEPT)])
    board.take([("new", "j", NOW, "s", "web", 1e6, 1e6, 0.9, 0.1)])
    top = board.top(NOW, 3 * KEPT)
    assert len(top) == KEPT
    assert [one.customer for one in top[:2]] == ["new", f"c{3 * KEPT - 1:05d}"]


def test_what_is_new_comes_once_and_oldest_first() -> None:
    looking = reader(CannedClient())
    fresh = looking.poll().fresh
    assert [one.at for one in fresh] == sorted(one.at for one in fresh)
    assert [type(one) for one in fresh].count(Moment) == 5
    assert isinstance(fresh[-1], Alert)
    again = looking.poll()
    assert again.fresh == ()
    assert len(again.moments) == 5
    assert len(again.alerts) == 1


def test_a_recovery_is_news_again() -> None:
    client = CannedClient()
    looking = reader(client)
    looking.poll()
    recovered = list(ABANDONMENTS[0])
    recovered[1], recovered[-1] = 2, NOW
    client.answers[queries.ABANDONMENTS] = [recovered, *ABANDONMENTS[1:]]
    (news,) = looking.poll().fresh
    assert isinstance(news, Moment)
    assert (news.what, news.kind, news.at) == ("recovered", "form", NOW)


def test_only_rows_stored_since_the_last_poll_are_asked_for_with_an_overlap_and_a_limit() -> None:
    client = CannedClient()
    looking = reader(client)
    looking.poll()
    client.asked.clear()
    looking.poll()
    since = {query: params for query, params in client.asked if "since" in params}
    assert set(since) == {queries.STANDINGS, queries.ABANDONMENTS, queries.SWITCHES, queries.ALERTS}
    for params in since.values():
        assert params["since"] == NOW - 1_000 - OVERLAP_MS
        assert params["limit"]


def test_a_replay_takes_its_moment_from_the_newest_event() -> None:
    assert Reader(CannedClient(), default(), None).poll().now == NOW - 1_500


def test_an_empty_database_makes_an_empty_picture() -> None:
    client = CannedClient()
    client.answers = {query: [] for query in client.answers}
    client.answers[queries.FRESHNESS] = [(0, 0, 0)]
    frame = reader(client).poll()
    assert (frame.stored, frame.standings, frame.fresh, frame.total("alerts")) == (0, (), (), 0)
    assert all(query != queries.CONTRIBUTIONS for query, _ in client.asked)


def test_an_alert_stands_once_on_the_screen_as_it_is_now() -> None:
    client = CannedClient()
    looking = reader(client)
    looking.poll()
    resolved = list(ALERTS[0])
    resolved[0], resolved[2], resolved[-1] = "r2", "alert.resolved", NOW
    client.answers[queries.ALERTS] = [resolved, *ALERTS]
    frame = looking.poll()
    assert [(one.alert_id, one.what) for one in frame.alerts] == [("alert-1", "resolved")]
    assert [one.what for one in frame.fresh if isinstance(one, Alert)] == ["resolved"]
