"""How far events have come, by the worker's own metrics.

>>> flow_of(b'rehuman_events_scored_total 7.0\\nrehuman_events_unscored_total{reason="consent"} 2.0\\n')
(9, 7, None)
"""

from __future__ import annotations

import http.client
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

from streams.demo.ports import HOST

__all__ = ["flow_of", "scrape"]

# The loopback address answers in milliseconds, or the worker is not up yet.
ANSWER_S = 1.0
# Accepted without a score.
ACCEPTED = ("rehuman_events_unscored_total", "rehuman_events_late_total")


def scrape(port: int) -> tuple[int | None, int | None, int | None]:
    """(accepted, scored, lag) of the worker with this metrics port; None where it does not say (yet)."""
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/metrics", timeout=ANSWER_S) as answer:
            return flow_of(answer.read())
    # A worker that ends half way through its answer is an HTTPException.
    except (OSError, http.client.HTTPException, ValueError):
        return None, None, None


def flow_of(exposition: bytes) -> tuple[int | None, int | None, int | None]:
    """The same out of the text of ``/metrics``."""
    sums: dict[str, float] = {}
    for family in text_string_to_metric_families(exposition.decode()):
        for sample in family.samples:
            sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
    scored, lag = sums.get("rehuman_events_scored_total"), sums.get("rehuman_lane_lag_records")
    accepted = None if scored is None else scored + sum(sums.get(name, 0.0) for name in ACCEPTED)
    return (
        None if accepted is None else round(accepted),
        None if scored is None else round(scored),
        None if lag is None else round(lag),
    )
