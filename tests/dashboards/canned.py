"""Rows as the database would return them, and the picture they make."""

from __future__ import annotations

from dashboards import queries
from dashboards.terminal.frame import Flow
from dashboards.terminal.reader import Reader
from dashboards.terminal.rows import Row
from detectors.policy import default

NOW = 1_790_000_000_000
LONG = "a-journey-with-quite-a-long-name"

STANDINGS: list[Row] = [
    ("3f9ac2b1" * 4, "claim", NOW, "details", "phone", 40.0, 40.0, 0.9, 0.91),
    ("00ff00ff" * 4, LONG, NOW, "a-step", "web", 6.0, 6.0, 0.7, 0.2),
    ("abcdabcd" * 4, "billing", NOW, "invoice", "bot", 3.0, 3.0, 0.2, 0.05),
    ("d0d0d0d0" * 4, "order", NOW, "confirm", "web", -3.0, -3.0, 0.8, 0.02),
]
SIGNALS: list[Row] = [
    ("g1", "3f9ac2b1" * 4, "claim", "form_error", 16.0, NOW - 30_000),
    ("g2", "3f9ac2b1" * 4, "claim", "form_error", 16.0, NOW - 20_000),
    ("g3", "3f9ac2b1" * 4, "claim", "step_completed", -1.0, NOW - 10_000),
    ("g4", "00ff00ff" * 4, LONG, "purchase", -3.0, NOW),
    ("g5", "00ff00ff" * 4, LONG, "dead_click", 2.0, NOW - 200_000),
]
PARTS: list[Row] = [
    ("3f9ac2b1" * 4, "claim", "form_error", 24.0, 6),
    ("3f9ac2b1" * 4, "claim", "info_repeated", 18.0, 3),
    ("3f9ac2b1" * 4, "claim", "step_completed", -2.0, 2),
]
ABANDONMENTS: list[Row] = [
    ("a1", 1, "3f9ac2b1" * 4, "claim", "details", "web", "form", 0, 1, 0, None, "details", NOW - 9_000, 0),
    ("a2", 1, "00ff00ff" * 4, LONG, "ask", "chat", "conversation", 1, 1, 0, None, "ask", NOW - 8_000, 0),
    ("a3", 1, "d0d0d0d0" * 4, "claim", "queue", "phone", "queue", 0, 0, 1, 3.0, "queue", NOW - 7_000, 0),
]
SWITCHES: list[Row] = [
    ("s1", 1, "3f9ac2b1" * 4, "claim", "forced", "web", "phone", "details", NOW - 6_000),
    ("s2", 1, "abcdabcd" * 4, "billing", "repeat", "phone", "phone", "", NOW - 5_000),
]
ALERTS: list[Row] = [
    (
        *("r1", 1, "alert.raised", "alert-1", "3f9ac2b1" * 4, "claim", "details", "human_now", "default", ""),
        *(71.4, 2.7, 0.91),
        '[{"signal":"form_error","points":40.1,"count":6,"last":"2026-09-21T14:13:20.000Z"}]',
        '[{"factor":"effort","log_odds":2.14},{"factor":"switch_forced","log_odds":1.0}]',
        '["policy_number","damage_date"]',
        "phone",
        NOW - 4_000,
    ),
]
COUNTS: list[Row] = [
    ("abandonments", "form", "", 1),
    ("abandonments", "form", "recovered", 2),
    ("abandonments", "conversation", "silent", 1),
    ("switches", "forced", "", 4),
    ("switches", "chosen", "", 2),
    ("alerts", "human_now", "default", 3),
    ("alerts", "watch", "preference", 1),
    ("signals", "", "", 1234),
    ("dead_letters", "not_json", "", 2),
]


class CannedClient:
    """A list double of the database: answers by query, and remembers what was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Row]] = {
            queries.FRESHNESS: [(4_321, NOW - 1_500, NOW - 1_000)],
            queries.STANDINGS: STANDINGS,
            queries.SIGNALS: SIGNALS,
            queries.CONTRIBUTIONS: PARTS,
            queries.ABANDONMENTS: ABANDONMENTS,
            queries.SWITCHES: SWITCHES,
            queries.ALERTS: ALERTS,
            queries.COUNTS: COUNTS,
        }
        self.asked: list[tuple[str, dict[str, object]]] = []

    def execute(self, query: str, params: dict[str, object]) -> list[Row]:
        self.asked.append((query, params))
        return self.answers[query]


def reader(client: CannedClient) -> Reader:
    return Reader(client, default(), lambda: NOW, lambda: Flow(4_330, 4_325, 4_325, 5))
