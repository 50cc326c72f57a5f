"""What a fitted human need costs: the fold with the default policy, and with a section of targets besides.

The workload of every benchmark, decoded and folded by one thread as one partition, its state packed at
checkpoints of 5,000 events. Rounds are interleaved, and every second one begins with the other policy, so
that a machine that slows down slows both. Times are CPU microseconds an event of this thread.

The section has twenty terms (twelve numbers, five labels, three pairs) and is live at the ends of contacts
and at solved tickets: of what a call-back and a reopening are told by, its numbers made up, as only how many
they are costs. ``evaluated`` is the share of events that it is asked at; ``everywhere`` is asked at all of
them, as no worker does, and shows what one evaluation costs.

    python -m benchmarks.need --events 200000 --rounds 5
    PYTHONPATH=ELSEWHERE python benchmarks/need.py --default-only    # an earlier version, by the same measure
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from statistics import median
from time import thread_time
from typing import NamedTuple

from benchmarks.workload import STAMP, Raw, records
from detectors import BUILD
from detectors.log import LogFold
from detectors.moment import Findings
from detectors.policy import DEFAULT_TEXT, Policy, parse
from streams import collector

__all__ = ["EVENTS", "Cost", "measure", "section"]

CHUNK = 500
CHECKPOINT = 5_000
EVENTS = (
    "call.ended",
    "call.abandoned",
    "conversation.ended",
    "conversation.abandoned",
    "ticket.solved",
)
# A feature with its edges.
NUMBERS: dict[str, list[float]] = {
    "wait_s": [15, 45, 90, 180, 300],
    "talk_s": [10, 30, 60, 120, 240, 480],
    "hour": [8, 10, 12, 14, 16, 18, 20],
    "since_contact": [60, 300, 900, 3_600, 14_400, 86_400],
    "contacts_1h": [0.2, 0.7, 1.2],
    "contacts_2d": [0.2, 0.7, 1.2, 2.5, 5],
    "gave_up_1h": [0.2, 0.7, 1.2],
    "recontact_rate": [0.1, 0.15, 0.2, 0.3, 0.5],
    "effort": [10, 20, 40, 60],
    "updates": [1, 2, 4, 8, 16],
    "case_h": [1, 4, 24, 72, 240],
    "return_rate": [0.02, 0.05, 0.2],
}
LABELS: dict[str, list[str]] = {
    "outcome": ["served", "queue", "ivr"],
    "last_outcome": ["served", "queue", "ivr"],
    "queue": ["orders", "billing", "returns", "tech"],
    "intent": ["refund", "where_is_my_order", "explain_invoice", "cancel"],
    "team": ["first", "second", "third"],
}
PAIRS = (("outcome", "wait_s"), ("outcome", "since_contact"), ("updates", "case_h"))


def section(live: bool = True) -> str:
    """A section of twenty terms as TOML."""
    parts = [
        f'[targets.recontact]\ntarget = "recontact=3600"\nlive = {json.dumps(live)}\nbase = -1.9',
        f"events = {json.dumps(EVENTS)}",
    ]
    for name, edges in NUMBERS.items():
        odds = [round(0.1 * (place - 2), 2) for place in range(len(edges) + 1)]
        values = json.dumps([float(edge) for edge in edges])
        parts.append(
            f"[targets.recontact.numbers.{name}]\nedges = {values}\nlog_odds = {odds}\nmissing = 0.05"
        )
    for name, labels in LABELS.items():
        parts.append(f"[targets.recontact.labels.{name}.log_odds]")
        parts += [f"{label} = {0.1 * place:.1f}" for place, label in enumerate(labels)]
    for first, second in PAIRS:
        rows, columns = len(_side(first)) + 1, len(_side(second)) + 1
        table = [[round(0.02 * (row - column), 2) for column in range(columns)] for row in range(rows)]
        parts.append(f'[[targets.recontact.pairs]]\nfeatures = ["{first}", "{second}"]')
        for side, name in (("first", first), ("second", second)):
            kind = "labels" if name in LABELS else "edges"
            parts.append(f"{side} = {{ {kind} = {json.dumps(_side(name))} }}")
        parts.append(f"log_odds = {table}")
    return "\n" + "\n".join(parts) + "\n"


def _side(name: str) -> list[str] | list[float]:
    return LABELS[name] if name in LABELS else [float(edge) for edge in NUMBERS[name]]


class Cost(NamedTuple):
    """CPU microseconds an event: decoding and folding, and packing the states that changed."""

    fold: float
    state: float


def measure(log: Sequence[Raw], events: int, policy: Policy) -> Cost:
    """One run over all of ``log``, which has so many events beside its ticks."""
    fold = LogFold(0, policy, lambda _, subject: subject, lambda *_: "sealed")
    collector.settle()  # as a worker does
    spent = {"fold": 0.0, "state": 0.0}
    for place in range(0, len(log), CHUNK):
        chunk = [(place + at, STAMP, raw.value) for at, raw in enumerate(log[place : place + CHUNK])]
        began = thread_time()
        while chunk:
            done, _ = fold.events(chunk, Findings())
            chunk = chunk[done + 1 :]
        spent["fold"] += thread_time() - began
        if (place + CHUNK) % CHECKPOINT == 0:
            began = thread_time()
            fold.fold.changed()
            spent["state"] += thread_time() - began
    return Cost(spent["fold"] * 1e6 / events, spent["state"] * 1e6 / events)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--default-only", action="store_true", help="of a version without sections")
    given = parser.parse_args()
    log = list(records(given.events))
    asked = sum(any(f'"type":"{kind}"'.encode() in raw.value for kind in EVENTS) for raw in log)
    policies = {"default": parse(DEFAULT_TEXT)}
    if not given.default_only:
        policies["section"] = parse(DEFAULT_TEXT + section())
        policies["everywhere"] = policies["section"].shows("recontact")
    print(f"{BUILD} build, {given.events:,} events, {asked:,} of them evaluated ({asked / given.events:.2%})")
    found: dict[str, list[Cost]] = {name: [] for name in policies}
    for number in range(given.rounds):
        order = list(policies)[:: 1 if number % 2 == 0 else -1]
        for name in order:
            found[name].append(measure(log, given.events, policies[name]))
        told = "; ".join(
            f"{name} {costs[-1].fold:.2f} + {costs[-1].state:.2f}" for name, costs in found.items()
        )
        print(f"round {number + 1}: {told} us an event (decode and fold + state)")
    for name, costs in found.items():
        fold, state = (median(getattr(cost, part) for cost in costs) for part in Cost._fields)
        least = min(cost.fold for cost in costs)
        print(f"{name:10}  fold {fold:.2f} us an event (least {least:.2f}), state {state:.2f}")
    for name in list(found)[1:]:
        pairs = zip(found[name], found["default"], strict=True)
        more = sorted(a.fold - b.fold for a, b in pairs)
        print(f"{name} adds {median(more):+.3f} us an event ({more[0]:+.3f} to {more[-1]:+.3f})")


if __name__ == "__main__":
    main()
