"""Sections for targets: additive on every scored row, in force where they are live, and checked."""

from __future__ import annotations

import json
import math
import random
from typing import Any

import pytest

from detectors.examples import MONDAY, Story, Told, fold, minutes
from detectors.feature_names import FEATURES, LABELS, NUMBERS
from detectors.moment import Findings
from detectors.need import logistic
from detectors.policy import DEFAULT_TEXT, Policy, PolicyError, default, parse
from detectors.tables import TABLES
from detectors.targets import factors, logit
from detectors.vocabulary import TYPES
from tests.detectors.stories import (
    LATENESS,
    arrivals,
    canonical,
    differences,
    final,
    folded,
    log_fold,
    random_story,
    sent,
    tick,
)
from tests.detectors.watching import ENDS, SECTION, bank_day, watch

NEED = TABLES["events"].names.index("human_need")
TYPE = TABLES["events"].names.index("type")
EVENT = TABLES["events"].names.index("event_id")
CALL: dict[str, Any] = {"channel": "phone", "conversation_id": "c1", "journey": "order", "wait_s": 200}
GIVEN_UP: list[Told] = [
    ("call.queued", 0, CALL),
    ("call.abandoned", minutes(4), CALL | {"where": "queue"}),
]


def policy(section: str = SECTION, live: bool = True) -> Policy:
    return parse(DEFAULT_TEXT + section.replace("LIVE", "true" if live else "false"))


def needs(out: Findings) -> dict[str, float]:
    """Human need of every scored event by its id."""
    return {str(row[EVENT]): float(str(row[NEED])) for row in out.rows["events"]}


def test_factors_add_up_on_every_scored_row() -> None:
    """Of a day of the bank, at every event, whether the section was fitted to it or not."""
    shown = policy().shows("recontact")
    out = watch(bank_day(), shown, frozenset(TYPES))
    target = shown.targets["recontact"]
    used: set[str] = set()
    found = needs(out)
    assert len(out.watched) == len(found) > 6_500
    for one in out.watched:
        told = factors(target, one.numbers, one.labels)
        used |= {name for name, _ in told}
        total = target.base + sum(value for _, value in told)
        assert total == pytest.approx(logit(target, one.numbers, one.labels), abs=1e-12)
        assert one.human_need == pytest.approx(1 / (1 + math.exp(-total)), abs=1e-12)
        assert one.human_need == found[one.e.id]
    pairs = {"outcome x since_contact", "wait_s x talk_s"}
    assert used == {"wait_s", "since_contact", "contacts_8h", "hour", "outcome", "queue", *pairs}
    assert len(set(found.values())) > 100


def test_it_is_human_need_where_it_is_live_and_nowhere_else() -> None:
    plain = watch(bank_day(), default())
    live = watch(bank_day(), policy())
    before, after = needs(plain), needs(live)
    idle = watch(bank_day()[:2_000], policy(live=False))
    assert needs(idle) == {ident: before[ident] for ident in needs(idle)}
    raised = {message["id"] for message in plain.desk}
    assert {message["id"] for message in idle.desk} <= raised
    assert idle.desk
    for row in live.rows["events"]:
        ident, kind = str(row[EVENT]), row[TYPE]
        assert (after[ident] != before[ident]) == (kind in ENDS), kind
    target = policy().targets["recontact"]
    for one in live.watched:
        assert one.human_need == logistic(logit(target, one.numbers, one.labels))
    # What was known does not depend on what is made of it.
    for one, other in zip(plain.watched, live.watched, strict=True):
        assert [value.hex() for value in one.numbers] == [value.hex() for value in other.numbers]
        assert one.labels == other.labels


def test_an_alert_names_the_section_its_base_and_its_factors() -> None:
    section = SECTION.replace("base = -1.7613", "base = -0.5")
    story = fold(*GIVEN_UP, policy=policy(section))
    (message,) = story.desk
    brief = message["data"]
    assert (brief["target"], brief["base"]) == ("recontact", -0.5)
    told = {entry["factor"]: entry["log_odds"] for entry in brief["factors"]}
    # The first contact there was: what came before it is missing.
    expected = {"wait_s": 0.7, "since_contact": -0.35, "outcome": 1.2, "queue": -0.1}
    assert told == expected | {"outcome x since_contact": -0.15}
    assert brief["human_need"] == pytest.approx(logistic(-0.5 + sum(told.values())), abs=1e-12)
    assert brief["level"] == "offer_human"


def test_an_alert_of_the_rest_is_of_the_need_section() -> None:
    asks: Told = ("human.requested", minutes(9), {"journey": "order", "first_time": True, "problem": True})
    (message,) = fold(asks, policy=policy()).desk
    assert (message["data"]["target"], message["data"]["base"]) == ("", -3.0)


def test_without_the_section_a_policy_shows_what_it_had() -> None:
    plain = default()
    assert plain.shows("recontact") is plain
    assert plain.targets == plain.live == {}
    shown = policy(live=False).shows("recontact")
    assert shown.target("page_view") is shown.shown is not None
    assert shown.text == policy(live=False).text


def test_an_answer_is_scored_by_its_own_section_from_what_was_before_it() -> None:
    section = """
[targets.survey]
target = "survey"
events = ["survey.response"]
live = true
base = -1.0
[targets.survey.numbers.effort]
edges = [20.0]
log_odds = [0.0, 1.5]
"""
    told: list[Told] = [*GIVEN_UP, ("survey.response", minutes(5), {"journey": "order", "score": 2})]
    rows = fold(*told, policy=policy(section)).rows("events")
    assert rows[-1]["human_need"] == pytest.approx(logistic(0.5))
    assert needs(fold(*told, policy=policy(section)).out) != needs(fold(*told).out)


def test_watched_once_in_whatever_order_it_comes() -> None:
    """An event that takes its place before others is watched; those are not once more."""
    calls = [(at * 10.0, "phone", kind, CALL | {"conversation_id": f"c{at}"}) for at in range(4)
             for kind in ("call.queued", "call.abandoned")]  # fmt: skip
    records = canonical(sent([("ann", 0, calls)]))
    log, out = log_fold(policy()), Findings(ENDS)
    mixed = [records[place] for place in (0, 1, 4, 5, 2, 3, 7, 6)]
    for offset, one in enumerate(mixed):
        assert log.record(one.raw, one.time, offset, out) == "event"
    assert log.fold.counts.reordered == 3
    assert [one.e.id for one in out.watched] == ["0.1", "0.5", "0.3", "0.7"]
    # The one that came late knows of the first alone, as if it had come in time.
    contacts = [one.numbers[NUMBERS["contacts"]] for one in out.watched]
    assert contacts[:3] == [0.0, 1.0, 1.0]
    clean, _ = folded(records, policy())
    assert not clean.watched


@pytest.mark.parametrize("seed", range(6))
def test_in_any_order_and_restarted_anywhere_the_scores_are_the_same(seed: int) -> None:
    """A section that is live at everything, on stories of every type."""
    everything = json.dumps(sorted(TYPES))
    section = SECTION.replace('["call.ended", "call.abandoned"]', everything)
    rng, given = random.Random(seed), policy(section)
    records = sent((name, 0.0, random_story(rng, 30, 20.0)) for name in ("ann", "bob"))
    ticks = [tick(MONDAY + minutes(at)) for at in (0, 20, 100)]
    mixed = arrivals(records, ticks, lambda: rng.randrange(LATENESS), lambda: rng.random() < 0.1)
    ordered, _ = folded(canonical([*records, *ticks]), given)
    found, log = folded(mixed, given, restart=lambda: rng.random() < 0.1)
    assert log.fold.counts.late == 0
    assert differences(final(found), final(ordered)) == []


def test_watching_an_event_that_cannot_be_folded_tells_nothing_of_it() -> None:
    out = Findings(ENDS)
    story = Story()
    story.out = out
    story.tell("call.abandoned", 0, CALL)
    (seen,) = out.watched
    out.take_back(seen.e.offset)
    assert not out.watched
    assert not out.rows["events"]


HEAD = """
[targets.recontact]
target = "recontact=3600"
events = ["call.ended"]
base = 0.0
"""
NUMBER = HEAD + "[targets.recontact.numbers.wait_s]\n"
LABEL = HEAD + "[targets.recontact.labels.outcome]\n"
PAIR = HEAD + '[[targets.recontact.pairs]]\nfeatures = ["wait_s", "outcome"]\n'
FIRST, SECOND = "first = { edges = [1.0] }\n", 'second = { labels = ["served"] }\n'
WRONG: dict[str, tuple[str, str]] = {
    "an unknown target": (HEAD.replace("recontact]", "recontct]"), "targets.recontct: .*mean recontact"),
    "no event": (HEAD.replace('["call.ended"]', "[]"), "targets.recontact.events: found none"),
    "an unknown event": (HEAD.replace("call.ended", "call.endet"), "did you mean call.ended"),
    "an unknown key": (HEAD + "lives = true\n", r"targets.recontact.lives: .*did you mean live\?"),
    "an unknown feature": (
        NUMBER.replace("wait_s", "wait") + "edges = [1.0]\nlog_odds = [0.0, 0.0]\n",
        r"numbers.wait: found an unknown feature; expected a feature \(did you mean wait_s\?\)",
    ),
    "a label as a number": (
        NUMBER.replace("wait_s", "outcome") + "edges = [1.0]\nlog_odds = [0.0, 0.0]\n",
        "numbers.outcome: found a label; expected it under labels",
    ),
    "what is known at the end": (
        NUMBER.replace("wait_s", "resolved_at") + "edges = [1.0]\nlog_odds = [0.0, 0.0]\n",
        "numbers.resolved_at: found what is known at the end only",
    ),
    "made_sla": (
        LABEL.replace("outcome", "made_sla") + "log_odds = { true = 1.0 }\n",
        "labels.made_sla: found what is known at the end only",
    ),
    "edges that fall": (
        NUMBER + "edges = [1.0, 3.0, 2.0]\nlog_odds = [0.0, 0.0, 0.0, 0.0]\n",
        "wait_s.edges: found 2.0 after 3.0; expected edges that ascend",
    ),
    "no edge": (NUMBER + "edges = []\nlog_odds = [0.0]\n", "wait_s.edges: found none"),
    "an edge that is no number": (NUMBER + "edges = [nan]\nlog_odds = [0.0, 1.0]\n", "edges: found nan"),
    "too few log-odds": (
        NUMBER + "edges = [1.0, 3.0]\nlog_odds = [0.0, 0.0]\n",
        r"wait_s.log_odds: found 2 numbers; expected 3 \(one more than edges\)",
    ),
    "log-odds without end": (NUMBER + "edges = [1.0]\nlog_odds = [0.0, inf]\n", "log_odds: found inf"),
    "what is missing is no number": (
        NUMBER + "edges = [1.0]\nlog_odds = [0.0, 0.0]\nmissing = nan\n",
        "wait_s.missing: found nan",
    ),
    "a protected attribute": (
        LABEL.replace("outcome", "priority") + "log_odds = { a = 1.0 }\n",
        "labels.priority: found a protected attribute; expected none, or `protected = true`",
    ),
    "a protected attribute in a pair": (
        PAIR.replace("outcome", "segment") + FIRST + SECOND + "log_odds = [[0.0, 0.0], [0.0, 0.0]]\n",
        r"pairs\[0\].features: found a protected attribute",
    ),
    "too few rows": (
        PAIR + FIRST + SECOND + "log_odds = [[0.0, 0.0]]\n",
        r"pairs\[0\].log_odds: found 1 rows; expected 2: one a bin of first",
    ),
    "too few columns": (
        PAIR + FIRST + SECOND + "log_odds = [[0.0, 0.0], [0.0]]\n",
        r"pairs\[0\].log_odds: found 1 numbers; expected 2 \(in each row",
    ),
    "edges of a label": (
        PAIR + FIRST + FIRST.replace("first", "second") + "log_odds = [[0.0, 0.0], [0.0, 0.0]]\n",
        r"pairs\[0\].second: found edges of outcome",
    ),
    "neither edges nor labels": (
        PAIR + "first = {}\n" + SECOND + "log_odds = [[0.0, 0.0], [0.0, 0.0]]\n",
        r"pairs\[0\].first: found both or neither",
    ),
    "one feature": (
        PAIR.replace('"outcome"', '"wait_s"') + FIRST + FIRST.replace("first", "second") + "log_odds = []\n",
        r"pairs\[0\].features: found one feature twice",
    ),
    "two sections live at one event": (
        (HEAD + "live = true\n") + (HEAD + "live = true\n").replace("recontact", "survey"),
        "targets.survey.events: found call.ended, at which targets.recontact is live, too",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_named_in_one_line(name: str) -> None:
    section, message = WRONG[name]
    with pytest.raises(PolicyError, match=message) as caught:
        parse(DEFAULT_TEXT + section)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250


def test_a_protected_attribute_may_be_used_where_the_section_says_so() -> None:
    section = HEAD + "protected = true\n" + LABEL[len(HEAD) :].replace("outcome", "priority")
    target = parse(DEFAULT_TEXT + section + "log_odds = { high = 1.0 }\n").targets["recontact"]
    labels = [""] * len(LABELS)
    labels[LABELS["priority"]] = "high"
    assert logit(target, [math.nan] * len(NUMBERS), labels) == 1.0


def test_a_section_may_name_every_feature_that_is_not_protected() -> None:
    """And each value of it, as JSON is TOML here."""
    parts = [HEAD]
    for one in FEATURES:
        if one.protected:
            continue
        said = "edges = [0.0]\nlog_odds = [-1.0, 1.0]" if one.kind == "number" else "log_odds = { a = 1.0 }"
        parts.append(f"[targets.recontact.{one.kind}s.{one.name}]\n{said}\n")
    target = parse(DEFAULT_TEXT + "".join(parts)).targets["recontact"]
    assert target.numbers == list(range(len(NUMBERS)))
    zeros, ones = [0.0] * len(NUMBERS), ["a"] * len(LABELS)
    assert logit(target, zeros, ones) == len(NUMBERS) + len(LABELS) - 3
    assert json.dumps(factors(target, zeros, ones)[0]) == '["wait_s", 1.0]'


def test_a_row_of_many_fractions_is_no_key_of_many_parts() -> None:
    edges = [float(edge) for edge in range(200)]
    section = f"{NUMBER}edges = {edges}\nlog_odds = {[edge / 8 for edge in range(201)]}\n"
    target = parse(DEFAULT_TEXT + section).targets["recontact"]
    numbers = [math.nan] * len(NUMBERS)
    numbers[NUMBERS["wait_s"]] = 120.0
    assert logit(target, numbers, [""] * len(LABELS)) == 121 / 8
    for part in ("a", "1", "1a", '"1"'):
        with pytest.raises(PolicyError, match="a line of many dots"):
            parse(DEFAULT_TEXT + ".".join([part] * 400) + " = 1\n")
