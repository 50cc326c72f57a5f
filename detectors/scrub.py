"""A raw customer id in other fields than the subject: the pseudonym takes its place before anything is kept.

Sources repeat the id in sessions, in case numbers, in fields of their own. Only the events' topic and the
dead letters hold raw ids, so every text of an event is searched, before it is cut to a label's length.

>>> replaced("case-jane@example.org-7", "jane@example.org", "p1"), replaced("1042", "42", "p1")
('case-p1-7', '1042')
>>> attributes({"crm": msgspec.Raw(b'["JANE01", 17]')}, "JANE01", "p1")
'{"crm":["p1",17]}'
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from detectors.envelope import Data, Envelope
from detectors.labels import ID_BYTES, identifier
from detectors.vocabulary import TYPES, canonical

__all__ = ["attributes", "replaced", "scrub", "written"]

_LEAST: Final = 6  # a shorter id inside a longer text is most likely something else
MAX_ATTRIBUTES: Final = 2048
# Chosen from lists of the contract's; an id that reads the same is a coincidence and says nothing.
_CLOSED: Final = frozenset(["channel", "direction", "actor", "metric"])


def written(subject: str) -> bytes:
    """``subject`` as a record repeats it: where nothing is escaped, no repetition is written otherwise."""
    return (subject if len(subject) >= _LEAST else f'"{subject}"').encode()


def replaced(text: str, subject: str, pseudonym: str) -> str:
    """``text`` with the pseudonym wherever it repeats ``subject``."""
    if text == subject or (len(subject) >= _LEAST and subject in text):
        return text.replace(subject, pseudonym)
    return text


def scrub(envelope: Envelope, data: Data, subject: str, pseudonym: str) -> None:
    """Replace the raw id in every free text of an event."""
    for name in Data.__struct_fields__:
        value = getattr(data, name)
        if isinstance(value, str) and name not in _CLOSED:
            setattr(data, name, replaced(value, subject, pseudonym))
    envelope.id = replaced(envelope.id, subject, pseudonym)
    if len(envelope.id) > ID_BYTES:
        envelope.id = identifier(envelope.id)
    envelope.source = replaced(envelope.source, subject, pseudonym)
    if canonical(envelope.type) not in TYPES:
        envelope.type = replaced(envelope.type, subject, pseudonym)


def attributes(own: Mapping[str, msgspec.Raw | bytes], subject: str = "", pseudonym: str = "") -> str:
    """Fields of an event's own as one JSON object, at most :data:`MAX_ATTRIBUTES` characters; "" for none.

    Given a ``subject``, its pseudonym stands in its place, also where it was written as a number.
    """
    kept: list[str] = []
    size = 1
    for name, raw in own.items():
        if subject:
            try:
                value = msgspec.json.encode(_inside(msgspec.json.decode(raw), subject, pseudonym))
            except ValueError:
                continue  # a number beyond all bounds: nothing that could be searched, or read again
            key = replaced(name, subject, pseudonym)
        else:
            value, key = bytes(raw), name
        # Nearly every name is a plain word, of which the JSON is itself.
        named = f'"{key}"' if key.isidentifier() and key.isascii() else msgspec.json.encode(key).decode()
        entry = f"{named}:{value.decode()}"
        size += len(entry) + 1
        if size > MAX_ATTRIBUTES:
            break
        kept.append(entry)
    return "{" + ",".join(kept) + "}" if kept else ""


def _inside(value: object, subject: str, pseudonym: str) -> object:
    if isinstance(value, str):
        return replaced(value, subject, pseudonym)
    if isinstance(value, list):
        return [_inside(item, subject, pseudonym) for item in value]
    if isinstance(value, dict):
        return {
            replaced(key, subject, pseudonym): _inside(item, subject, pseudonym)
            for key, item in value.items()
        }
    if isinstance(value, int | float) and not isinstance(value, bool) and str(value) == subject:
        return pseudonym
    return value
