"""Policies with hazards small enough to reckon with by hand."""

from __future__ import annotations

from detectors.policy import DEFAULT_TEXT, Policy, parse

__all__ = ["CART", "FORM", "QUEUE", "policy", "text"]

# A chance of a twentieth in ten seconds, from a minute on twice the odds: 26 % in a minute, then 44 %.
QUEUE = """
[hazard.queue]
target = "abandon=60"
interval = "10s"
line = 0.4
may_leave = 3.0
base = -2.9444
[hazard.queue.wait]
edges = [60.0]
log_odds = [0.0, 0.6931]
[hazard.queue.hour]
edges = [9.0, 17.0]
log_odds = [0.0, 0.0, 3.0]
[hazard.queue.announced]
edges = [0.0]
log_odds = [-0.5, 1.5]
missing = 0.0
[hazard.queue.labels.queue.log_odds]
sales = 2.0
"""
# Nothing more comes: 50 % at once, 73 % from two minutes on.
FORM = """
[hazard.form]
interval = "60s"
line = 0.7
may_leave = 3.0
base = 0.0
[hazard.form.wait]
edges = [120.0]
log_odds = [0.0, 1.0]
[hazard.form.labels.place.log_odds]
"loan/income" = 0.5
"""
CART = FORM.replace("hazard.form", "hazard.cart").replace("loan/income", "order/pay")


def text(*sections: str) -> str:
    """The default policy with these sections."""
    return DEFAULT_TEXT + "".join(sections or (QUEUE, FORM, CART))


def policy(*sections: str) -> Policy:
    """The same, read."""
    return parse(text(*sections))
