"""The SQL behind the live view: exact facts only, each query bounded in rows and, by ``stored_at``, in reach.

Parameters are clickhouse-driver's (``%(name)s``). Moments go in and out as integer milliseconds: a bound
date would lose its sub-seconds. ``since`` is a moment of ``stored_at``, which the database itself sets.
"""

from __future__ import annotations

__all__ = [
    "ABANDONMENTS",
    "ALERTS",
    "CONTRIBUTIONS",
    "COUNTS",
    "FRESHNESS",
    "SIGNALS",
    "STANDINGS",
    "SWITCHES",
]

# Where each customer stands in each journey, for whoever something was stored about since.
# Ties in time are real (several events in one instant): the offset says which row came last.
STANDINGS = """
SELECT customer, journey,
       toUnixTimestamp64Milli(max(time)) AS at,
       argMax(step, (time, offset)), argMax(channel, (time, offset)),
       argMax(acute_sum, (time, offset)), argMax(chronic_sum, (time, offset)),
       argMax(coverage, (time, offset)), argMax(human_need, (time, offset))
FROM events_exact
WHERE late = 0 AND stored_at >= fromUnixTimestamp64Milli(%(since)s)
GROUP BY tenant, customer, journey
ORDER BY at DESC
LIMIT %(limit)s
"""

# What a few customers' effort is made of at the moment ``now``: each signal's part of x (docs/effort.md).
CONTRIBUTIONS = """
SELECT customer, journey, signal,
       sum(points * (%(acute_weight)s * exp2((toUnixTimestamp64Milli(time) - %(now)s) / %(acute_ms)s)
                   + %(chronic_weight)s * exp2((toUnixTimestamp64Milli(time) - %(now)s) / %(chronic_ms)s))),
       count()
FROM signals_exact
WHERE late = 0 AND customer IN %(customers)s
GROUP BY customer, journey, signal
LIMIT %(limit)s
"""

# What arrived: with the standings it tells where somebody stood before, and why it changed. Those that a
# time-out charged come with no row of events.
SIGNALS = """
SELECT fact_id, customer, journey, signal, points, toUnixTimestamp64Milli(time)
FROM signals_exact
WHERE late = 0 AND stored_at >= fromUnixTimestamp64Milli(%(since)s)
ORDER BY signals_exact.time DESC
LIMIT %(limit)s
"""

ABANDONMENTS = """
SELECT fact_id, ver, customer, journey, step, channel, kind, silent, inferred, short, wait_s, from_step,
       toUnixTimestamp64Milli(given_up_at), if(recovered_at IS NULL, 0, toUnixTimestamp64Milli(recovered_at))
FROM abandonments_exact
WHERE late = 0 AND stored_at >= fromUnixTimestamp64Milli(%(since)s)
ORDER BY greatest(given_up_at, ifNull(recovered_at, given_up_at)) DESC
LIMIT %(limit)s
"""

SWITCHES = """
SELECT fact_id, ver, customer, journey, kind, from_channel, to_channel, from_step,
       toUnixTimestamp64Milli(time)
FROM channel_switches_exact
WHERE late = 0 AND stored_at >= fromUnixTimestamp64Milli(%(since)s)
ORDER BY time DESC
LIMIT %(limit)s
"""

ALERTS = """
SELECT fact_id, ver, type, alert_id, customer, journey, step, level, cause, override, effort, ces, human_need,
       contributions, factors, do_not_ask, recommended_channel, toUnixTimestamp64Milli(time)
FROM alerts_exact
WHERE type IN ('alert.raised', 'alert.updated', 'alert.resolved')
  AND stored_at >= fromUnixTimestamp64Milli(%(since)s)
ORDER BY alerts_exact.time DESC
LIMIT %(limit)s
"""

# One row per (what, kind, detail): detail is what the summary tells apart within a kind.
COUNTS = """
SELECT 'abandonments' AS what, toString(kind) AS kind,
       multiIf(recovered_at IS NOT NULL, 'recovered', short = 1, 'short', silent = 1, 'silent', '') AS detail,
       count() AS n
FROM abandonments_exact GROUP BY what, kind, detail
UNION ALL
SELECT 'switches', toString(kind), '', count() FROM channel_switches_exact GROUP BY kind
UNION ALL
SELECT 'alerts', toString(level), toString(cause), count()
FROM alerts_exact WHERE type = 'alert.raised' GROUP BY level, cause
UNION ALL
SELECT 'signals', '', '', count() FROM signals_exact
UNION ALL
SELECT 'dead_letters', toString(reason), '', count() FROM dead_letters_exact GROUP BY reason
"""

# Distinct events stored, the newest event's time, and when the newest row came in (both ms; 0: none yet).
FRESHNESS = """
SELECT count(), if(count() = 0, 0, toUnixTimestamp64Milli(max(time))),
       if(count() = 0, 0, toUnixTimestamp64Milli(max(stored_at)))
FROM events_exact
"""
