"""From counts to a recommendation: the policy's table is the prior, and history must say more than chance."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors import channel_fit
from detectors.channel_fit import Settles, best
from detectors.examples import fold
from detectors.policy import DEFAULT_TEXT, PolicyError, parse
from detectors.state import Contact
from streams.calibrate import run
from streams.calibrate.text import with_section
from streams.channels.calibrate import MINIMUM, section
from streams.channels.fit import MOST_INTENTS, REST, WEIGHT, Fit, fit, prior
from streams.channels.history import Settled, Visit
from streams.errors import OperationError
from tests.channels.histories import DAY, call, history, request, written

TABLE = {"technical_help": ["chat", "phone", "messaging"], "*": ["phone", "chat", "email"]}


def contacts(channel: str, yes: int, no: int, intent: str = "technical_help") -> list[Settled]:
    """So many contacts that settled it and did not, of a customer each."""
    found = []
    for number in range(yes + no):
        who = f"{intent}-{channel}-{number}"
        contact = Contact(channel, "", "help", intent, 0, 0, number, number)
        found.append(Settled(Visit(who, contact), number < yes))
    return found


def one(rows: list[Settled], channel: str = "phone") -> Fit:
    return fit(rows, TABLE, MINIMUM)["technical_help"][channel]


def test_few_contacts_stay_near_the_table_and_many_are_what_they_are() -> None:
    anchor = contacts("chat", 300, 300)
    few, some, many = (one(anchor + contacts("phone", 9 * n, n)) for n in (3, 10, 1_000))
    for found in (few, some, many):
        assert found.prior < found.settled < 0.9
        assert found.low < found.settled < found.high
    assert few.settled < some.settled < many.settled
    assert many.settled == pytest.approx(0.9, abs=0.002)
    # The prior weighs as so many contacts.
    assert few.settled == pytest.approx((WEIGHT * few.prior + 27) / (WEIGHT + 30))
    assert few.high - few.low > many.high - many.low


def test_the_prior_goes_by_rank_and_those_outside_the_table_come_last() -> None:
    found = [prior(0.5, TABLE["technical_help"], name) for name in ("chat", "phone", "messaging", "email")]
    assert found == sorted(found, reverse=True)
    assert found[1] == 0.5


def test_contacts_of_few_people_are_fewer_witnesses() -> None:
    anchor = contacts("chat", 300, 300)
    apart = one(anchor + contacts("phone", 80, 40))
    # All of a person's contacts end alike here: three of them are one.
    assert apart.design == 1.0
    same = [Settled(_as(row, f"p{n // 3}"), n < 80) for n, row in enumerate(contacts("phone", 80, 40))]
    clustered = one(anchor + same)
    assert clustered.design == pytest.approx(3.0, abs=0.1)
    assert clustered.high - clustered.low > 1.5 * (apart.high - apart.low)
    assert clustered.customers == 40


def _as(row: Settled, customer: str) -> Visit:
    return Visit(customer, Contact(row.channel, "", "help", row.intent, 0, 0, row.start, row.start))


def test_history_decides_where_it_says_more_than_chance_and_else_the_table(tmp_path: Path) -> None:
    """The table has chat before phone; phones settle 95 % and chats 40 %, or both the same."""
    asks = ("human.requested", 0, {"channel": "web", "intent": "technical_help", "first_time": True})
    told = {}
    for name, phone, chats in (("apart", 0.95, 0.4), ("same", 0.7, 0.7)):
        path = written(tmp_path / f"{name}.jsonl", history(240, phone, chats))
        out = tmp_path / f"{name}.toml"
        report = run(request("channels", out, path))
        policy = parse(out.read_text())
        brief = fold(asks, asks, policy=policy).desk[-1]["data"]
        told[name] = (brief["recommended_channel"], brief["recommended_by"])
        assert json.loads(out.with_suffix(".json").read_text())["intents"] == json.loads(
            json.dumps(report["intents"])
        )
    assert told == {"apart": ("phone", "history"), "same": ("chat", "policy")}
    policy = parse((tmp_path / "apart.toml").read_text())
    # What just failed is not recommended, whatever history says, nor is it against what the customer prefers.
    missed = ("callback.missed", 0, {"channel": "phone", "intent": "technical_help", "first_time": True})
    brief = fold(missed, (asks[0], 1, asks[2]), policy=policy).desk[-1]["data"]
    assert (brief["recommended_channel"], brief["recommended_by"]) == ("chat", "policy")
    wish = (asks[0], 0, asks[2] | {"prefers": "chat"})
    brief = fold(wish, wish, policy=policy).desk[-1]["data"]
    assert (brief["recommended_channel"], brief["recommended_by"]) == ("chat", "policy")


def test_none_open_is_said_as_such() -> None:
    closed = parse(
        DEFAULT_TEXT.replace('technical_help = ["chat", "phone", "messaging"]', "technical_help = []")
    )
    about = {"channel": "web", "intent": "technical_help", "first_time": True}
    only = parse(closed.text.replace('"*" = ["phone", "chat", "messaging", "email"]', '"*" = ["email"]'))
    asks = [("human.requested", at, about) for at in (9 * 3_600_000, 9 * 3_600_000 + 1)]
    brief = fold(*asks, policy=only).desk[-1]["data"]
    assert (brief["recommended_channel"], brief["recommended_by"]) == ("", "")


def test_the_base_stays_as_it_was_and_the_section_says_only_what_may_be_recommended(tmp_path: Path) -> None:
    path = written(tmp_path / "events.jsonl", history(200, 0.8, 0.6))
    out = tmp_path / "out.toml"
    report = run(request("channels", out, path))
    text = out.read_text()
    assert {
        key: value for key, value in tomllib.loads(text).items() if key != "channel_fit"
    } == tomllib.loads(DEFAULT_TEXT)
    named = tomllib.loads(text)["channel_fit"]["intents"]["technical_help"]
    assert set(named) == {"phone", "chat"}
    assert (
        named["chat"]["contacts"]
        == report["intents"]["technical_help"]["channels"]["chat"]["contacts"]
        == 100
    )
    assert "people choose channels for a reason" in report["words"][-1]
    # Again on its own result: replaced, not repeated.
    again = tmp_path / "again.toml"
    run(request("channels", again, path, base=out))
    assert again.read_text() == text


def test_what_was_kept_apart_is_only_told(tmp_path: Path) -> None:
    first, second = history(200, 0.9, 0.5), history(200, 0.5, 0.9, begin=30 * DAY)
    path = written(tmp_path / "first.jsonl", first)
    alone = run(request("channels", tmp_path / "first.toml", path))
    both = written(tmp_path / "both.jsonl", sorted(first + second))
    split = first[0].time + 29 * DAY
    report = run(request("channels", tmp_path / "both.toml", both, holdout=split))
    assert report["fitted"] == alone["fitted"]
    phones = report["intents"]["technical_help"]["channels"]["phone"]
    assert phones["later_contacts"] > 100
    assert phones["later_settled"] < phones["raw"]
    assert phones["raw"] == alone["intents"]["technical_help"]["channels"]["phone"]["raw"]


def test_many_intents_fit_into_a_policy() -> None:
    rows: list[Settled] = []
    for number in range(90):
        for channel in ("phone", "chat", "email", "messaging", "store"):
            rows += contacts(channel, 40 + number % 9, 11, f"an intent with a long name, number {number}")
    table = parse(DEFAULT_TEXT)
    found = fit(rows, table.document.channels, MINIMUM)
    assert len(found) == MOST_INTENTS + 1
    assert REST in found
    policy = parse(with_section(DEFAULT_TEXT, "channel_fit", section(found, table)))
    assert len(policy.channel_fit) == MOST_INTENTS + 1


def test_too_short_a_history_is_one_line(tmp_path: Path) -> None:
    path = written(tmp_path / "events.jsonl", call("ann", 0))
    with pytest.raises(OperationError, match="no contact has 168 hours of history behind it"):
        run(request("channels", tmp_path / "out.toml", path))


@given(
    st.lists(
        st.tuples(st.sampled_from(["phone", "chat", "email", "store"]), st.floats(0, 1), st.floats(0, 0.3)),
        unique_by=lambda row: row[0],
    ),
    st.sets(st.sampled_from(["phone", "chat", "email", "store"])),
)
def test_the_best_is_able_and_above_every_other_one(
    rows: list[tuple[str, float, float]], able: set[str]
) -> None:
    known = [Settles(name, share, max(0, share - half), min(1, share + half)) for name, share, half in rows]
    known.sort(key=lambda row: -row.share)
    found = best(known, sorted(able))
    mine = [row for row in known if row.channel in able]
    first = [row for row in mine if all(row is other or row.low > other.high for other in mine)]
    assert [found] == ([row.channel for row in first] if len(mine) > 1 and first else [""])


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("phon = {contacts=9,settled=0.5,low=0.4,high=0.6}", "channel_fit.intents.cancel.phon"),
        ("phone = {contacts=9,settled=0.7,low=0.4,high=0.6}", "channel_fit.intents.cancel.phone"),
        ("phone = {contacts=9,settled=1.7,low=0.4,high=0.6}", "settled"),
    ],
)
def test_a_wrong_section_is_named(text: str, key: str) -> None:
    with pytest.raises(PolicyError) as error:
        parse(f"{DEFAULT_TEXT}\n[channel_fit.intents.cancel]\n{text}\n")
    assert key in error.value.key
    assert channel_fit.made(parse(DEFAULT_TEXT).document.channel_fit) == {}
