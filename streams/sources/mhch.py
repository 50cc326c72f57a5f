"""MHCH chat dialogues of an online shop (AAAI 2021): one JSON line a dialogue, without time stamps.

Times are a fixed cadence: dialogue ``i`` of the files given starts at 2021-01-04T09:00Z plus 10 minutes each,
its utterances follow 20 s apart and it ends 20 s after the last. Nothing that depends on real waiting can be
learned from it. The ``handoff`` labels are the answer to be predicted: they are never read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from streams.sources.api import RefField, SourceCounts, SourceEvent, cloud_event
from streams.sources.files import RejectError, lines, ordered

__all__ = ["MhchSource"]

NAME = "mhch"
START_MS = 1_609_750_800_000  # 2021-01-04T09:00:00Z, a Monday
EVERY_MS = 600_000
TURN_MS = 20_000
# Role 0 opens 98 % of the dialogues, mostly with the same product card, and writes 4 words at a time; role 1
# writes 33, often in the very same words: the customer, and the side that answers.
TYPES = {0: "message.sent", 1: "message.received"}


class _Dialogue(msgspec.Struct):
    dialogue: str
    role: list[int]


_decode = msgspec.json.Decoder(_Dialogue).decode


class MhchSource:
    """Adapter ``mhch``. The row id (``source_ref``) is ``dialogue``."""

    name = NAME
    ref: RefField = "conversation"

    def read(self, paths: Sequence[Path], counts: SourceCounts) -> Iterator[SourceEvent]:
        """See :class:`streams.sources.api.Source`; the cadence counts good dialogues over all files."""
        seen: set[str] = set()
        events: list[SourceEvent] = []
        for path in paths:
            for place, raw in lines(path):
                counts.row()
                try:
                    dialogue = _checked(raw, seen)
                except RejectError as reason:
                    counts.reject(str(reason), place)
                    continue
                given = _events(dialogue, START_MS + len(seen) * EVERY_MS)
                seen.add(dialogue.dialogue)
                counts.gave(*[name for name, _ in given])
                events.extend(event for _, event in given)
        yield from ordered(events)


def _checked(raw: bytes, seen: set[str]) -> _Dialogue:
    try:
        dialogue = _decode(raw)
    except msgspec.ValidationError:
        raise RejectError("not_a_dialogue") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise RejectError("not_json") from None
    if not dialogue.dialogue:
        raise RejectError("no_dialogue_id")
    if dialogue.dialogue in seen:
        raise RejectError("repeated_dialogue")
    if not dialogue.role:
        raise RejectError("no_utterances")
    if not set(dialogue.role) <= TYPES.keys():
        raise RejectError("unknown_role")
    return dialogue


def _events(dialogue: _Dialogue, start: int) -> list[tuple[str, SourceEvent]]:
    name = dialogue.dialogue
    data = {"channel": "chat", "journey": "shopping", "conversation_id": name, "language": "zh"}
    told = [("started", "conversation.started", start)]
    for turn, role in enumerate(dialogue.role):
        told.append((f"{turn + 1:03d}", TYPES[role], start + turn * TURN_MS))
    told.append(("ended", "conversation.ended", start + len(dialogue.role) * TURN_MS))
    return [(kind, cloud_event(kind, at, NAME, f"{name}/{suffix}", None, data)) for suffix, kind, at in told]
