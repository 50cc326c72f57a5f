"""Who a record says it is from, without reading all of it: for parking, and for lists of dead letters.

>>> head(b'{"source":"web/shop","data":{"source":"x"},"subject":"jane","type":"page_view"}')
Head(source='web/shop', subject='jane', type='page_view')
>>> head(b'{"source":"web/shop","sub') is None
True
>>> guess(b'{"source": "web/shop","sub')
'web/shop'
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from detectors.decode import MAX_BYTES
from detectors.labels import label
from detectors.scrub import replaced

__all__ = ["Head", "guess", "head", "shown"]

# Where a producer that cuts its records off has written the source, if anywhere.
_NEAR = 4096
_SOURCE = re.compile(rb'"source"\s*:\s*"([^"\\\x00-\x1f]{1,256})"')


class _Wire(msgspec.Struct):
    source: Any = None
    subject: Any = None
    type: Any = None


class Head(msgspec.Struct, frozen=True):
    """The envelope's words as they were sent; empty where they are missing or no texts."""

    source: str = ""
    subject: str = ""
    type: str = ""


_decode = msgspec.json.Decoder(_Wire).decode


def head(raw: bytes | None) -> Head | None:
    """The head of a record that is a JSON object; None for anything else. Never raises."""
    if not raw or len(raw) > MAX_BYTES:
        return None
    try:
        found = _decode(raw)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    return Head(_text(found.source), _text(found.subject), _text(found.type))


def guess(raw: bytes | None) -> str:
    """The source of a record, even of one that cannot be read; empty where none is seen."""
    if not raw:
        return ""
    found = head(raw)
    if found is not None:
        return shown(found)
    seen = _SOURCE.search(raw[:_NEAR])
    return label(seen[1].decode("utf-8", "replace")) if seen else ""


def shown(found: Head) -> str:
    """The source as it may be shown: no longer than a label, and without the customer it may name."""
    source = replaced(found.source, found.subject, "*") if found.subject else found.source
    return label(source)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
