"""The catalogue of metrics: the only place where one is named.

Labels come from bounded sets alone (topics, partitions, tables, reasons, transitions): never a customer, a
session, an offset or an error's text.
"""

from __future__ import annotations

import errno

from prometheus_client import Counter, Gauge, Histogram, start_http_server

from streams.dead_letters import LANE_REASONS
from streams.errors import SettingError

# From a millisecond to a minute: inserts and checkpoints of a healthy worker are in the middle.
SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

# --- events lane -----------------------------------------------------------------------------------------
CONSUMED = Counter("rehuman_events_consumed", "Records taken from a lane topic", ["topic"])
ACCEPTED = Counter(
    "rehuman_records_accepted", "Records read from the log of events, by outcome", ["partition", "outcome"]
)
SCORED = Counter("rehuman_events_scored", "Events that were folded and scored", ["partition"])
UNSCORED = Counter("rehuman_events_unscored", "Events stored without a score", ["reason"])
LATE = Counter("rehuman_events_late", "Events later than the lateness: stored, not scored")
DEAD_LETTERS = Counter("rehuman_dead_letters", "Records that could not be events", ["reason"])
SOURCE_BREAKER = Counter(
    "rehuman_source_breaker", "Sources that were parked because they kept failing, and released", ["change"]
)
# Prometheus sees a first time only where it has seen none before.
for _reason in LANE_REASONS:
    DEAD_LETTERS.labels(_reason)
for _change in ("parked", "released"):
    SOURCE_BREAKER.labels(_change)
REORDERED = Counter(
    "rehuman_events_reordered", "Events that took their place before others, and what was told anew for them"
)
RING_OVERFLOWS = Counter(
    "rehuman_ring_overflows",
    "Customers with more events within the lateness than are kept to be put in order",
)
HELD_BACK = Counter(
    "rehuman_events_held_back", "Events from the future, which moved the watermark only as far as is allowed"
)
AGED_OUT = Counter("rehuman_customers_aged_out", "Customers forgotten after being idle for long")
CANDIDATES = Counter("rehuman_candidates", "Candidates for an alert sent to the desk", ["level"])
WATERMARK = Gauge(
    "rehuman_watermark_timestamp_seconds", "Event time that a partition has reached", ["partition"]
)
CUSTOMERS = Gauge("rehuman_customers", "Customers with state in memory", ["partition"])
POLICY_VERSION = Gauge("rehuman_policy_version", "Version of the policy in force")
SOURCES = Gauge("rehuman_sources", "Sources, over all partitions, that are fresh or silent", ["state"])

# --- how far events have come: step is scored or stored ---------------------------------------------------
NEWEST_EVENT = Gauge(
    "rehuman_newest_event_timestamp_seconds",
    "Event time of the newest event that has passed a step",
    ["partition", "step"],
)
EVENT_PASSED = Gauge(
    "rehuman_event_passed_timestamp_seconds", "When an event last passed a step", ["partition", "step"]
)

# --- lanes -----------------------------------------------------------------------------------------------
LANE_LAG = Gauge("rehuman_lane_lag_records", "Records behind the end of a partition", ["topic", "partition"])
LANES_OPEN = Gauge("rehuman_lanes_open", "Partitions that this process owns", ["topic"])
CHECKPOINT_SECONDS = Histogram(
    "rehuman_checkpoint_duration_seconds", "One checkpoint, outputs to commit", ["topic"], buckets=SECONDS
)
COMMITTED_AT = Gauge("rehuman_last_commit_timestamp_seconds", "When a lane last committed", ["topic"])
RESTORED_KEYS = Counter("rehuman_restored_keys", "Keys of state read back from a changelog", ["topic"])
RESTORE_SECONDS = Histogram(
    "rehuman_restore_duration_seconds", "Restoring one partition's state", ["topic"], buckets=SECONDS
)
STATE_BYTES = Counter("rehuman_state_bytes", "Bytes of state written to a changelog", ["topic"])

# --- facts lane ------------------------------------------------------------------------------------------
FACTS_WAITING = Gauge("rehuman_facts_waiting_rows", "Rows taken and not yet inserted")
STORED = Counter("rehuman_rows_stored", "Rows acknowledged by ClickHouse", ["partition", "table"])
ROWS_WRITTEN = Counter("rehuman_rows_written", "Rows inserted into ClickHouse", ["table"])
INSERT_SECONDS = Histogram(
    "rehuman_sink_insert_duration_seconds", "One insert into ClickHouse", ["table"], buckets=SECONDS
)
INSERT_RETRIES = Counter("rehuman_sink_insert_retries", "Inserts that had to be tried again", ["table"])
FACTS_WAITING_SINCE = Gauge(
    "rehuman_facts_waiting_since_timestamp_seconds",
    "Since when inserts have failed, by the kind of reason; 0: they do not",
    ["reason"],
)
KAFKA_UP = Gauge("rehuman_kafka_up", "1 while the brokers say where their partitions end")
CLICKHOUSE_UP = Gauge("rehuman_clickhouse_up", "1 while the last insert or look was answered")

INSERTED_AT = Gauge("rehuman_last_insert_timestamp_seconds", "When rows were last inserted into ClickHouse")

# --- desk lane -------------------------------------------------------------------------------------------
ALERTS = Counter("rehuman_alerts", "Alert events sent", ["type", "level"])
ALERTS_FORGOTTEN = Counter(
    "rehuman_alerts_forgotten", "Open alerts of which nothing is remembered any more: there were too many"
)

# --- process ---------------------------------------------------------------------------------------------
READY = Gauge("rehuman_ready", "1 once every lane of this process is restored and reading")


def serve(port: int, host: str = "127.0.0.1") -> int:
    """Serve ``/metrics`` from a thread of its own; returns the port, of which 0 takes any free one.

    Raises SettingError if the port or the address cannot be had.
    """
    try:
        server, _ = start_http_server(port, host)
    except OSError as error:
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            what = "in use" if error.errno == errno.EADDRINUSE else "not for this user"
            expected = "a free port, or 0 for any"
            raise SettingError("REHUMAN_METRICS_PORT", f"{port} on {host} ({what})", expected) from None
        raise SettingError("REHUMAN_METRICS_HOST", repr(host), "an address of this machine") from None
    return int(server.server_port)
