"""What fuzzed records are made of: values near the edge of what is right, and beyond it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from detectors.envelope import Data
from detectors.policy import DEFAULT_TEXT
from detectors.vocabulary import CHANNELS

STAMP = 1_700_000_000_000  # the broker's time of the first record; records are a second apart
SOURCES = ("web/shop", "phone/eu1", "chat", "a" * 256, "ünï/ço∂é", "rehuman/worker")
SUBJECTS = ("jane.doe@example.com", "42", "c-1001", "漢字" * 60, "x" * 256, "\u202egnp.exe", "é", "0", "null")
WORDS = (
    "checkout",
    "pay",
    "",
    " ",
    "\u0000",
    "\U0001d54f" * 50,
    "a\u0301" * 30,
    "\ufeff",
    "\u2028",
    "'; DROP",
    "x" * 700,
)
HUGE = (
    "1e999",
    "-1e999",
    "1e308",
    "-0",
    "0.1e-400",
    "9" * 400,
    "-" + "9" * 400,
    "1" + "0" * 700,
    "1E+2",
    "1.0e0",
)
LITERALS = ("null", "true", "false", '""', "[]", "{}", "[[]]", '{"":{}}', "NaN", "Infinity", "nul", "'x'", "")
ESCAPES = ("\\ud800", "\\udfff\\ud800", "\\u0000", "\\ud83d\\ude00", "\\u00", "\\x41", "\\", "\\/", "\\u001f")
NUMBERS = (0, 1, -1, 0.5, 2, 1e15, 1e16, -1e15, 2**31, 2**63, 2**64, -(2**63) - 1, 864_000_000, 1e-300, 7.0)
TIMES = (
    "1969-12-31T23:59:59Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999999Z",
    "2023-11-14T22:13:20",
    "2023-11-14 22:13:20+00:00",
    "2023-11-14T22:13:60Z",
    "2023-11-14T22:13:20.123456789+23:59",
    "2023-02-30T00:00:00Z",
    "2023-11-14T24:00:00Z",
    "now",
    "",
)
POLICIES = (
    DEFAULT_TEXT,
    DEFAULT_TEXT.replace("version = 1", "version = 2"),
    DEFAULT_TEXT.replace('lateness = "60s"', 'lateness = "0s"'),
    DEFAULT_TEXT.replace("scale = 20.0", "scale = 1e-300"),
    DEFAULT_TEXT[:3_000],
    "a." * 10_000 + "b = 1",
    "[" * 20_000,
    "x = " + "[" * 15_000,
    "version = " + "9" * 5_000,
)
FIELDS = tuple(Data.__struct_fields__)
ENVELOPE = ("specversion", "id", "source", "type", "time", "subject", "tenant", "data", "extra")
CHOICES: dict[str, tuple[Any, ...]] = {
    "channel": (*sorted(CHANNELS), "fax"),
    "direction": ("inbound", "outbound"),
    "actor": ("customer", "company", "machine"),
    "first_time": (True, False),
    "problem": (True, False),
    "last_contact": (True, False),
    "vulnerable": (True, False),
    "risk": (0, 0.5, 1),
    "emotion": (-1, -0.9, 0, 1),
    "prefers": ("human", "phone", "web"),
    "wait_s": (0, 5, 240, 864_000_000),
    "announced_wait_s": (0, 60),
    "talk_s": (0, 300),
    "priority": (0, "high", -1),
    "where": ("queue", "ivr", "form", "cart", "bot", "step"),
    "result": ("resolved", "unresolved", "handoff", "none"),
    "results": (0, 3),
    "amount": (0, 99.5, -1e15),
    "kind": ("blind", "warm", "consult"),
    "metric": ("ces", "csat", "nps"),
    "score": (0, 1, 5, 10, -3),
    "to_channel": ("phone", "web", "fax"),
}
PLANES: tuple[Callable[[], int], ...] = (
    lambda: 0x20,
    lambda: 0x301,
    lambda: 0x202E,
    lambda: 0xFFFF,
    lambda: 0x1F600,
    lambda: 0x10FFFF,
    lambda: 0x7F,
    lambda: 0x85,
)
