"""Fuzzed records through the events lane: none may raise, each is accounted for, none may cost much.

``python -m benchmarks.fuzz --bytes 10000000 --seed 1`` gives the lane that many bytes, one record at a time,
with checkpoints and restarts between, and fails where a record raised, was lost, led to a row that ClickHouse
would not take, or cost the thread more than 50 ms of CPU time (decode, fold and dead letter; for a record of
16 KiB or more its own checkpoint as well). A record above that is timed again, twice: what it costs once and
not again is the machine's. What is drawn, and how, is in ``tests/fuzz/records.py``.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from tests.fuzz.account import Account, run

__all__ = ["MOST_MS", "main", "measured", "verdict"]

# A chunk holds the worker's loop; twenty such records a second would still leave it its heartbeats.
MOST_MS = 50.0
AGAIN = 2


def verdict(account: Account) -> list[str]:
    """What is not as it must be; nothing if all is well."""
    wrong = list(account.wrong)
    if account.accounted != account.sent:
        wrong.append(f"seed {account.seed}: {account.sent} records, {account.accounted} accounted for")
    if account.letters != account.tally.outcomes["dead_letter"]:
        wrong.append(f"seed {account.seed}: {account.letters} dead letters of {account.tally.outcomes}")
    wrong += [
        f"seed {account.seed}, record {place}: {kind}: {ms:.1f} ms"
        for ms, kind, place in sorted(account.slowest, reverse=True)
        if ms > MOST_MS
    ]
    return wrong


def measured(seed: int, size: int) -> Account:
    """One run, and others of the same seed where something was slow."""
    account = run(seed, size)
    for _ in range(AGAIN):
        if max(account.slowest)[0] <= MOST_MS:
            break
        account.again(run(seed, size), MOST_MS)
    return account


def told(account: Account) -> dict[str, Any]:
    """The run as JSON has it."""
    slowest = sorted(account.slowest, reverse=True)[:5]
    return {
        "seed": account.seed,
        "bytes": account.bytes,
        "records": account.sent,
        "accounted": account.accounted,
        "outcomes": dict(account.tally.outcomes.most_common()),
        "reasons": dict(account.reasons.most_common()),
        "rows": account.rows,
        "cpu_s": round(account.cpu_s, 3),
        "slowest_ms": [{"ms": round(ms, 2), "kind": kind, "record": place} for ms, kind, place in slowest],
        "wrong": verdict(account),
    }


def main(arguments: list[str] | None = None) -> int:
    """Run, print, and give the exit code: 1 where something is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fuzz", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--bytes", type=int, default=10_000_000, help="how many in all, at each seed")
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--seeds", type=int, default=1, help="how many, one after the other")
    parser.add_argument("--json", action="store_true", help="one JSON document a seed")
    given = parser.parse_args(arguments)
    failed = False
    for seed in range(given.seed, given.seed + given.seeds):
        found = told(measured(seed, given.bytes))
        failed = failed or bool(found["wrong"])
        if given.json:
            print(json.dumps(found))
            continue
        outcomes = ", ".join(f"{name} {count}" for name, count in found["outcomes"].items() if count)
        reasons = ", ".join(f"{name} {count}" for name, count in found["reasons"].items())
        slowest = found["slowest_ms"][0]
        print(
            f"seed {seed}: {found['records']} records, {found['bytes']} bytes, {found['cpu_s']} s of CPU time"
        )
        print(f"  accounted for: {found['accounted']} ({outcomes})")
        print(f"  dead letters: {reasons}")
        print(f"  slowest: {slowest['ms']} ms ({slowest['kind']}, record {slowest['record']})")
        for what in found["wrong"]:
            print(f"  WRONG: {what}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
