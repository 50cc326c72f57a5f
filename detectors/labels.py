"""Labels and ids cut to a bounded length without making two different ones equal.

State, LowCardinality columns and memory are bounded only if names are. A longer name keeps its beginning and
gets a digest of the whole.

>>> label("checkout/payment")
'checkout/payment'
>>> label("x" * 50), len(label("é" * 50).encode()) <= LABEL_BYTES
('xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx~e7207212', True)
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import Final

__all__ = ["ID_BYTES", "LABEL_BYTES", "identifier", "label"]

LABEL_BYTES: Final = 40  # a journey, a step, a release: what boards group by
ID_BYTES: Final = 128  # a conversation, a ticket: what links are made of
_DIGEST: Final = 8
_MOST_REMEMBERED: Final = 512


def label(text: str) -> str:
    """``text``, at most :data:`LABEL_BYTES` bytes of UTF-8."""
    if len(text) <= LABEL_BYTES and text.isascii():
        return text
    return _cut(text, LABEL_BYTES)


def identifier(text: str) -> str:
    """``text``, at most :data:`ID_BYTES` bytes of UTF-8."""
    if len(text) <= ID_BYTES and text.isascii():
        return text
    return _cut(text, ID_BYTES)


def _cut(text: str, limit: int) -> str:
    # What is remembered is bounded in bytes, too.
    return _remembered(text, limit) if len(text) <= _MOST_REMEMBERED else _cut_anew(text, limit)


def _cut_anew(text: str, limit: int) -> str:
    raw = text.encode("utf-8", "replace")
    if len(raw) <= limit:
        return raw.decode("utf-8")
    digest = blake2b(raw, digest_size=_DIGEST // 2).hexdigest()
    return raw[: limit - _DIGEST - 1].decode("utf-8", "ignore") + "~" + digest


_remembered = lru_cache(maxsize=4096)(_cut_anew)
