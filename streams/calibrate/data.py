"""History as arrays: the fold's own features at the events that have a label.

The files are folded once, by the very fold that a worker runs, under the base policy. So what is fitted is
what runs, and nothing later can be in a row: a feature is taken at the moment its event was folded.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.feature_names import LABELS, NUMBERS
from detectors.policy import Policy
from streams.clock import wall_ms
from streams.folding import Progress, few_collections, fold_chunks
from streams.identity import Pseudonyms
from streams.sources.api import SourceEvent
from streams.targets.labels import KINDS, Label
from streams.ticks import under

__all__ = ["Rows", "gather"]


class Rows:
    """Labelled events in the order of the fold. ``known`` is when a bad outcome was there, else the event."""

    def __init__(
        self,
        refs: list[tuple[str, str]],
        types: NDArray[Any],
        times: NDArray[np.int64],
        known: NDArray[np.int64],
        customers: NDArray[np.int64],
        positive: NDArray[np.bool_],
        numbers: NDArray[np.float64],
        labels: NDArray[Any],
        need: NDArray[np.float64],
    ) -> None:
        self.refs = refs
        self.types = types
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
            self.types[places],
            self.times[places],
            self.known[places],
            self.customers[places],
            self.positive[places],
            self.numbers[places],
            self.labels[places],
            self.need[places],
        )

    def cut(self, labels: dict[tuple[str, str], Label]) -> Rows:
        """The rows that have a label of ``labels``, with what was known to these."""
        found = self.at(np.array([ref in labels for ref in self.refs], bool))
        told = [labels[ref] for ref in found.refs]
        found.positive = np.array([label.positive for label in told], bool)
        found.known = found.times + np.array([label.lead or 0 for label in told], np.int64)
        return found

    def column(self, name: str) -> NDArray[Any]:
        """A feature's values."""
        if name in NUMBERS:
            return self.numbers[:, NUMBERS[name]]
        found: NDArray[Any] = self.labels[:, LABELS[name]]
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
    types: list[str] = []
    numbers = array("d")
    texts: list[list[str]] = []
    moments: list[tuple[int, float]] = []
    left = dict(labels)
    with few_collections():
        items = list(under(policy, events, now_ms=wall_ms()))
        for findings in fold_chunks(items, policy, names, watch=KINDS[target], progress=progress):
            for seen in findings.watched:
                # By its place: the fold takes the customer's own id out of an event's.
                item = items[seen.e.offset]
                ref = (item.source, item.id) if isinstance(item, SourceEvent) else ("", "")
                if left.pop(ref, None) is not None:
                    refs.append(ref)
                    types.append(seen.e.type)
                    numbers.extend(seen.numbers)
                    texts.append(seen.labels)
                    moments.append((seen.e.time, seen.human_need))
    told = [labels[ref] for ref in refs]
    places: dict[str, int] = {}
    times = np.array([time for time, _ in moments], np.int64)
    return Rows(
        refs,
        np.array(types, object),
        times,
        times + np.array([label.lead or 0 for label in told], np.int64),
        np.array([places.setdefault(label.customer, len(places)) for label in told], np.int64),
        np.array([label.positive for label in told], bool),
        np.frombuffer(numbers, float).reshape(len(refs), len(NUMBERS)),
        np.array(texts, object).reshape(len(refs), len(LABELS)),
        np.array([need for _, need in moments], float),
    )
