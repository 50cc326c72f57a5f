"""Abandonment: every kind, said so and inferred; recovery; what is none."""

from __future__ import annotations

from typing import Any

import pytest

from detectors.examples import Story, Told, fold, hours, minutes
from detectors.policy import DEFAULT_TEXT, default, parse

POLICY = default()
DAY = hours(24)
CALL = {"channel": "phone", "conversation_id": "c1"}
CHAT = {"channel": "chat", "conversation_id": "c1"}
BOT = {"channel": "bot", "conversation_id": "c1"}
LOAN = {"journey": "loan", "step": "income", "release": "r7"}

Row = dict[str, Any]


def charged(story: Story) -> list[tuple[str, float]]:
    return [
        (row["signal"], row["points"])
        for row in story.rows("signals")
        if row["signal"].startswith(("abandoned", "recovered"))
    ]


def only(story: Story) -> Row:
    (row,) = story.rows("abandonments")
    return row


# kind, what opens it, what says that it was given up, its time-out
EVERY: list[tuple[str, Told, Told, int]] = [
    (
        "step",
        ("step.entered", 0, LOAN),
        ("journey.abandoned", minutes(2), LOAN | {"where": "step"}),
        minutes(30),
    ),
    ("form", ("form_start", 0, LOAN), ("form_abandoned", minutes(2), LOAN), minutes(30)),
    (
        "cart",
        ("checkout_step", 0, LOAN),
        ("journey.abandoned", minutes(2), LOAN | {"where": "cart"}),
        hours(1),
    ),
    ("queue", ("call.queued", 0, CALL), ("call.abandoned", minutes(2), CALL | {"where": "queue"}), hours(1)),
    ("ivr", ("ivr.enter", 0, CALL), ("call.abandoned", minutes(2), CALL | {"where": "ivr"}), minutes(30)),
    ("bot", ("bot.message", 0, BOT), ("bot.ended", minutes(2), BOT | {"result": "left"}), minutes(15)),
]


@pytest.mark.parametrize(("kind", "opens", "gives_up", "timeout"), EVERY, ids=[one[0] for one in EVERY])
class TestEveryKind:
    def test_said_so(self, kind: str, opens: Told, gives_up: Told, timeout: int) -> None:
        story = fold(opens, gives_up, until=10 * DAY)
        row = only(story)
        assert (row["kind"], row["inferred"], row["silent"], row["short"]) == (kind, 0, 0, 0)
        assert (row["time"], row["given_up_at"], row["recovered_at"]) == (0, minutes(2), None)
        assert charged(story) == [(f"abandoned_{kind}", POLICY.document.signals[f"abandoned_{kind}"])]

    def test_inferred(self, kind: str, opens: Told, gives_up: Told, timeout: int) -> None:
        assert not fold(opens, until=timeout - 1).rows("abandonments")
        story = fold(opens, until=timeout)
        row = only(story)
        assert (row["kind"], row["inferred"], row["time"], row["given_up_at"]) == (kind, 1, 0, 0)
        (signal,) = story.rows("signals")
        assert (signal["signal"], signal["time"]) == (f"abandoned_{kind}", timeout)

    def test_said_so_after_it_was_inferred(
        self, kind: str, opens: Told, gives_up: Told, timeout: int
    ) -> None:
        said = (gives_up[0], timeout + minutes(10), gives_up[2])
        story = fold(opens, until=timeout + minutes(5))
        (inferred,) = story.rows("abandonments")
        only_after = only(story.tell(*said).until(10 * DAY))
        assert only_after["fact_id"] == inferred["fact_id"]
        assert (only_after["ver"], only_after["inferred"]) == (inferred["ver"] + 1, 0)
        assert len(charged(story)) == 1

    def test_said_twice(self, kind: str, opens: Told, gives_up: Told, timeout: int) -> None:
        again = (gives_up[0], gives_up[1] + 1000, gives_up[2])
        assert len(charged(fold(opens, gives_up, again, until=10 * DAY))) == 1

    def test_said_without_a_beginning(self, kind: str, opens: Told, gives_up: Told, timeout: int) -> None:
        assert only(fold(gives_up, until=10 * DAY))["kind"] == kind

    def test_kept_alive(self, kind: str, opens: Told, gives_up: Told, timeout: int) -> None:
        about = opens[2]
        channel = about.get("channel", "web")
        story = fold(opens, ("button_click", timeout - 1000, about | {"channel": channel}), until=timeout + 1)
        assert not story.rows("abandonments")
        assert only(story.until(2 * timeout))["given_up_at"] == timeout - 1000


DONE: list[tuple[str, Told, Told]] = [
    ("step", EVERY[0][1], ("step.completed", minutes(1), LOAN)),
    ("form", EVERY[1][1], ("form_submit", minutes(1), LOAN)),
    ("cart", EVERY[2][1], ("purchase", minutes(1), {"journey": "loan", "step": "thanks"})),
    ("queue", EVERY[3][1], ("call.connected", minutes(1), CALL)),
    ("queue called back", EVERY[3][1], ("callback.requested", minutes(1), CALL)),
    ("ivr", EVERY[4][1], ("ivr.exit", minutes(1), CALL | {"result": "resolved"})),
    ("ivr to queue", EVERY[4][1], ("ivr.exit", minutes(1), CALL | {"result": "queue"})),
    ("bot", EVERY[5][1], ("bot.ended", minutes(1), BOT | {"result": "resolved"})),
    ("bot hands over", EVERY[5][1], ("bot.ended", minutes(1), BOT | {"result": "handed_over"})),
    ("bot to an agent", EVERY[5][1], ("conversation.assigned", minutes(1), CHAT)),
]


@pytest.mark.parametrize(("name", "opens", "done"), DONE, ids=[one[0] for one in DONE])
def test_completed_in_time_is_no_abandonment(name: str, opens: Told, done: Told) -> None:
    story = fold(opens, done, until=10 * DAY)
    assert not story.rows("abandonments")
    assert not charged(story)


@pytest.mark.parametrize(("name", "opens", "done"), DONE, ids=[one[0] for one in DONE])
def test_completed_later_is_recovered(name: str, opens: Told, done: Told) -> None:
    """And what is left of its effort is taken back."""
    story = fold(opens, until=hours(2))
    before = only(story)
    row = only(story.tell(done[0], hours(3), done[2]).until(10 * DAY))
    assert row["fact_id"] == before["fact_id"]
    assert (row["recovered_at"], row["ver"], row["inferred"]) == (hours(3), before["ver"] + 1, 1)
    kinds = [signal for signal, _ in charged(story)]
    assert kinds == [f"abandoned_{before['kind']}", "recovered"]
    taken = charged(story)[1][1]
    assert -POLICY.document.signals[f"abandoned_{before['kind']}"] < taken < 0


def test_a_purchase_completes_all_that_was_open_in_its_journey() -> None:
    story = fold(
        ("step.entered", 0, LOAN),
        ("form_start", 1, LOAN | {"step": "address"}),
        ("form_start", 2, LOAN | {"step": "card"}),
        ("checkout_step", 3, LOAN | {"step": "pay"}),
        ("form_start", 4, {"journey": "other"}),
        ("purchase", 5, {"journey": "loan", "step": "thanks"}),
        until=10 * DAY,
    )
    assert only(story)["journey"] == "other"


def test_going_on_to_the_next_step_gives_none_up() -> None:
    story = fold(
        ("step.entered", 0, LOAN),
        ("step.entered", minutes(1), LOAN | {"step": "house"}),
        ("step.entered", minutes(2), LOAN | {"step": "sign"}),
        until=DAY,
    )
    assert (only(story)["step"], len(charged(story))) == ("sign", 1)


def test_a_cart_is_charged_to_the_step_it_got_to() -> None:
    story = fold(
        ("checkout_step", 0, LOAN | {"step": "address"}),
        ("checkout_step", 1, LOAN | {"step": "pay"}),
        until=DAY,
    )
    assert (only(story)["step"], only(story)["from_step"], only(story)["from_release"]) == (
        "address",
        "pay",
        "r7",
    )
    assert story.rows("signals")[0]["from_step"] == "pay"


def test_short_abandons_add_no_effort_and_are_shown() -> None:
    for seconds, short in ((4.9, 1), (5.0, 0)):
        gone = ("call.abandoned", round(seconds * 1000), CALL | {"where": "queue"})
        story = fold(("call.queued", 0, CALL), gone, until=DAY)
        assert only(story)["short"] == short
        assert len(charged(story)) == 1 - short
        (wait,) = story.rows("waits")
        assert (wait["short"], wait["outcome"]) == (short, "abandoned")


def test_the_menu_is_told_from_the_queue() -> None:
    """Also where the source does not say which; and who was in the queue has not left the menu, too."""
    menu = fold(("ivr.enter", 0, CALL), ("call.abandoned", 9000, CALL), until=DAY)
    assert only(menu)["kind"] == "ivr"
    queue = fold(
        ("ivr.enter", 0, CALL), ("call.abandoned", 90_000, CALL | {"where": "queue", "wait_s": 60}), until=DAY
    )
    assert (only(queue)["kind"], only(queue)["wait_s"], only(queue)["time"]) == ("queue", 60, 30_000)


def test_a_call_that_ends_in_the_menu_was_not_contained() -> None:
    left = fold(("ivr.enter", 0, CALL), ("call.ended", 9000, CALL), until=DAY)
    assert (only(left)["kind"], only(left)["inferred"]) == ("ivr", 0)
    for how in ({"result": "resolved"}, {"talk_s": 60}):
        assert not fold(("ivr.enter", 0, CALL), ("call.ended", 9000, CALL | how), until=DAY).rows(
            "abandonments"
        )


def test_left_said_by_the_menu_and_by_the_call_is_one() -> None:
    story = fold(
        ("ivr.enter", 0, CALL),
        ("ivr.exit", 9000, CALL | {"result": "left"}),
        ("call.abandoned", 9001, CALL | {"where": "ivr"}),
        until=DAY,
    )
    assert len(charged(story)) == 1


def test_a_requested_callback_is_no_abandonment() -> None:
    story = fold(
        ("call.queued", 0, CALL),
        ("callback.requested", 60_000, CALL),
        ("call.abandoned", 61_000, CALL | {"where": "queue"}),
        until=DAY,
    )
    assert not story.rows("abandonments")
    assert [row["outcome"] for row in story.rows("waits")] == ["callback"]


def test_timeouts_by_journey_and_step() -> None:
    text = DEFAULT_TEXT + (
        '\n[[abandonment.override]]\nkind = "form"\njourney = "loan"\nstep = "income"\ntimeout = "2h"\n'
    )
    policy = parse(text)
    slow = ("form_start", 0, LOAN)
    quick = ("form_start", 1, LOAN | {"step": "name"})
    story = fold(slow, until=hours(1), policy=policy)
    assert not story.rows("abandonments")
    assert only(story.until(hours(3)))["step"] == "income"
    assert only(fold(quick, until=hours(1), policy=policy))["step"] == "name"
    looking = ("step.entered", 0, {"journey": "research", "step": "list"})
    assert not fold(looking, until=6 * DAY).rows("abandonments")
    assert fold(looking, until=8 * DAY).rows("abandonments")


def late(kind: str, at: int, data: Row) -> Story:
    """A form that was given up by time-out, an alert because of it, and then something late."""
    story = fold(
        ("human.requested", 0, {"journey": "loan", "step": "income"}),
        ("form_start", minutes(1), LOAN),
        ("step.failed", minutes(2), LOAN | {"emotion": -0.5, "problem": True}),
        until=DAY,
    )
    return story.tell(kind, at, data)


def test_a_late_completion_recovers_and_changes_no_score() -> None:
    """It came before the time-out and was heard of a day later."""
    before = late("page_view", minutes(4), {"journey": "elsewhere"})
    story = late("form_submit", minutes(5), LOAN)

    def scores(told: Story) -> list[tuple[str, float, float, int]]:
        named = [("", told.jane.sums), *((journey.name, journey.sums) for journey in told.jane.journeys)]
        return [(name, sums.acute, sums.chronic, sums.at) for name, sums in named]

    assert scores(story) == scores(before)
    row = only(story)
    assert (row["recovered_at"], row["inferred"], row["late"]) == (minutes(5), 1, 1)
    assert "recovered" not in [signal for signal, _ in charged(story)]
    (event,) = story.rows("events", late=1)
    assert (event["ver"], event["effort"]) == (0, None)


def test_a_late_completion_resolves_the_alert_that_the_abandonment_raised() -> None:
    text = DEFAULT_TEXT.replace("base = -3.0", "base = -0.4").replace(
        "abandoned_form = 6.0", "abandoned_form = 60"
    )
    story = fold(("form_start", 0, LOAN), until=hours(1), policy=parse(text))
    assert [message["type"] for message in story.desk] == ["candidate.raised"]
    story.tell("form_submit", minutes(5), LOAN)
    raised, completed = story.desk
    assert (completed["type"], completed["id"]) == ("candidate.completed", raised["id"])
    assert completed["ver"] == raised["ver"] + 1
    assert completed["time"] >= raised["time"]
    story.tell("form_submit", minutes(6), LOAN)
    assert len(story.desk) == 2, "resolved once"


def test_a_late_completion_closes_what_is_still_open() -> None:
    text = DEFAULT_TEXT.replace('form = "30min"', 'form = "2d"')
    story = fold(("form_start", 0, LOAN), until=hours(3), policy=parse(text))
    story.tell("form_submit", minutes(5), LOAN).until(5 * DAY)
    assert not story.rows("abandonments")


# Silent abandonment: chat promises an answer within 2 minutes; who comes back within 15 had not gone.
ASKED = ("message.sent", 0, CHAT)


def answered(at: int, about: Row = CHAT) -> Told:
    return ("message.received", at, about)


def test_a_late_answer_and_no_return_is_silent_abandonment() -> None:
    story = fold(ASKED, answered(minutes(10)), until=minutes(26))
    row = only(story)
    assert (row["kind"], row["silent"], row["inferred"], row["wait_s"]) == ("conversation", 1, 1, 600)
    assert (row["time"], row["given_up_at"]) == (0, minutes(10))
    assert charged(story) == [("abandoned_conversation", 8.0)]


def test_no_answer_at_all_is_silent_abandonment() -> None:
    story = fold(ASKED, until=hours(3))
    assert (only(story)["silent"], only(story)["kind"]) == (1, "conversation")
    (wait,) = story.rows("waits")
    assert (wait["outcome"], wait["kind"]) == ("unanswered", "reply")


def test_quiet_after_a_timely_answer_is_nothing() -> None:
    assert not fold(ASKED, answered(minutes(2)), until=10 * DAY).rows("abandonments")


def test_who_comes_back_had_not_gone() -> None:
    back = ("message.sent", minutes(20), CHAT)
    story = fold(ASKED, answered(minutes(10)), back, answered(minutes(21)), until=10 * DAY)
    assert not story.rows("abandonments")


def test_who_comes_back_later_is_recovered() -> None:
    back = ("message.sent", hours(2), CHAT)
    story = fold(ASKED, answered(minutes(10)), back, answered(hours(2) + 1000), until=10 * DAY)
    assert (only(story)["silent"], only(story)["recovered_at"]) == (1, hours(2))


def test_who_asks_again_is_still_there() -> None:
    again = ("message.sent", hours(2), CHAT)
    story = fold(ASKED, again, until=hours(3))
    assert not story.rows("abandonments")
    assert only(story.until(hours(5)))["time"] == 0


def test_who_says_that_he_leaves_is_not_silent() -> None:
    story = fold(ASKED, ("conversation.abandoned", minutes(8), CHAT), until=10 * DAY)
    row = only(story)
    assert (row["kind"], row["silent"], row["inferred"], row["time"]) == ("conversation", 0, 0, 0)
    assert len(charged(story)) == 1


def test_said_after_it_was_inferred_is_the_same_conversation() -> None:
    story = fold(ASKED, until=hours(3))
    inferred = only(story)
    row = only(story.tell("conversation.abandoned", hours(4), CHAT))
    assert (row["fact_id"], row["ver"], row["inferred"]) == (inferred["fact_id"], inferred["ver"] + 1, 0)
    assert len(charged(story)) == 1


def test_left_in_the_queue_is_one_abandonment() -> None:
    story = fold(ASKED, ("conversation.enqueued", 1000, CHAT), until=10 * DAY)
    assert only(story)["kind"] == "queue"


MAIL = {"channel": "email", "case_id": "M-1"}


@pytest.mark.parametrize(
    ("asked", "reply", "silent"),
    [
        # Monday 9 to 17 are eight service hours: the promise. Tuesday's nights and weekends do not count.
        (0, hours(8), False),
        (0, hours(8) + 1, True),
        (hours(7), DAY + hours(7), False),
        (4 * DAY + hours(7), 7 * DAY + hours(7), False),
        (4 * DAY + hours(7), 7 * DAY + hours(7) + 1, True),
    ],
)
def test_mail_is_owed_in_service_hours_only(asked: int, reply: int, silent: bool) -> None:
    story = fold(("email.received", asked, MAIL), ("email.replied", reply, MAIL), until=30 * DAY)
    assert len(story.rows("abandonments", silent=1)) == silent
    (wait,) = story.rows("waits")
    assert wait["seconds"] == pytest.approx(hours(8) / 1000, abs=0.01)


def test_a_ticket_opened_by_telephone_is_answered_like_a_ticket() -> None:
    opened = ("ticket.created", 0, {"channel": "phone", "case_id": "T-9"})
    work = ("ticket.comment_added", hours(5), {"case_id": "T-9", "actor": "company"})
    assert not fold(opened, work, until=30 * DAY).rows("abandonments")
    assert not fold(opened, until=2 * DAY).rows("abandonments"), "a telephone's two minutes do not hold"
    assert only(fold(opened, until=30 * DAY))["channel"] == "ticket"


def test_work_on_a_case_shows_that_nobody_has_given_up() -> None:
    opened = ("ticket.created", 0, {"case_id": "T-9"})
    moved = [("ticket.updated", day * 5 * DAY, {"case_id": "T-9"}) for day in range(1, 5)]
    assert not fold(opened, *moved, until=21 * DAY).rows("abandonments")


def test_two_conversations_begun_at_once_are_two() -> None:
    tickets = [("ticket.created", 0, {"case_id": case}) for case in ("T-1", "T-2")]
    assert len(fold(*tickets, until=30 * DAY).rows("abandonments")) == 2


def test_recovery_counts_from_when_it_was_known() -> None:
    """A step that may take a week, and a ticket solved after more than one, do recover."""
    looking = {"journey": "research", "step": "list"}
    for day, recovered in ((10, 10 * DAY), (15, None)):
        story = fold(("step.entered", 0, looking), until=8 * DAY)
        assert only(story.tell("step.completed", day * DAY, looking))["recovered_at"] == recovered
    ticket = fold(("ticket.created", 0, {"case_id": "T-1"}), until=20 * DAY)
    assert only(ticket.tell("ticket.solved", 21 * DAY, {"case_id": "T-1"}))["recovered_at"] == 21 * DAY
