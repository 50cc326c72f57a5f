"""What common sense demands of a shape, whatever a small sample says: a feature's direction, with its reason.

Only where the opposite could not be explained to the person it concerns. The others are as history has them.

>>> direction("recontact", "contacts_1h"), direction("recontact", "hour"), direction("reopen", "wait_s")
(1, 0, 0)
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["DIRECTIONS", "Rule", "direction"]


class Rule(NamedTuple):
    """``sign`` 1: the more, the likelier; -1: the less. ``target`` is empty for every target."""

    target: str
    feature: str
    sign: int
    reason: str


DIRECTIONS: Final = (
    Rule("recontact", "contacts_1h", 1, "who has called several times within the hour is not done yet"),
    Rule("recontact", "gave_up_1h", 1, "what was given up a moment ago is still unsettled"),
    Rule("recontact", "recontact_rate", 1, "a habit of calling again is no reason to expect it less"),
    Rule("reopen", "returns", 1, "a case that came back before was not settled by being called solved"),
    Rule(
        "reopen",
        "return_rate",
        1,
        "cases of this customer that came back are no reason for trust in this one",
    ),
    Rule("reopen", "moves", 1, "handing a case on does not settle it"),
    Rule("reopen", "reassigned", 1, "handing a case on does not settle it"),
    Rule("reopen", "agents", 1, "more hands on a case do not make it safer that it is settled"),
    Rule("reopen", "updates", 1, "a case that took more turns is no simpler for it"),
    Rule("reopen", "case_h", 1, "a case that took longer is no simpler for it"),
    *(
        Rule("reopen", name, 1, "who had more effort with a case is not likelier to be content with its end")
        for name in ("effort", "effort_acute", "effort_chronic", "effort_customer")
    ),
)
_SIGNS: Final = {(rule.target, rule.feature): rule.sign for rule in DIRECTIONS}


def direction(target: str, feature: str) -> int:
    """1, -1 or 0 for a feature of a target."""
    return _SIGNS.get((target, feature), _SIGNS.get(("", feature), 0))
