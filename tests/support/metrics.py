"""What a world's workers say of themselves: their metrics, as Prometheus scrapes them, and their log."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Mapping
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tests.support.world import World

__all__ = ["Samples", "addresses", "measured", "metric", "metrics_at", "metrics_of", "page", "said"]

# By name and labels, as of one worker or added up over all.
Samples = Mapping[tuple[str, tuple[tuple[str, str], ...]], float]


def said(world: World, *events: str) -> list[dict[str, Any]]:
    """The workers' log lines whose event begins with one of ``events``."""
    lines = [json.loads(line) for line in world.log().splitlines() if line.startswith("{")]
    return [line for line in lines if str(line.get("event", "")).startswith(events)]


def addresses(world: World) -> list[str]:
    """Where the metrics of each worker are, or were, in the order of their starts."""
    return [line["metrics"] for line in said(world, "worker starts")]


def page(url: str) -> str:
    """The text that a worker answers with."""
    port = urllib.parse.urlsplit(url).port
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text: str = answer.read().decode()
    return text


def metrics_at(url: str) -> Samples:
    """Every sample of one worker."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(page(url))
        for sample in family.samples
    }


def metrics_of(world: World) -> Samples:
    """Every sample of all workers, added up."""
    found: Counter[tuple[str, tuple[tuple[str, str], ...]]] = Counter()
    for url in addresses(world):
        found.update(metrics_at(url))
    return found


def metric(found: Samples, name: str, **labels: str) -> float:
    """The sum of a metric over what ``labels`` leave open."""
    return sum(
        value
        for (known, have), value in found.items()
        if known == name and labels.items() <= dict(have).items()
    )


def measured(world: World, name: str, **labels: str) -> float:
    """The same of all workers, scraped now."""
    return metric(metrics_of(world), name, **labels)
