"""Histories made by hand: contacts on channels, some of which settle what they are about."""

from __future__ import annotations

import random
from pathlib import Path

from streams.calibrate import Request
from streams.settings import load
from streams.sources.api import SourceEvent, cloud_event
from tests.support.world import PSEUDONYM_KEY, REFERENCE_KEY

MONDAY = 1_704_099_600_000
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


def call(
    subject: str | None, at: int, intent: str = "cancel", ends: str = "call.ended", **more: str
) -> list[SourceEvent]:
    """A call ``at`` ms after Monday nine o'clock, of ten minutes."""
    name = f"call-{subject}-{at}"
    about = {"channel": "phone", "intent": intent, "conversation_id": name, "journey": "contract", **more}
    kinds = [("call.queued", 0), ("call.connected", MINUTE), (ends, 10 * MINUTE)]
    if ends == "call.abandoned":
        kinds = [("call.queued", 0), (ends, 5 * MINUTE)]
    return [
        cloud_event(kind, MONDAY + at + after, "pbx", f"{name}/{kind}", subject, about)
        for kind, after in kinds
    ]


def chat(subject: str, at: int, intent: str = "cancel") -> list[SourceEvent]:
    """A chat of ten minutes."""
    name = f"chat-{subject}-{at}"
    about = {"channel": "chat", "intent": intent, "conversation_id": name, "journey": "contract"}
    kinds = [("conversation.started", 0), ("conversation.assigned", MINUTE), ("conversation.ended", 600_000)]
    return [
        cloud_event(kind, MONDAY + at + after, "chat", f"{name}/{kind}", subject, about)
        for kind, after in kinds
    ]


def history(
    people: int, phone: float, chats: float, intent: str = "technical_help", begin: int = 0
) -> list[SourceEvent]:
    """One contact a person, every other by phone; who was not settled calls again the next day.

    A last event far behind them decides all of it.
    """
    rng = random.Random(5)
    found: list[SourceEvent] = []
    for number in range(people):
        at, name = begin + number * 20 * MINUTE, f"{intent}-{begin}-{number}"
        found += call(name, at, intent) if number % 2 else chat(name, at, intent)
        if rng.random() >= (phone if number % 2 else chats):
            found += call(name, at + DAY, intent)
    found += call("last", begin + people * 20 * MINUTE + 20 * DAY, "")
    return sorted(found)


def written(path: Path, events: list[SourceEvent]) -> Path:
    """As a file of CloudEvents."""
    path.write_bytes(b"".join(event.value + b"\n" for event in events))
    return path


def request(target: str, out: Path, *files: Path, base: Path | None = None, **more: int) -> Request:
    """What the command line would ask."""
    settings = load(None, pseudonym_key=PSEUDONYM_KEY, reference_key=REFERENCE_KEY)
    return Request(
        settings=settings,
        source="cloudevents",
        files=files,
        target_text=target,
        policy_out=out,
        report_out=out.with_suffix(".json"),
        base=base,
        start=more.get("start"),
        until=more.get("until"),
        holdout=more.get("holdout"),
    )
