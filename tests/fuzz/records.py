"""Fuzzed records: events of every type mutated in their values, their structure and their bytes; and noise.

All of it is drawn from one seed, so that a record that failed can be made again: the same seed, the same
place. Most records stay near to what is right: what is wrong in one field only reaches the furthest.

>>> first = [next(Fuzz(7).records()) for _ in range(2)]
>>> first[0] == first[1]
True
"""

from __future__ import annotations

import json
import random
import string
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from detectors.envelope import Consent, RawEngagement
from detectors.vocabulary import ALIASES, TYPES
from tests.fuzz.oddities import (
    CHOICES,
    ENVELOPE,
    ESCAPES,
    FIELDS,
    HUGE,
    LITERALS,
    NUMBERS,
    PLANES,
    POLICIES,
    SOURCES,
    STAMP,
    SUBJECTS,
    TIMES,
    WORDS,
)

__all__ = ["Fuzz", "Fuzzed"]


class Fuzzed(NamedTuple):
    """One record and how it was made; ``stamp`` is the broker's, in ms."""

    kind: str
    value: bytes | None
    stamp: int


class Fuzz:
    """Draws records from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._drawn = 0
        kinds: list[tuple[int, str, Callable[[], bytes | None]]] = [
            (300, "event", self._event),
            (200, "wrong value", self._wrong_value),
            (120, "wrong text", self._wrong_text),
            (100, "structure", self._structure),
            (100, "bytes", self._bytes),
            (40, "tick", self._tick),
            (30, "own", self._own_record),
            (40, "again", self._again),
            (40, "noise", self._noise),
            (10, "nothing", lambda: self._random.choice((None, b""))),
            # A hundred times the others' size: few, or there would be little else in so many bytes.
            (4, "policy", self._policy),
            (3, "large", self._large),
        ]
        self._weights = [weight for weight, _, _ in kinds]
        self._kinds = [(name, make) for _, name, make in kinds]
        self._before: list[bytes] = []

    def records(self) -> Iterator[Fuzzed]:
        """Without end."""
        while True:
            name, make = self._random.choices(self._kinds, self._weights)[0]
            value = make()
            yield Fuzzed(name, value, self._now)
            self._drawn += 1
            if value and self._random.random() < 0.1:
                self._before = [*self._before[-50:], value]

    @property
    def _now(self) -> int:
        return STAMP + self._drawn * 1_000

    # -- what is right -------------------------------------------------------------------------------------

    def _envelope(self) -> dict[str, Any]:
        draw = self._random
        kind = draw.choice([*TYPES, *ALIASES, "io.rehuman.purchase", "something.else"])
        event: dict[str, Any] = {
            "specversion": "1.0",
            "id": f"{self._drawn}-{draw.random()}",
            "source": draw.choice(SOURCES[:3]),
            "type": kind,
            "time": self._time(),
        }
        if draw.random() < 0.9:
            event["subject"] = f"customer-{draw.randrange(40)}"
        if draw.random() < 0.05:
            event["tenant"] = draw.choice(("default", "other"))
        if draw.random() < 0.95:
            event["data"] = self._data()
        return event

    def _time(self) -> str:
        draw = self._random
        late = draw.choice((0, 0, 0, 0, 3_000, 30_000, 90_000, 86_400_000, -5_000, -3_600_000))
        ms = self._now - late
        return f"{_iso(ms // 1000)}.{ms % 1000:03d}{draw.choice(('Z', 'Z', '+00:00'))}"

    def _data(self) -> dict[str, Any]:
        draw = self._random
        names = draw.sample(FIELDS, draw.randrange(8))
        data = {name: self._right(name) for name in names}
        if draw.random() < 0.8:
            data["journey"] = draw.choice(("claim", "order", "default"))
        if draw.random() < 0.6:
            data["session_id"] = f"s-{draw.randrange(20)}"
        if draw.random() < 0.1:
            data["own"] = draw.choice(({"items": 3}, ["x", 1, None], "text", 1.5, True, None))
        return data

    def _right(self, name: str) -> Any:
        draw = self._random
        if name in CHOICES:
            return draw.choice(CHOICES[name])
        if name == "engagement":
            return {field: draw.random() for field in RawEngagement.__struct_fields__}
        if name == "consent":
            return {field: draw.random() < 0.8 for field in Consent.__struct_fields__}
        return f"{name}-{draw.randrange(4)}"

    def _event(self) -> bytes:
        return _dump(self._envelope())

    def _tick(self) -> bytes:
        stale = ["web/shop"] if self._random.random() < 0.1 else []
        return _dump({"type": "io.rehuman.tick", "time": self._time(), "data": {"stale": stale}})

    def _again(self) -> bytes:
        return self._random.choice(self._before) if self._before else self._event()

    # -- what is wrong -------------------------------------------------------------------------------------

    def _wrong_value(self) -> bytes:
        """Fields with values they cannot have, and texts of all kinds where texts belong."""
        draw, event = self._random, self._envelope()
        data = event.setdefault("data", {})
        for _ in range(draw.choice((1, 1, 1, 2, 5))):
            within = draw.choice((event, data, data))
            name = draw.choice((*FIELDS, "own") if within is data else ENVELOPE)
            within[name] = self._anything(3)
        if draw.random() < 0.3:
            event["subject"] = draw.choice(SUBJECTS)
            data["case_id"] = f"case {event['subject']}"
            data["own"] = {str(event["subject"]): [event["subject"], {"x": event["subject"]}]}
        if draw.random() < 0.2:
            event["time"] = draw.choice(TIMES)
        return _dump(event)

    def _anything(self, depth: int) -> Any:
        draw = self._random
        kind = draw.randrange(8 if depth else 6)
        if kind < 2:
            return draw.choice((*WORDS, *SUBJECTS, *SOURCES))
        if kind < 4:
            return draw.choice(NUMBERS)
        if kind == 4:
            return draw.choice((None, True, False))
        if kind == 5:
            return "".join(chr(draw.choice(PLANES)()) for _ in range(draw.randrange(40)))
        if kind == 6:
            return [self._anything(depth - 1) for _ in range(draw.randrange(4))]
        return {str(self._anything(0)): self._anything(depth - 1) for _ in range(draw.randrange(4))}

    def _wrong_text(self) -> bytes:
        """What no encoder writes in place of a value: numbers without bounds, half surrogates, no JSON."""
        draw, event = self._random, self._envelope()
        data = event.setdefault("data", {})
        within = draw.choice((event, data, data))
        name = draw.choice(list(within) or ["own"]) if draw.random() < 0.7 else draw.choice(FIELDS)
        within[name] = "@@"
        text = draw.choice((draw.choice(HUGE), draw.choice(LITERALS), f'"{draw.choice(ESCAPES)}x"'))
        return _dump(event).replace(b'"@@"', text.encode(), 1)

    def _structure(self) -> bytes:
        """Keys twice, other orders, nests, batches, fields in their thousands."""
        draw, raw = self._random, self._event()
        kind = draw.randrange(7)
        if kind == 0:
            name = draw.choice((*ENVELOPE, "data"))
            return raw[:-1] + b"," + _dump({name: self._anything(2)})[1:]
        if kind == 1:
            return raw[:-1] + b',"data":' + _dump(self._data()) + b"}"
        if kind == 2:
            depth = draw.choice((5, 31, 32, 33, 64, 5, 33, 3_000))
            left, right = draw.choice(((b"[", b"]"), (b'{"a":', b"}")))
            nest = left * depth + draw.choice((b"1", b"")) + right * draw.choice((depth, depth - 1, 0))
            return raw[:-1] + b',"data":{"own":' + nest + b"}}"
        if kind == 3:
            return b"[" + raw + b"," + raw + b"]"
        if kind == 4:
            fields = b",".join(
                b'"f%d":%d' % (n, n) for n in range(draw.choice((10, 100, 10, 100, 10, 100, 10, 3_000)))
            )
            return raw[:-1] + b',"data":{' + fields + b"}}"
        if kind == 5:
            event = self._envelope()
            items = list(event.items())
            draw.shuffle(items)
            return (
                b" \n" + json.dumps(dict(items[: draw.randrange(len(items) + 1)]), indent=2).encode() + b"\t"
            )
        return raw + raw

    def _bytes(self) -> bytes:
        """Bytes turned, cut, repeated or put in."""
        draw = self._random
        raw = bytearray(draw.choice((self._event, self._wrong_value, self._tick))())
        for _ in range(draw.choice((1, 1, 2, 8))):
            at = draw.randrange(len(raw) or 1)
            kind = draw.randrange(5)
            if kind == 0 and raw:
                raw[at] ^= 1 << draw.randrange(8)
            elif kind == 1:
                del raw[at:]
            elif kind == 2:
                raw[at:at] = draw.choice(
                    (b"\x00", b"\xff", b"\xed\xa0\x80", b'"', b"\\", b"{", b"]", b"\xef\xbb\xbf")
                )
            elif kind == 3:
                raw[at:at] = raw[at : at + draw.randrange(20)] * draw.randrange(4)
            else:
                del raw[at : at + draw.randrange(10)]
        return bytes(raw)

    def _own_record(self) -> bytes:
        """Ticks and activations that are not quite."""
        draw = self._random
        event = {
            "type": draw.choice(("io.rehuman.tick", "io.rehuman.policy")),
            "time": self._time(),
            "data": {},
        }
        for _ in range(draw.randrange(3)):
            name = draw.choice(("data", "id", "source", "specversion", "extra"))
            event[name] = self._anything(2)
        if isinstance(event["data"], dict) and draw.random() < 0.7:
            event["data"][draw.choice(("stale", "fresh", "policy", "version"))] = self._anything(2)
        return _dump(event)

    def _policy(self) -> bytes:
        draw = self._random
        text = draw.choice(POLICIES)
        if draw.random() < 0.5:
            at = draw.randrange(len(text))
            text = text[:at] + draw.choice(string.printable) + text[at + 1 :]
        data = {"version": draw.choice((1, 2, 3, 2**31)), "policy": text}
        return _dump({"type": "io.rehuman.policy", "time": self._time(), "data": data})

    def _noise(self) -> bytes:
        draw = self._random
        kind = draw.randrange(3)
        if kind == 0:
            return draw.randbytes(draw.choice((1, 30, 300, 3_000)))
        if kind == 1:
            return "".join(
                draw.choice('{}[]",:\\e1-+.truefalsn ') for _ in range(draw.randrange(600))
            ).encode()
        return _dump(self._anything(3))

    def _large(self) -> bytes:
        """Up to the limit and beyond it, of what may cost most."""
        draw, size = self._random, self._random.choice((20_000, 60_000, 64_000, 66_000, 200_000))
        event = self._envelope() | {"subject": "customer-1"}
        fill = draw.choice(
            (b"[", b'\\"', b'{"', b"\\", b'"",', b"customer-1", b"\\u0000", b"1e999,", b"[]", b"\xc3\xa9")
        )
        body = (fill * (size // len(fill) + 1))[:size]
        head = _dump(event)[:-1]
        return draw.choice(
            (
                head + b',"data":{"own":"' + body + b'"}}',
                head + b',"data":{"own":[' + body + b"1]}}",
                head + b',"data":{"step":"' + body + b'","session_id":"' + body[:100] + b'"}}',
                head + b',"data":{' + b",".join(b'"%d":1e999' % n for n in range(size // 12)) + b"}}",
                head
                + b',"data":{"own":{'
                + b",".join(b'"k%d":"customer-1"' % n for n in range(size // 20))
                + b"}}}",
                b'{"id":"' + body,
                b"[" * 40 + b'"' + body,
                body,
            )
        )


def _dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _iso(seconds: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
