"""Silent abandonment as a probability: what speaks for it, what against, and what is kept for it."""

from __future__ import annotations

from typing import Any

import pytest

from detectors.durations import MINUTE
from detectors.examples import Story, Told, fold, hours, minutes
from detectors.packed import pack, unpack
from detectors.policy import DEFAULT_TEXT, Policy, PolicyError, default, parse

CHAT = {"channel": "chat", "conversation_id": "c1", "journey": "order"}
MAIL = {"channel": "email", "case_id": "M-1", "journey": "order"}
DAY = hours(24)
SECTION = DEFAULT_TEXT[DEFAULT_TEXT.index("[silence]") : DEFAULT_TEXT.index("[channels]")]

Row = dict[str, Any]


def opened(**weights: float) -> Policy:
    """The default policy under which every silence is told, with other weights."""
    policy = default()
    policy.silence.line = 0.0
    for name, value in weights.items():
        setattr(policy.silence, name, value)
    return policy


def only(story: Story) -> Row:
    (row,) = story.rows("abandonments", kind="conversation")
    return row


def likely(*told: Told, until: int = 40 * DAY, **weights: float) -> float:
    """The probability of the one conversation that fell silent."""
    return float(only(fold(*told, until=until, policy=opened(**weights)))["probability"])


def asked(at: float = 0, about: Row = CHAT) -> Told:
    return ("message.sent" if about is CHAT else "email.received", minutes(at), about)


def answered(at: float, about: Row = CHAT) -> Told:
    return ("message.received" if about is CHAT else "email.replied", minutes(at), about)


def closed(at: float, result: str = "open") -> Told:
    return ("conversation.ended", minutes(at), CHAT | {"result": result})


class TestWhatSpeaksForIt:
    def test_a_longer_wait_a_late_answer_and_none_at_all(self) -> None:
        found = [likely(asked(), *answer) for answer in ([answered(1)], [answered(4)], [answered(9)], [])]
        assert found == sorted(found)
        assert found[0] < 0.2 < 0.5 < found[1] < found[2] < 0.8 < found[3]

    def test_the_promise_is_of_the_channel(self) -> None:
        assert likely(asked(about=MAIL), answered(60, MAIL)) < 0.1 < 0.9 < likely(asked(), answered(60))

    def test_nights_and_weekends_are_waits_too(self) -> None:
        monday, friday = 0, 4 * 24 * 60 + 7 * 60
        within = likely(asked(monday, MAIL), answered(monday + 120, MAIL))
        over = likely(asked(friday, MAIL), answered(friday + 120 + 64 * 60, MAIL))
        assert within < over < 0.5, "in time it is unknown all the same"

    def test_an_open_question(self) -> None:
        """Who had spoken with somebody is answered at the end; who had not has said the last word."""
        told = [asked(), answered(1), asked(2), answered(7)]
        assert likely(*told) < likely(asked(2), answered(7))

    def test_turning_elsewhere_meanwhile(self) -> None:
        call = ("ivr.enter", minutes(30), {"channel": "phone", "journey": "order", "conversation_id": "p"})
        other = ("ivr.enter", minutes(30), {"channel": "phone", "journey": "loan", "conversation_id": "p"})
        after = ("ivr.enter", minutes(90), {"channel": "phone", "journey": "order", "conversation_id": "p"})
        plain = likely(asked(0, MAIL), answered(60, MAIL))
        assert likely(asked(0, MAIL), call, answered(60, MAIL)) > 0.5 > plain
        assert likely(asked(0, MAIL), other, answered(60, MAIL)) == plain, "that was about something else"
        assert likely(asked(0, MAIL), answered(60, MAIL), after) == plain, "the answer had come"

    def test_a_step_that_the_policy_names(self) -> None:
        steps = opened()
        steps.silence.steps = {"*/pay": 1.0, "order/sign": -1.0}
        found = [
            only(fold(("message.sent", 0, CHAT | {"step": step}), answered(9), until=DAY, policy=steps))[
                "probability"
            ]
            for step in ("sign", "look", "pay")
        ]
        assert found == sorted(found)
        assert len(set(found)) == 3


class TestHowItEnded:
    def test_closed_after_the_last_word_is_the_end_of_a_talk(self) -> None:
        assert likely(asked(), answered(4), closed(4.5)) < 0.2 < 0.5 < likely(asked(), answered(4))

    def test_closed_because_nobody_said_anything_more(self) -> None:
        """Left while still in the queue: the answer came in time for who took over, to nobody."""
        taken = ("conversation.assigned", minutes(6), CHAT | {"wait_s": 359})
        queued = ("conversation.enqueued", 1000, CHAT)
        story = fold(asked(), queued, taken, answered(6.3), closed(16.3, "no_answer"), until=DAY)
        row = only(story)
        assert (row["silent"], row["inferred"]) == (1, 1)
        assert (row["time"], row["given_up_at"]) == (minutes(6), minutes(6.3))
        assert row["probability"] > 0.9
        there = [asked(7), answered(7.5), closed(8)]
        assert not fold(asked(), queued, taken, answered(6.3), *there, until=DAY).rows("abandonments")

    def test_settled_is_settled(self) -> None:
        story = fold(asked(), answered(9), closed(20, "resolved"), until=DAY, policy=opened())
        assert not story.rows("abandonments")

    def test_how_long_they_usually_take(self) -> None:
        """Ten minutes of silence are nothing of who answers every ten minutes."""
        slow = [told for turn in range(0, 80, 10) for told in (asked(turn), answered(turn + 0.5))]
        quick = [told for turn in range(72, 80) for told in (asked(turn), answered(turn + 0.5))]
        assert fold(*slow).jane.reply_gap > 500
        assert fold(*quick).jane.reply_gap == 30
        slowly = likely(*slow, asked(80), answered(83), closed(93))
        quickly = likely(*quick, asked(80), answered(83), closed(93))
        assert slowly < 0.5 < quickly

    def test_the_usual_gap_is_of_channels_that_answer_at_once(self) -> None:
        assert fold(asked(0, MAIL), answered(60, MAIL), asked(90, MAIL)).jane.reply_gap == 0
        assert fold(asked(), answered(1), asked(200)).jane.reply_gap == 0, "that was another day"


class TestTheLine:
    def test_below_it_nothing_is_told_and_nothing_charged(self) -> None:
        story = fold(asked(), answered(1), until=DAY)
        assert not story.rows("abandonments")
        assert not story.rows("signals")

    def test_it_is_the_policys(self) -> None:
        told = [asked(), answered(9)]
        strict = parse(DEFAULT_TEXT.replace("line = 0.5                  # from this prob", "line = 0.9 # "))
        assert only(fold(*told, until=DAY))["silent"] == 1
        assert not fold(*told, until=DAY, policy=strict).rows("abandonments")

    def test_only_silent_ones_have_a_probability(self) -> None:
        form = ("form_start", 0, {"journey": "loan", "step": "income"})
        said = ("conversation.abandoned", minutes(8), CHAT)
        rows = fold(form, asked(), said, until=DAY).rows("abandonments")
        assert [row["probability"] for row in rows] == [None, None]

    def test_a_policy_without_the_section_has_the_built_in_one(self) -> None:
        plain = parse(DEFAULT_TEXT.replace(SECTION, ""))
        assert plain.silence == default().silence
        rows = [
            fold(asked(), answered(9), until=DAY, policy=one).rows("abandonments") for one in (None, plain)
        ]
        assert rows[0] == rows[1]

    def test_a_slip_is_named(self) -> None:
        with pytest.raises(PolicyError, match=r"silence\.elswhere"):
            parse(DEFAULT_TEXT.replace("\nelsewhere = ", "\nelswhere = "))
        with pytest.raises(PolicyError, match=r"silence\.gap"):
            parse(DEFAULT_TEXT.replace('\ngap = "1min"', '\ngap = "0s"'))


class TestWhatIsKept:
    def test_who_comes_back_is_recovered_and_what_was_said_stays(self) -> None:
        told = [asked(), answered(9)]
        first = only(fold(*told, until=hours(1)))
        row = only(fold(*told, asked(120), until=hours(3)))
        kept = ["where", "wait_s", "short", "silent", "given_up_at", "probability"]
        assert (row["ver"], row["recovered_at"]) == (2, hours(2))
        assert {name: row[name] for name in kept} == {name: first[name] for name in kept}
        assert row["wait_s"] == 9 * 60

    def test_so_does_what_was_said_of_any_other(self) -> None:
        cart = {"journey": "order", "step": "pay", "channel": "web", "session_id": "s"}
        left = ("journey.abandoned", minutes(5), cart | {"where": "cart"})
        story = fold(("checkout_step", 0, cart), left, ("purchase", hours(1), cart))
        (row,) = story.rows("abandonments")
        assert (row["ver"], row["recovered_at"], row["where"]) == (2, hours(1), "cart")
        assert (row["wait_s"], row["probability"]) == (300, None)

    def test_a_record_keeps_it(self) -> None:
        told = [asked(), answered(1), asked(3), answered(9)]
        for story in (fold(*told), fold(*told, closed(11)), fold(*told, until=hours(1))):
            jane = story.jane
            again = unpack(pack(jane))
            assert pack(again) == pack(jane)
            assert again.reply_gap == jane.reply_gap == 120
            found = [(one.asked, one.spoke, one.ended) for one in again.owed]
            assert found == [(one.asked, one.spoke, one.ended) for one in jane.owed]
            assert [one.told for one in again.attempts] == [one.told for one in jane.attempts]

    def test_who_was_answered_in_time_makes_room_first(self) -> None:
        chats = [CHAT | {"conversation_id": f"c{number}"} for number in range(4)]
        told: list[Told] = [("message.sent", number, chat) for number, chat in enumerate(chats[:3])]
        told += [("message.received", minutes(1), chats[2]), ("message.sent", minutes(2), chats[3])]
        story = fold(*told, until=minutes(5))
        assert [one.replied for one in story.jane.owed] == [0, 0, 0]
        assert story.jane.owed[0].due < hours(3) + story.jane.owed[0].since
        assert story.jane.owed[-1].since - story.jane.owed[0].since == 2 * MINUTE
