"""From rows to pictures: what is new once, in order, bounded, with scores decayed to the moment."""

from __future__ import annotations

import pytest

from dashboards import queries
from dashboards.terminal.frame import Alert, Arrival, Moment
from dashboards.terminal.reader import LIVE, OVERLAP_MS, Reader
from dashboards.terminal.standings import KEPT, Board
from detectors import effort
from detectors.policy import default
from detectors.state import Sums
from tests.dashboards.canned import ABANDONMENTS, ALERTS, LONG, NOW, STANDINGS, CannedClient, reader


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
    moment[0] += 240_000
    after = looking.poll().standings[0].effort
    assert before is not None
    assert after is not None
    assert after < before


def test_who_rose_and_who_fell_and_why() -> None:
    frame = reader(CannedClient()).poll()
    ((rise,), (fall,)) = frame.rises, frame.falls
    assert (rise.customer[:8], rise.came[0], rise.came[1].signal) == (
        "3f9ac2b1",
        Arrival("form_error", 32.0, 2),
        "step_completed",
    )
    assert (fall.customer[:8], fall.came) == ("00ff00ff", (Arrival("purchase", -3.0, 1),))
    assert rise.change > 40
    assert -13 < fall.change < -10


CAME = [
    ("form_error", 9.0, NOW - 400_000),
    ("rage_click", 4.0, NOW - 100_000),
    ("purchase", -3.0, NOW - 50_000),
]


def summed(until: int) -> Sums:
    """What the fold would have at ``until``."""
    sums = Sums(at=CAME[0][2])
    for _, points, at in CAME:
        if at <= until:
            effort.add(sums, points, at, default())
    return sums


@pytest.mark.parametrize("far", [0, 30_000, 70_000, LIVE.moved, 3 * LIVE.moved, 400_000])
def test_a_change_is_exact_wherever_the_last_row_lies_and_time_alone_is_a_fall(far: int) -> None:
    board = Board(default(), LIVE.moved)
    stored = summed(NOW - far)
    acute, chronic = effort.decayed(stored, NOW - far, default())
    board.take([("c", "j", NOW - far, "s", "web", acute, chronic, 0.9, 0.1)])
    board.note([(str(n), "c", "j", *signal) for n, signal in enumerate(CAME)])
    (one,) = board.standings(NOW)
    before = effort.score(summed(NOW - LIVE.moved), NOW - LIVE.moved, default())
    now = effort.score(summed(NOW), NOW, default())
    assert (one.effort, one.change) == (pytest.approx(now), pytest.approx(now - before))
    assert [part.signal for part in one.came] == ["rage_click", "purchase"]
    (later,) = board.standings(NOW + 600_000)
    assert later.came == ()
    assert later.change < 0.0


def test_an_older_row_tells_what_was_before_better_than_reckoning_back() -> None:
    board = Board(default(), LIVE.moved)
    board.take([("c", "j", NOW - 300_000, "s", "web", 9.0, 9.0, 0.9, 0.1)])
    board.note([("1", "c", "j", "x", 4.0, NOW - 200_000)])
    board.standings(NOW - 100_000)
    # Its signal is not stored yet.
    board.take([("c", "j", NOW - 1, "s", "web", 20.0, 20.0, 0.9, 0.1)])
    (one,) = board.standings(NOW)
    before = Sums(9.0, 9.0, NOW - 300_000)
    effort.add(before, 4.0, NOW - 200_000, default())
    expected = effort.score(before, NOW - LIVE.moved, default())
    assert (one.effort or 0) - one.change == pytest.approx(expected)


def test_far_back_a_signal_that_is_missing_makes_no_mountain() -> None:
    board = Board(default(), 6 * 3_600_000)
    board.take([("c", "j", NOW, "s", "web", 9.0, 9.0, 0.9, 0.1)])
    (one,) = board.standings(NOW)
    assert one.change == 0.0
    board.note([("1", "c", "j", "x", 8.0, NOW)])
    (one,) = board.standings(NOW)
    assert one.change == 0.0
    board.note([("2", "c", "j", "x", 1.0, NOW)])
    (one,) = board.standings(NOW)
    assert one.change == one.effort


def test_sums_that_cancel_are_nothing_however_far_back() -> None:
    board = Board(default(), 40 * 3_600_000)
    board.take([("c", "j", NOW, "s", "web", 0.1 + 0.2, 0.1 + 0.2, 0.9, 0.1)])
    board.note([("1", "c", "j", "x", 0.1, NOW), ("2", "c", "j", "x", 0.2, NOW)])
    (one,) = board.standings(NOW)
    assert one.change == one.effort


def test_signals_are_forgotten_once_they_are_old_and_stored() -> None:
    board = Board(default(), LIVE.moved)
    board.take([("c", "j", NOW, "s", "web", 9.0, 9.0, 0.9, 0.1)])
    board.note([("1", "c", "j", "x", 4.0, NOW), ("2", "c", "j", "abandoned_form", 6.0, NOW + 1)])
    board.note([("3", "gone", "j", "x", 4.0, NOW)])
    for _ in range(2):
        (one,) = board.standings(NOW + LIVE.moved + 1)
        # The time-out's points are in no row yet, so they must stay.
        assert one.effort == pytest.approx(
            effort.score(Sums(15.0, 15.0, NOW), NOW + LIVE.moved + 1, default()), abs=1e-3
        )
    board.take([("c", "j", NOW + 2, "s", "web", 15.0, 15.0, 0.9, 0.1)])
    board.standings(NOW + LIVE.moved + 2)
    assert board._signals == {}


def test_the_hardest_are_those_seen_lately() -> None:
    client, moment = CannedClient(), [NOW]
    client.answers[queries.STANDINGS] = [
        *STANDINGS,
        ("resting" * 4, "order", NOW - LIVE.active - 1, "pay", "web", 99.0, 99.0, 0.9, 0.9),
    ]
    frame = Reader(client, default(), lambda: moment[0]).poll()
    assert "resting" not in frame.standings[0].customer
    assert [one.journey for one in frame.journeys] == ["claim", LONG, "order"]
    client.answers[queries.STANDINGS] = []
    moment[0] += LIVE.active + 1
    assert Reader(client, default(), lambda: moment[0]).poll().standings == ()


def test_an_older_row_never_replaces_a_newer_one() -> None:
    board = Board(default(), LIVE.moved)
    board.take(STANDINGS)
    board.take([(STANDINGS[0][0], "claim", NOW - 1, "old", "web", 99.0, 99.0, 0.9, 0.9)])
    assert board.standings(NOW)[0].step == "details"


def test_the_board_stays_small_and_keeps_those_seen_last() -> None:
    board = Board(default(), LIVE.moved)
    board.take([(f"c{n:05d}", "j", NOW + n, "s", "web", 9.0, 9.0, 0.9, 0.1) for n in range(3 * KEPT)])
    board.take([("new", "j", NOW + 3 * KEPT, "s", "web", 0.5, 0.5, 0.9, 0.1)])
    known = {one.customer for one in board.standings(NOW + 3 * KEPT)}
    assert len(known) == KEPT
    assert {"new", f"c{3 * KEPT - 1:05d}"} <= known
    assert "c00000" not in known


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
    assert set(since) == {
        *(queries.STANDINGS, queries.SIGNALS),
        *(queries.ABANDONMENTS, queries.SWITCHES, queries.ALERTS),
    }
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


def test_rows_stored_while_the_first_picture_is_made_are_the_next_one_s() -> None:
    client = CannedClient()
    fresh = client.answers[queries.FRESHNESS]
    client.answers[queries.FRESHNESS] = [(0, 0, 0)]
    looking = Reader(client, default(), None)
    first = looking.poll()
    assert (first.now, first.standings, first.fresh) == (0, (), ())
    client.answers[queries.FRESHNESS] = fresh
    assert looking.poll().standings
    assert all(params.get("now") != 0 for _, params in client.asked)


def test_a_moment_ages_before_its_rows_claims_no_change() -> None:
    board = Board(default(), 60_000)
    board.take([("c", "j", NOW, "s", "web", 9.0, 9.0, 0.9, 0.1)])
    board.note([("1", "c", "j", "x", 8.0, NOW)])
    (one,) = board.standings(0)
    assert one.change == 0.0


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
