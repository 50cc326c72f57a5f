"""History as arrays: the fold's own features at the events that have a label.

The files are folded once, by the very fold that a worker runs, under the base policy. So what is fitted is
what runs, and nothing later can be in a row: a feature is taken at the moment its event was folded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.features import FEATURES
from detectors.policy import Policy
from streams.backtest import fold_events
from streams.clock import wall_ms
from streams.identity import Pseudonyms
from streams.sources.api import SourceEvent
from streams.targets.labels import KINDS, Label
from streams.ticks import under

__all__ = ["LABELS", "NUMBERS", "Rows", "gather"]

Progress = Callable[[int, int], None]
EVERY = 2_000

NUMBERS = [one.name for one in FEATURES if one.kind == "number"]
LABELS = [one.name for one in FEATURES if one.kind == "label"]


class Rows:
    """Labelled events in the order of the fold. ``known`` is when a bad outcome was there, else the event."""

    def __init__(
        self,
        refs: list[tuple[str, str]],
        times: NDArray[np.int64],
        known: NDArray[np.int64],
        customers: NDArray[np.int64],
        positive: NDArray[np.bool_],
        numbers: NDArray[np.float64],
        labels: NDArray[Any],
        need: NDArray[np.float64],
    ) -> None:
        self.refs = refs
        self.times = times
        self.known = known
        self.customers = customers
        self.positive = positive
        self.numbers = numbers
        self.labels = labels
        self.need = need

    def __len__(self) -> int:
        return len(self.refs)

    def at(self, chosen: NDArray[Any]) -> Rows:
        """Those rows alone: a mask or places."""
        places = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
        refs = [self.refs[place] for place in places]
        return Rows(
            refs,
            self.times[places],
            self.known[places],
            self.customers[places],
            self.positive[places],
            self.numbers[places],
            self.labels[places],
            self.need[places],
        )

    def column(self, name: str) -> NDArray[Any]:
        """A feature's values."""
        if name in NUMBERS:
            return self.numbers[:, NUMBERS.index(name)]
        found: NDArray[Any] = self.labels[:, LABELS.index(name)]
        return found


def gather(
    target: str,
    events: Sequence[SourceEvent],
    labels: dict[tuple[str, str], Label],
    policy: Policy,
    names: Pseudonyms,
    progress: Progress | None = None,
) -> Rows:
    """Fold ``events`` and take the features of those that ``labels`` names, each once."""
    refs: list[tuple[str, str]] = []
    numbers: list[list[float]] = []
    texts: list[list[str]] = []
    moments: list[tuple[int, float]] = []
    left = dict(labels)
    done = 0
    timed: Iterable[Any] = under(policy, events, now_ms=wall_ms())
    for found in fold_events(timed, policy, names, watch=KINDS[target]):
        for seen in found.findings.watched:
            ref = (seen.e.source, seen.e.id)
            if left.pop(ref, None) is not None:
                refs.append(ref)
                numbers.append(seen.numbers)
                texts.append(seen.labels)
                moments.append((seen.e.time, seen.human_need))
        if isinstance(found.raw, SourceEvent):
            done += 1
            if progress and done % EVERY == 0:
                progress(done, len(events))
    if progress:
        progress(done, len(events))
    told = [labels[ref] for ref in refs]
    places: dict[str, int] = {}
    times = np.array([time for time, _ in moments], np.int64)
    return Rows(
        refs,
        times,
        times + np.array([label.lead or 0 for label in told], np.int64),
        np.array([places.setdefault(label.customer, len(places)) for label in told], np.int64),
        np.array([label.positive for label in told], bool),
        np.array(numbers, float).reshape(len(refs), len(NUMBERS)),
        np.array(texts, object).reshape(len(refs), len(LABELS)),
        np.array([need for _, need in moments], float),
    )
