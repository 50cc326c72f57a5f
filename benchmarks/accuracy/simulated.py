"""Findings against simulated truth: ``python -m benchmarks.accuracy.simulated --seed 1 --seed 2 --seed 3``.

What is measured here holds of simulated people (docs/simulate.md) and has to be stated as such. Seeds are of
two kinds: the detectors were tuned with those of ``TUNING``, and are tested with those of ``TESTING``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from benchmarks.accuracy import match
from benchmarks.accuracy.measure import TIMES, Case, Classified, Scored, ScoredAs, classified, scored
from benchmarks.accuracy.runs import folded, simulated
from detectors.policy import DEFAULT_TEXT, Policy, parse
from streams.simulate.parameters import load

__all__ = ["PACKS", "TESTING", "TUNING", "Measured", "main", "measure", "open_line"]

TUNING = (1, 2, 3)
TESTING = (101, 102, 103)
PACKS = ("broken-release", "outage", "happy-shoppers")


class Measured(msgspec.Struct, frozen=True):
    """One pack over some seeds."""

    pack: str
    seeds: list[int]
    customers: int
    hours: int
    events: int
    switches: Classified
    abandonments: dict[str, Classified]
    silent: Classified
    silent_probability: ScoredAs
    cause: Classified
    # Moments before the customer's first event: nobody could say anything of them, and none is counted.
    unseen: int
    level: Classified
    human_needed: ScoredAs


def open_line(text: str) -> Policy:
    """The policy of ``text`` with the line of silence at 0: each conversation has its probability."""
    policy = parse(text)
    policy.silence.line = 0.0
    return policy


def measure(
    pack: str,
    seeds: Sequence[int],
    *,
    customers: int,
    hours: int,
    text: str = DEFAULT_TEXT,
    times: int = TIMES,
) -> Measured:
    """Simulate, fold, match, and count; ``text`` is the policy's."""
    policy, opened = parse(text), open_line(text)
    switches: list[Case] = []
    abandonments: dict[str, list[Case]] = {}
    silent: list[Case] = []
    probabilities: list[Scored] = []
    causes: list[Case] = []
    levels: list[Case] = []
    needed: list[Scored] = []
    events = unseen = 0
    for seed in seeds:
        simulation = simulated(load(pack), seed=seed, customers=customers, hours=hours)
        run = folded(simulation, policy)
        events += len(simulation.events)
        switches += match.switches(run)
        for kind, cases in match.abandonments(run).items():
            abandonments.setdefault(kind, []).extend(cases)
        silent += match.silent(run)
        probabilities += match.silent_scores(folded(simulation, opened))
        causes += match.causes(run.judged)
        levels += match.levels(run.judged)
        needed += match.needed(run.judged)
        unseen += sum(not one.seen for one in run.judged)
    return Measured(
        pack,
        list(seeds),
        customers,
        hours,
        events,
        classified(switches, times=times),
        {kind: classified(cases, times=times) for kind, cases in sorted(abandonments.items())},
        classified(silent, times=times),
        scored(probabilities, times=times),
        classified(causes, times=times),
        unseen,
        classified(levels, times=times),
        scored(needed, times=times),
    )


def _answers(name: str, found: Classified) -> Iterable[str]:
    yield (
        f"  {name}: {found.cases} cases, right {found.accuracy}; always {found.commonest_class or 'none'!r} "
        f"{found.commonest}; ahead by {found.ahead}; mean recall {found.macro_recall}"
    )
    for kind, of in found.classes.items():
        if kind:
            yield (
                f"    {kind:12} true {of.truth:5} found {of.found:5}  precision {of.precision}  "
                f"recall {of.recall}"
            )


def _scores(name: str, found: ScoredAs) -> Iterable[str]:
    yield (
        f"  {name}: {found.rows} rows, {found.positives} positive, AUC {found.auc}, Brier {found.brier} "
        f"(constant {found.brier_constant:.3f})"
    )
    tenths = " ".join(f"{one.score:.2f}:{one.share.value:.2f}({one.rows})" for one in found.reliability)
    yield f"    said:true(rows) {tenths}"


def words(found: Measured) -> str:
    """For people."""
    lines = [
        f"{found.pack}, seeds {', '.join(map(str, found.seeds))}, {found.customers} customers in "
        f"{found.hours} h each: {found.events} events"
    ]
    lines += _answers("switches", found.switches)
    for kind, cases in found.abandonments.items():
        lines += _answers(f"abandonment/{kind}", cases)
    lines += _answers("silent abandonment", found.silent)
    lines += _scores("silent abandonment, probability", found.silent_probability)
    lines += _answers("cause", found.cause)
    for truth, row in found.cause.confusion.items():
        lines.append(f"    {truth}: " + ", ".join(f"{name} {count}" for name, count in row.items()))
    lines += _answers(f"level of human need ({found.unseen} moments before any event left out)", found.level)
    lines += _scores("human needed", found.human_needed)
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="benchmarks.accuracy.simulated", description=__doc__)
    parser.add_argument("--pack", action="append", help=f"default: {', '.join(PACKS)}")
    parser.add_argument("--seed", action="append", type=int, help=f"default: {TUNING}, those for tuning")
    parser.add_argument("--customers", type=int, default=1500, help="of each seed")
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--policy", type=Path, help="default: the built-in one")
    parser.add_argument("--json", action="store_true")
    told = parser.parse_args(arguments)
    text = told.policy.read_text("utf-8") if told.policy else DEFAULT_TEXT
    for pack in told.pack or PACKS:
        found = measure(pack, told.seed or TUNING, customers=told.customers, hours=told.hours, text=text)
        said = msgspec.json.encode(found).decode() if told.json else words(found)
        sys.stdout.write(said + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
