"""What a policy's line would have done: who was named before they hung up, how long before, and in vain.

The waits are folded once more under the fitted policy, by the worker's own fold. A customer is *named* where
a candidate was raised, or rose, with the factor ``may_leave`` while they waited. Live, the desk hears of it
when the watermark has passed that moment, which is the policy's ``lateness`` later; so it is told, too, how
many were named at least that long before they hung up.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np

from detectors.event_row import as_row
from detectors.log import LogFold
from detectors.moment import Findings
from detectors.policy import Policy
from detectors.tables import TABLES, Row
from streams.clock import wall_ms
from streams.identity import Pseudonyms
from streams.sources.api import SourceEvent
from streams.ticks import TickAt, tick_record

__all__ = ["FACTOR", "foresight"]

FACTOR: Final = "may_leave"
_NAMES: Final = TABLES["waits"].names


def foresight(
    items: Iterable[SourceEvent | TickAt],
    policy: Policy,
    names: Pseudonyms,
    since: int | None = None,
) -> dict[str, Any]:
    """Of waits in queues that began from ``since`` on: hang-ups, those named before, leads, and the rest."""
    log = LogFold(0, policy, names.pseudonym, names.reference)
    rows: dict[str, Row] = {}
    named: dict[str, list[int]] = {}
    stamp = wall_ms()
    for offset, item in enumerate(items):
        out = Findings()
        raw = tick_record(item.time) if isinstance(item, TickAt) else item.value
        log.record(raw, stamp, offset, out)
        rows |= {str(row[2]): row for row in map(as_row, out.found.get("waits", ()))}
        for message in out.desk:
            if message["type"] in ("candidate.raised", "candidate.updated") and _says(message["data"]):
                named.setdefault(message["customer"], []).append(message["time"])
    waits = [dict(zip(_NAMES, row, strict=True)) for row in rows.values()]
    return _summary([wait for wait in waits if _counts(wait, since)], named, policy)


def _says(brief: dict[str, Any]) -> bool:
    return any(factor["factor"] == FACTOR for factor in brief["factors"])


def _counts(wait: dict[str, Any], since: int | None) -> bool:
    inside = since is None or wait["opened"] >= since
    return bool(wait["kind"] == "queue" and wait["seconds"] > 0 and not wait["retracted"] and inside)


def _summary(waits: list[dict[str, Any]], named: dict[str, list[int]], policy: Policy) -> dict[str, Any]:
    leads: list[float] = []
    hang_ups = vain = 0
    for wait in waits:
        moments = named.get(wait["customer"], [])
        within = [at for at in moments if wait["opened"] <= at <= wait["closed"]]
        left = wait["outcome"] == "abandoned" and not wait["short"]
        hang_ups += left
        if within and left:
            leads.append((wait["closed"] - min(within)) / 1000)
        vain += bool(within) and not left
    lateness = policy.lateness / 1000
    quartiles = [float(value) for value in np.percentile(leads, [25, 50, 75])] if leads else []
    return {
        "waits": len(waits),
        "hang_ups": hang_ups,
        "hang_ups_named_before": len(leads),
        "named_in_vain": vain,
        "lead_s": dict(zip(("quarter", "median", "three_quarters"), quartiles, strict=True)) if leads else {},
        "lateness_s": lateness,
        "named_that_long_before": sum(lead >= lateness for lead in leads),
    }
