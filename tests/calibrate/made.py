"""Rows with a known truth, and histories small enough to be folded in a test."""

from __future__ import annotations

from typing import Any

import numpy as np

from detectors.feature_names import LABELS, NUMBERS
from streams.calibrate.data import Rows
from streams.sources.api import SourceEvent, cloud_event

HOUR = 3_600_000
START = 1_704_099_600_000  # 2024-01-01, 09:00 UTC
WAIT = [-1.0, -0.5, 0.0, 0.5, 1.0]  # log-odds by hundreds of seconds


def rows(count: int, seed: int = 3) -> tuple[Rows, np.ndarray[Any, Any]]:
    """Log-odds are -1, a staircase of ``wait_s``, and 1.5 of the queue "loans"; and the true log-odds."""
    random = np.random.default_rng(seed)
    numbers = np.full((count, len(NUMBERS)), np.nan)
    wait = random.uniform(0.0, 500.0, count)
    numbers[:, NUMBERS["wait_s"]] = wait
    numbers[:, NUMBERS["talk_s"]] = random.exponential(100.0, count)
    labels = np.full((count, len(LABELS)), "", object)
    loans = random.random(count) < 0.3
    labels[:, LABELS["queue"]] = np.where(loans, "loans", "cards")
    truth = -1.0 + np.array(WAIT)[(wait // 100.0).astype(int)] + 1.5 * loans
    positive = random.random(count) < 1.0 / (1.0 + np.exp(-truth))
    times = np.arange(count, dtype=np.int64) * HOUR
    refs = [("made", str(place)) for place in range(count)]
    customers = random.integers(0, max(2, count // 3), count)
    need = np.full(count, 0.1)
    kinds = np.full(count, "call.ended", object)
    made = Rows(refs, kinds, times, times + HOUR // 2, customers, positive, numbers, labels, need)
    return made, truth


def calls(people: int = 40, days: int = 30, seed: int = 5) -> list[SourceEvent]:
    """Customers of a call centre: who gives up after a long wait calls again soon, others seldom."""
    random = np.random.default_rng(seed)
    found: list[SourceEvent] = []
    for person in range(people):
        at = float(random.uniform(0.0, 24.0)) * HOUR
        number = 0
        while at < days * 24 * HOUR:
            wait = float(random.exponential(120.0))
            left = random.random() < (0.6 if wait > 150.0 else 0.1)
            found += _call(f"c{person}", number, int(at), round(wait), left, float(random.exponential(150.0)))
            soon = random.random() < (0.7 if left else 0.1)
            at += (random.uniform(0.1, 0.7) if soon else random.uniform(10.0, 90.0)) * HOUR + 600_000
            number += 1
    return sorted(found)


def _call(who: str, number: int, at: int, wait: int, left: bool, talk: float) -> list[SourceEvent]:
    at += START
    about = {"conversation_id": f"{who}-{number}", "queue": "loans" if number % 3 else "cards"}
    end = at + wait * 1000 + (0 if left else int(talk * 1000))
    told = [("call.queued", at, about)]
    if left:
        told.append(("call.abandoned", end, about | {"wait_s": wait, "where": "queue"}))
    else:
        told.append(("call.connected", at + wait * 1000, about | {"wait_s": wait}))
        told.append(("call.ended", end, about | {"wait_s": wait, "talk_s": round(talk)}))
    return [cloud_event(kind, time, "made", f"{who}/{number}/{kind}", who, data) for kind, time, data in told]


def ndjson(events: list[SourceEvent]) -> bytes:
    """As a file of the adapter ``cloudevents``."""
    return b"".join(event.value + b"\n" for event in events)
