"""Channel switches and repeats: forced, guided, chosen, ping-pong, and what is neither."""

from __future__ import annotations

from typing import Any

import pytest

from detectors.examples import Story, Told, fold, hours, minutes
from detectors.policy import default

POLICY = default()
DAY = hours(24)
WEB = {"channel": "web", "session_id": "s1", "journey": "order", "step": "pay", "release": "r1"}
CALL = {"channel": "phone", "conversation_id": "c1", "journey": "order"}
CHAT = {"channel": "chat", "conversation_id": "c2", "journey": "order"}
BOT = {"channel": "bot", "conversation_id": "b1", "journey": "order"}
VISIT: Told = ("page_view", 0, WEB)
FAILED: Told = ("step.failed", minutes(1), WEB)
CALLS: Told = ("call.queued", minutes(10), CALL)

SWITCHES = ("switch_forced", "switch_ping_pong", "repeat_contact")


def kinds(story: Story) -> list[str]:
    return [row["kind"] for row in story.rows("channel_switches")]


def charged(story: Story) -> list[tuple[str, str, str]]:
    rows = [row for row in story.rows("signals") if row["signal"] in SWITCHES]
    return [(row["signal"], row["from_step"], row["from_release"]) for row in rows]


def soft(kind: str, at: int) -> Told:
    return (kind, at, WEB)


def test_forced_is_charged_to_the_step_and_release_that_failed() -> None:
    later = WEB | {"step": "help", "release": "r2"}
    story = fold(VISIT, FAILED, ("page_view", minutes(5), later), CALLS)
    assert charged(story) == [("switch_forced", "pay", "r1")]
    (row,) = story.rows("channel_switches")
    assert (row["kind"], row["from_channel"], row["to_channel"]) == ("forced", "web", "phone")
    assert (row["from_step"], row["from_release"], row["step"]) == ("pay", "r1", "")


def test_a_soft_failure_after_a_hard_one_changes_nothing() -> None:
    softer = ("rage_click", minutes(50), WEB | {"step": "help"})
    story = fold(VISIT, FAILED, softer, ("call.queued", minutes(60), CALL))
    assert charged(story) == [("switch_forced", "pay", "r1")]


@pytest.mark.parametrize("kind", ["rage_click", "dead_click", "error_click", "js_error", "form_error"])
def test_soft_failures_force_when_they_pile_up(kind: str) -> None:
    assert kinds(fold(VISIT, soft(kind, 1000), CALLS)) == ["chosen"]
    assert kinds(fold(VISIT, soft(kind, 1000), soft(kind, 2000), CALLS)) == ["forced"]
    apart = (soft(kind, 1000), soft(kind, minutes(40)), ("call.queued", minutes(41), CALL))
    assert kinds(fold(VISIT, *apart)) == ["chosen"]
    stale = (soft(kind, 1000), soft(kind, 2000), ("call.queued", minutes(31), CALL))
    assert kinds(fold(VISIT, *stale)) == ["chosen"]


def test_windows_of_a_hard_failure_and_of_a_switch() -> None:
    assert kinds(fold(VISIT, FAILED, ("call.queued", hours(23), CALL))) == ["forced"]
    assert kinds(fold(VISIT, FAILED, ("call.queued", hours(25), CALL))) == []
    page = ("page_view", hours(24), WEB)
    assert kinds(fold(VISIT, FAILED, page, ("call.queued", hours(26), CALL))) == ["chosen"]


def test_what_was_completed_after_all_forces_nobody() -> None:
    assert kinds(fold(VISIT, FAILED, ("step.completed", minutes(5), WEB), CALLS)) == ["chosen"]


def test_a_failure_forces_once() -> None:
    story = fold(VISIT, FAILED, CALLS, ("conversation.started", minutes(20), CHAT))
    assert kinds(story) == ["forced", "chosen"]


def test_a_caller_whose_journey_is_not_known_was_forced_as_well() -> None:
    call = ("call.queued", minutes(10), {"channel": "phone", "conversation_id": "c1"})
    story = fold(VISIT, FAILED, call)
    assert charged(story) == [("switch_forced", "pay", "r1")]


def test_a_visit_that_began_with_something_else_is_found() -> None:
    home = ("page_view", 0, {"channel": "web", "session_id": "s1"})
    other = ("page_view", minutes(5), WEB | {"journey": "news", "step": "list"})
    story = fold(home, FAILED, other, CALLS)
    assert charged(story) == [("switch_forced", "pay", "r1")]


def test_given_up_on_the_channel_just_before() -> None:
    left = ("form_abandoned", minutes(2), WEB)
    assert charged(fold(VISIT, ("form_start", 1, WEB), left, CALLS)) == [("switch_forced", "pay", "r1")]


@pytest.mark.parametrize(
    "opens", ["step.entered", "form_start", "checkout_step"], ids=["a step", "a form", "a cart"]
)
def test_falling_silent_alone_forces_nobody(opens: str) -> None:
    """Called away, and back on another device or channel when the time-out had passed: nothing failed."""
    began = (opens, 1, WEB)
    for where in (WEB | {"channel": "app", "session_id": "s2"}, CALL):
        back = ("page_view" if where["channel"] == "app" else "call.queued", hours(3), where)
        story = fold(VISIT, began, back)
        assert [row["inferred"] for row in story.rows("abandonments")] == [1]
        assert kinds(story) == ["chosen"]
        assert charged(story) == []
        assert kinds(fold(VISIT, began, ("step.failed", minutes(1), WEB), back)) == ["forced"]


@pytest.mark.parametrize(
    "guide",
    [
        ("channel.suggested", minutes(2), {"to_channel": "phone", "journey": "order"}),
        ("help.offered", minutes(2), {"to_channel": "phone", "journey": "order"}),
        ("channel.suggested", minutes(2), WEB | {"to_channel": "phone", "actor": "company"}),
    ],
)
def test_guided_by_the_company(guide: Told) -> None:
    """It costs nothing, even after a failure, and is no repeat."""
    story = fold(VISIT, FAILED, guide, CALLS)
    assert kinds(story) == ["guided"]
    assert charged(story) == []


def test_guided_elsewhere_is_not_guided_here() -> None:
    guide = ("channel.suggested", minutes(2), {"to_channel": "store", "journey": "order"})
    assert kinds(fold(VISIT, FAILED, guide, CALLS)) == ["forced"]


def test_a_bot_that_hands_over_guides() -> None:
    ended = ("bot.ended", minutes(2), BOT | {"result": "handed_over"})
    told = ("message.sent", minutes(3), CHAT)
    assert kinds(fold(("bot.message", 0, BOT), ended, told)) == ["guided"]
    left = ("bot.ended", minutes(2), BOT | {"result": "left"})
    assert kinds(fold(("bot.message", 0, BOT), left, told)) == ["forced"]


def test_a_menu_that_passes_on_guides_to_no_other_channel() -> None:
    menu = [("ivr.enter", 0, CALL), ("ivr.exit", 1000, CALL | {"result": "queue"})]
    assert kinds(fold(*menu, ("page_view", minutes(9), WEB))) == ["chosen"]


@pytest.mark.parametrize(
    "hop",
    [
        WEB | {"device": "tablet", "session_id": "s2"},
        WEB | {"device": "tablet", "session_id": ""},
        WEB | {"channel": "app", "device": "phone", "session_id": "s3"},
    ],
)
def test_another_device_while_all_is_well_is_chosen_and_free(hop: dict[str, Any]) -> None:
    first = WEB | {"device": "phone", "session_id": "" if not hop["session_id"] else "s1"}
    story = fold(("page_view", 0, first), ("page_view", minutes(3), hop), ("page_view", minutes(4), hop))
    assert kinds(story) == ["chosen"]
    assert story.rows("events")[-1]["effort"] == 0.0
    assert not story.rows("signals")


@pytest.mark.parametrize(
    ("result", "kind"), [("open", "forced"), ("unresolved", "forced"), ("resolved", "chosen"), ("", "chosen")]
)
def test_a_talk_that_leaves_the_matter_open_forces(result: str, kind: str) -> None:
    chat = {"channel": "chat", "journey": "order", "conversation_id": "c2"}
    over = ("call.ended", minutes(5), CALL | ({"result": result} if result else {}))
    assert kinds(fold(("call.queued", 0, CALL), over, ("message.sent", minutes(30), chat))) == [kind]


def test_after_a_purchase_it_is_another_matter() -> None:
    bought = ("purchase", minutes(2), WEB | {"amount": 9.5})
    later = ("page_view", hours(3), WEB | {"channel": "app", "session_id": "s2"})
    assert kinds(fold(VISIT, later)) == ["chosen"]
    assert kinds(fold(VISIT, bought, later)) == []
    failed = ("step.failed", minutes(5), WEB)
    assert kinds(fold(VISIT, bought, failed, later)) == ["forced"], "what failed after it drives them on"
    same_case = [(kind, at, data | {"case_id": "K1"}) for kind, at, data in (VISIT, bought, later)]
    assert kinds(fold(*same_case)) == ["chosen"]


def test_the_same_device_on_the_same_channel_is_no_switch() -> None:
    story = fold(VISIT, ("page_view", hours(3), WEB | {"session_id": "s9"}))
    assert kinds(story) == []


def test_ping_pong() -> None:
    """Driven back to a channel that had been left."""
    again = WEB | {"session_id": "s1"}
    story = fold(
        ("call.queued", 0, CALL),
        ("call.ended", minutes(5), CALL),
        ("page_view", minutes(10), again),
        ("step.failed", minutes(12), again),
        ("call.queued", minutes(15), CALL | {"conversation_id": "c5"}),
    )
    assert kinds(story) == ["chosen", "ping_pong"]
    assert charged(story) == [("switch_ping_pong", "pay", "r1")]
    back = fold(("call.queued", 0, CALL), ("page_view", minutes(9), WEB), ("call.ended", minutes(10), CALL))
    assert kinds(back) == ["chosen"], "both at once is going to and fro by choice"


@pytest.mark.parametrize("fields", [{"alert_id": "a1"}, {"direction": "outbound", "actor": "company"}])
def test_the_companys_contacts_are_neither_switch_nor_repeat(fields: dict[str, Any]) -> None:
    intent = {"intent": "refund", "case_id": "K1"}
    first = ("call.queued", 0, CALL | intent)
    story = fold(
        first, VISIT, FAILED, ("call.connected", hours(2), CALL | intent | fields | {"conversation_id": "c9"})
    )
    assert charged(story) == []
    assert "forced" not in kinds(story)
    assert "repeat" not in kinds(story)


REPEATED = [
    ({"case_id": "K1", "intent": "a"}, {"case_id": "K1", "intent": "b"}, True),
    ({"case_id": "K1", "intent": "a"}, {"case_id": "K2", "intent": "a"}, False),
    ({"case_id": "K1", "intent": "a"}, {"intent": "a"}, True),
    ({"intent": "a"}, {"intent": "a"}, True),
    ({"intent": "a"}, {"intent": "b"}, False),
    ({}, {}, False),
]


@pytest.mark.parametrize(("first", "second", "repeat"), REPEATED)
@pytest.mark.parametrize("kind", ["call.queued", "store.visit"])
def test_repeats(first: dict[str, Any], second: dict[str, Any], repeat: bool, kind: str) -> None:
    """Same case, else same known intent; on the same channel or not."""
    where = (
        CALL | {"conversation_id": "c7"}
        if kind == "call.queued"
        else {"channel": "store", "journey": "order"}
    )
    for days, within in ((6.9, True), (7.1, False)):
        again = (kind, round(days * DAY), where | second)
        story = fold(("call.queued", 0, CALL | first), again)
        rows = story.rows("channel_switches", kind="repeat")
        assert len(rows) == (repeat and within)
        assert len(charged(story)) == (repeat and within)


def test_visits_to_self_service_are_no_repeats() -> None:
    about = {"intent": "a", "case_id": "K"}
    story = fold(("page_view", 0, WEB | about), ("page_view", hours(5), WEB | about | {"session_id": "s2"}))
    assert kinds(story) == []


def test_a_call_after_a_call_that_ended_is_another_one_without_ids_too() -> None:
    about = {"channel": "phone", "intent": "a"}
    story = fold(
        ("call.queued", 0, about), ("call.ended", minutes(5), about), ("call.queued", minutes(9), about)
    )
    assert kinds(story) == ["repeat"]


def test_visits_between_do_not_make_a_contact_forgotten() -> None:
    calls = CALL | {"intent": "a"}
    visits = [("page_view", day * DAY, WEB | {"session_id": f"s{day}"}) for day in range(1, 7)]
    story = fold(
        ("call.queued", 0, calls), *visits, ("call.queued", 6 * DAY + 1, calls | {"conversation_id": "z"})
    )
    assert "repeat" in kinds(story)
    assert len(story.jane.contacts) <= 5


# Waiting and transfers.


def waits(story: Story) -> list[tuple[str, str, float, float]]:
    points = {row["fact_id"]: row["points"] for row in story.rows("signals", signal="waiting")}
    assert len(points) <= len(story.rows("waits"))
    total = sum(points.values())
    return [(row["kind"], row["outcome"], row["seconds"], round(total, 6)) for row in story.rows("waits")]


QUEUED: Told = ("call.queued", 0, CALL)


@pytest.mark.parametrize(("seconds", "points"), [(10, 0), (20, 0), (80, 1), (320, 5), (3_000, 20)])
def test_waiting_counts_by_its_length_up_to_its_cap(seconds: int, points: float) -> None:
    story = fold(QUEUED, ("call.connected", seconds * 1000, CALL), ("call.ended", hours(2), CALL))
    assert waits(story) == [("queue", "answered", seconds, points)]


def test_beyond_the_announced_wait_it_counts_more() -> None:
    told = ("call.queued", 0, CALL | {"announced_wait_s": 60})
    assert waits(fold(told, ("call.connected", 120_000, CALL)))[0][3] == round(100 / 60 + 0.5, 6)
    assert waits(fold(told, ("call.connected", 50_000, CALL)))[0][3] == 0.5


def test_a_wait_is_counted_once_whoever_tells_it() -> None:
    measured = {"wait_s": 80, "talk_s": 300}
    full = fold(QUEUED, ("call.connected", 80_000, CALL | measured), ("call.ended", 380_000, CALL | measured))
    assert waits(full) == [("queue", "answered", 80, 1)]
    untold = fold(("call.connected", 80_000, CALL | measured), ("call.ended", 380_000, CALL | measured))
    assert waits(untold) == [("queue", "answered", 80, 1)]


def test_talk_is_no_waiting_where_nobody_told_of_the_answer() -> None:
    for measured in ({"talk_s": 300}, {"wait_s": 80}):
        story = fold(QUEUED, ("call.ended", 380_000, CALL | measured))
        assert waits(story) == [("queue", "ended", 80, 1)]


def test_the_sources_measure_is_better() -> None:
    story = fold(QUEUED, ("call.connected", 500_000, CALL | {"wait_s": 80}))
    assert waits(story) == [("queue", "answered", 80, 1)]


def test_hold() -> None:
    assert waits(fold(("call.held", minutes(9), CALL | {"wait_s": 80}))) == [("hold", "resumed", 80, 1)]


def test_a_queue_whose_end_was_lost_charges_nobody_and_no_later_call() -> None:
    story = fold(("call.queued", 0, {"channel": "phone"}), until=hours(2))
    story.tell("call.queued", DAY, {"channel": "phone"})
    story.tell("call.connected", DAY + 30_000, {"channel": "phone"})
    assert [(kind, how) for kind, how, _, _ in waits(story)] == [("queue", "lost"), ("queue", "answered")]
    assert story.rows("waits")[1]["seconds"] == 30


def test_an_end_that_is_heard_of_after_all_amends_the_wait() -> None:
    about = {"channel": "phone", "conversation_id": "c"}
    lost = fold(("call.queued", 0, about), until=hours(2))
    (before,) = lost.rows("waits")
    for measured in ({}, {"wait_s": 3 * 3600}):
        story = fold(("call.queued", 0, about), until=hours(2))
        story.tell("call.connected", hours(3), about | measured)
        (row,) = story.rows("waits")
        assert row["fact_id"] == before["fact_id"]
        assert (row["ver"], row["outcome"], row["seconds"]) == (2, "answered", 10_800)
        assert row["time"] == 0


def test_waiting_in_a_chats_queue_is_not_waiting_for_the_reply_as_well() -> None:
    story = fold(
        ("message.sent", 0, CHAT),
        ("conversation.enqueued", 0, CHAT),
        ("conversation.assigned", 320_000, CHAT),
        ("message.received", 330_000, CHAT),
    )
    assert [(kind, seconds) for kind, _, seconds, _ in waits(story)] == [("queue", 320), ("reply", 10)]
    assert sum(row["points"] for row in story.rows("signals")) == 5


@pytest.mark.parametrize(
    ("channel", "asked", "replied", "points"),
    [
        ("chat", 0, minutes(2), 0),
        ("chat", 0, minutes(5), 3),
        ("messaging", 0, hours(1) + minutes(15), 1),
        ("email", 0, DAY, 0),  # eight service hours: in time
        ("email", 0, DAY + hours(3), 3),
        ("email", 4 * DAY + hours(7), 7 * DAY + hours(8), 1),  # a weekend between
        ("email", 0, 6 * DAY, 20),
    ],
)
def test_replies_count_beyond_their_promise(channel: str, asked: int, replied: int, points: float) -> None:
    about = {"channel": channel, "conversation_id": "m"}
    asks, answers = (
        ("email.received", "email.replied") if channel == "email" else ("message.sent", "message.received")
    )
    story = fold((asks, asked, about), (answers, replied, about))
    assert sum(row["points"] for row in story.rows("signals", signal="waiting")) == pytest.approx(points)


def transfers(*whats: str, kind: str = "call.transferred") -> list[str]:
    told = [(kind, number * 1000, CALL | {"kind": what}) for number, what in enumerate(whats)]
    return [row["signal"] for row in fold(*told).rows("signals")]


@pytest.mark.parametrize("kind", ["call.transferred", "conversation.transferred"])
def test_transfers(kind: str) -> None:
    assert transfers("consult", "consult", "consult", kind=kind) == []
    assert transfers("warm", kind=kind) == []
    assert transfers("blind", kind=kind) == ["transfer_blind"]
    assert transfers("warm", "consult", "warm", kind=kind) == ["transfer_repeated"]
    assert transfers("blind", "blind", kind=kind) == ["transfer_blind", "transfer_blind", "transfer_repeated"]


def test_who_was_answered_at_once_waited_for_nothing_and_counts() -> None:
    """Service level is answered within T of all: those without any wait are among them."""
    story = fold(
        ("call.connected", 1_000, CALL | {"wait_s": 0}), ("call.ended", 60_000, CALL | {"wait_s": 0})
    )
    (row,) = story.rows("waits")
    assert (row["kind"], row["outcome"], row["seconds"]) == ("queue", "answered", 0.0)
    assert story.rows("signals") == []
    assert fold(("call.connected", 1_000, CALL)).rows("waits") == []
