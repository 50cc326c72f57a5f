"""Records of the compiled build are those of plain Python, byte for byte."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from detectors import BUILD, quick
from detectors.examples import MONDAY, Story, minutes
from detectors.log import LogFold
from detectors.moment import Findings
from detectors.packed import SCHEMA, PackedError, general, pack, plain, unpack
from detectors.policy import default
from detectors.state import Customer, Sums, new
from detectors.vocabulary import TYPES
from tests.detectors.malformed import record
from tests.detectors.test_bounds import adversarial, adversarial_data
from tests.detectors.traffic import log_of, rfc3339

COMPILED = BUILD == "compiled"


def log() -> LogFold:
    return LogFold(0, default(), lambda tenant, subject: "p" + subject, lambda tenant, subject: "sealed")


def states(folded: LogFold) -> Iterator[Customer]:
    customers = folded.fold.known
    for key in sorted({*customers._hot, *customers._packed}):
        state = customers.get(key)
        assert state is not None
        yield state


def same(state: Customer) -> None:
    for with_ring in (True, False):
        found, expected = quick.state(state, with_ring), general(state, with_ring)
        assert found == expected if COMPILED else found is None


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_of_customers_of_every_kind(seed: int) -> None:
    folded, rings = log(), 0
    items = log_of(seed, 4_000, 12)
    for offset, item in enumerate(items):
        folded.record(item.raw, item.time, offset, Findings())
        if offset % 97 == 0:
            for state in states(folded):
                same(state)
                rings += state.ring is not None
                same(unpack(pack(state)))
    assert rings > 100


def test_of_texts_in_every_script() -> None:
    rng, folded = random.Random(4), log()
    for offset in range(400):
        raw = adversarial(rng, MONDAY + offset * 9_000, sorted(TYPES), adversarial_data(rng))
        folded.record(raw, MONDAY + offset * 9_000, offset, Findings())
        for state in states(folded):
            same(state)


def test_of_conversations_and_how_they_fell_silent() -> None:
    chat = {"channel": "chat", "conversation_id": "c"}
    story, asked = Story(), ("message.sent", "message.received")
    for at in range(0, 240, 30):
        for kind, behind in zip(asked, (0, 10), strict=True):
            story.tell(kind, (at + behind) * 1_000, chat)
            same(story.jane)
    assert story.jane.reply_gap
    story.tell("message.sent", minutes(9), chat).tell("message.received", minutes(19), chat)
    story.tell("conversation.ended", minutes(29), chat | {"result": "no_answer"})
    assert story.jane.owed[0].ended
    same(story.jane)
    story.until(minutes(60))
    assert any(attempt.told is not None and len(attempt.told) == 12 for attempt in story.jane.attempts)
    same(story.jane)


def one() -> Customer:
    return new("default", "p", "sealed", False, 0)


NUMBERS = [0, 127, 128, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, 2**61, 2**62, 2**63 - 1]


@pytest.mark.parametrize("number", [*NUMBERS, *(-n for n in NUMBERS), -33, -32, -129, -32_769, -(2**63)])
def test_of_numbers_at_every_edge(number: int) -> None:
    state = one()
    state.case = state.now = number
    same(state)


def test_of_texts_and_lists_of_every_length() -> None:
    for size in [*range(42), 255, 256, 65_535, 65_536]:
        state = one()
        state.last_id, state.seen = "x" * size, b"y" * size
        state.fields = ["z"] * size
        same(state)


def no_text(state: Customer) -> None:
    state.last_id = "\ud800"


def beyond_64_bits(state: Customer) -> None:
    state.case = 2**64


@pytest.mark.parametrize("harm", [no_text, beyond_64_bits])
def test_what_cannot_be_packed_is_said_by_the_general_way(harm: Callable[[Customer], None]) -> None:
    state = one()
    harm(state)
    assert quick.state(state, True) is None
    with pytest.raises((UnicodeEncodeError, OverflowError, msgspec.MsgspecError)):
        pack(state)


@pytest.mark.parametrize("other", [None, 1, b"", Sums()])
def test_of_something_else_nothing_is_taken(other: Any) -> None:
    assert quick.state(other, True) is None


def test_an_idle_customer_keeps_no_ring() -> None:
    folded = log()
    out = Findings()
    for offset, (subject, at) in enumerate(
        [("jane", 0), ("john", 1_000), ("john", 200_000), ("joan", 400_000)]
    ):
        raw = record(str(offset), subject=subject, time=rfc3339(MONDAY + at))
        assert folded.record(raw, MONDAY + at, offset, out) == "event"
        folded.fold.changed()
    rings = {state.customer: state.ring is not None for state in states(folded)}
    assert rings == {"pjane": False, "pjohn": False, "pjoan": True}


def test_what_a_later_version_adds_is_left_out_and_what_an_earlier_one_lacks_is_nothing() -> None:
    """Both ways of a rolling upgrade: fields are only ever added at the end."""
    folded = log()
    for offset, item in enumerate(log_of(5, 2_000, 12)):
        folded.record(item.raw, item.time, offset, Findings())
    found = list(states(folded))
    assert any(state.attempts for state in found)
    for state in found:
        fields = msgspec.msgpack.decode(plain(pack(state)))
        later = msgspec.msgpack.encode([*fields, "something new"])
        assert pack(unpack(later)) == pack(state)
        # As it was before there were rings, sources of attempts and whom a promise was made to.
        earlier = [*fields[:23]]
        earlier[11] = [attempt[:13] for attempt in earlier[11]]
        earlier[14] = [owed[:8] for owed in earlier[14]]
        earlier[15] = [solved[:4] for solved in earlier[15]]
        before = unpack(msgspec.msgpack.encode(earlier))
        assert before.ring is None
        assert msgspec.msgpack.decode(general(before, False))[:11] == fields[:11]
        assert [attempt.source for attempt in before.attempts] == [""] * len(state.attempts)


def test_a_record_of_a_higher_schema_is_refused() -> None:
    """Whoever cannot understand a state must not go on with a part of it."""
    fields = msgspec.msgpack.decode(plain(pack(new("default", "p1", "sealed", False, 1_000))))
    assert fields[0] == SCHEMA
    raw = msgspec.msgpack.encode([SCHEMA + 1, *fields[1:]])
    with pytest.raises(PackedError, match=f"of version {SCHEMA + 1}; this is version {SCHEMA}"):
        log().fold.load(b"key", raw)
