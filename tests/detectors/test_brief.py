"""The brief: every field of the contract, what fits, and what is always asked anew."""

from __future__ import annotations

import json

import pytest

from detectors.circumstances import may_skip
from detectors.examples import MONDAY, fold, hours, minutes
from detectors.policy import DEFAULT_TEXT, parse
from tests.detectors.test_need import CALL, POLICY, STRESS, WEB, again

CONTRACT = frozenset(
    """alert_id tenant team level customer customer_ref refs links journey step intent language effort
    effort_customer ces human_need cause contributions factors tried do_not_ask recommended_channel opened_at
    trigger_event policy_version""".split()  # noqa: SIM905 - as the contract has them
)


def test_the_brief_has_every_field_of_the_contract() -> None:
    about = {"intent": "explain_invoice", "language": "en", "case_id": "K1"}
    story = fold(
        *[(kind, at, data | about) for kind, at, data in STRESS], ("call.queued", minutes(2), CALL | about)
    )
    brief = story.desk[-1]["data"]
    assert set(brief) >= CONTRACT
    assert {"coverage", "base", "override"} <= set(brief)
    assert json.loads(json.dumps(brief)) == brief
    assert {"kind": "case", "id": "K1"} in brief["refs"]
    assert (brief["customer"], brief["customer_ref"], brief["team"]) == ("p-jane", "sealed", "default")
    assert (brief["language"], brief["intent"], brief["policy_version"]) == ("en", "explain_invoice", 1)
    assert set(brief["contributions"][0]) == {"signal", "points", "count", "last"}
    assert set(brief["factors"][0]) == {"factor", "log_odds"}
    assert brief["recommended_channel"] == "phone"
    first = brief["tried"][0]
    assert (first["channel"], first["step"], first["outcome"]) == ("web", "pay", "failed")
    assert first["at"] == MONDAY


def test_the_channel_that_just_failed_is_not_recommended_nor_one_that_is_closed() -> None:
    story = fold(("callback.missed", 0, CALL), ("human.requested", 1, CALL))
    assert story.desk[-1]["data"]["recommended_channel"] == "chat"
    only_mail = parse(
        DEFAULT_TEXT.replace('"*" = ["phone", "chat", "messaging", "email"]', '"*" = ["email"]')
    )
    for at, channel in ((0, "email"), (hours(9), "")):
        told = fold(*again(at), policy=only_mail)
        assert told.desk[-1]["data"]["recommended_channel"] == channel


NEVER = [
    "password",
    "pin",
    "PIN",
    "otp_code",
    "cvv",
    "cardCvv",
    "security_answer",
    "securityQuestion",
    "identity_document",
    "verification",
    "consent_marketing",
    "disclosure",
    "terms_accepted",
    "new-pin",
    "pinCode",
    "\uff30\uff29\uff2e",
    "OTP2",
]


@pytest.mark.parametrize("field", [*NEVER, "please enter the answer to your security question"])
def test_checks_of_identity_and_consents_are_asked_whatever_was_given(field: str) -> None:
    story = fold(("form_change", 0, WEB | {"field": field}), *STRESS)
    assert story.desk[-1]["data"]["do_not_ask"] == []
    assert not may_skip(field, POLICY) or len(field) > 40


@pytest.mark.parametrize("field", ["shipping_address", "opinion", "salary", "order_number", "détails"])
def test_what_was_given_is_not_asked_again(field: str) -> None:
    story = fold(("form_change", 0, WEB | {"field": field}), *STRESS)
    assert story.desk[-1]["data"]["do_not_ask"] == [field]
    asked = fold(("bot.message", 0, WEB | {"field": field, "actor": "machine"}), *STRESS)
    assert asked.desk[-1]["data"]["do_not_ask"] == [], "asking is not giving"


def test_another_case_begins_anew() -> None:
    given = [
        ("form_change", at, WEB | {"field": f"f{at}", "case_id": case}) for at, case in ((0, "A"), (1, "B"))
    ]
    assert fold(*given, *again(10)).desk[-1]["data"]["do_not_ask"] == ["f1"]
