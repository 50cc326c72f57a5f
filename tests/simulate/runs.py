"""Small simulations, each made once for the tests that look at it."""

from __future__ import annotations

import json
from datetime import datetime
from functools import lru_cache
from typing import Any

from streams.simulate.crowd import events
from streams.simulate.parameters import load

START = 1_767_571_200_000  # 2026-01-05, a Monday
# Seeds of tests are those that anything may be tuned on; those kept for measuring are never used here.
SEEDS = (1, 2, 3)


class Run:
    """The events of a simulation, as bytes and read, and its truth."""

    def __init__(self, pack: str, seed: int, customers: int, hours: int) -> None:
        self.truth: list[dict[str, Any]] = []
        simulated = events(
            load(pack), seed=seed, customers=customers, hours=hours, start=START, truth=self.truth.extend
        )
        self.raw = list(simulated)
        self.events: list[dict[str, Any]] = [json.loads(raw) for raw in self.raw]
        self.by_id = {event["id"]: event for event in self.events}
        self.of: dict[str, list[dict[str, Any]]] = {}
        for event in self.events:
            self.of.setdefault(event["subject"], []).append(event)

    def records(self, kind: str) -> list[dict[str, Any]]:
        """The truth's records of a kind, as they were written."""
        return [record for record in self.truth if record["record"] == kind]


@lru_cache(maxsize=32)
def run(pack: str, seed: int, customers: int = 120, hours: int = 24) -> Run:
    """One simulation."""
    return Run(pack, seed, customers, hours)


def ms(text: str) -> int:
    """RFC 3339 in milliseconds since the epoch."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)
