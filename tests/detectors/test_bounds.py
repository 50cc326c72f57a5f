"""The state of one customer stays small, whatever arrives."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from detectors import BUILD
from detectors.bounds import MOST_SEEN, SEEN_BYTES
from detectors.examples import MONDAY, Story, minutes
from detectors.log import LogFold
from detectors.moment import Findings
from detectors.packed import pack, plain, unpack
from detectors.policy import default
from detectors.state import Customer
from detectors.vocabulary import CHANNELS, TYPES
from tests.detectors.traffic import rfc3339

MOST, TYPICAL = 8 * 1024, 2 * 1024
# As plain Python the same again would take as long as all other tests of the detectors together.
EVENTS = 100_000 if BUILD == "compiled" else 5_000
LETTERS = ["x", "é", "漢", "😀", "\\", '"']


def long_text(rng: random.Random, most: int) -> str:
    """Unique, as long as may be, in scripts of one to four bytes a letter."""
    return f"{rng.getrandbits(64):x}" + rng.choice(LETTERS) * (most - 16)


def adversarial_data(rng: random.Random) -> msgspec.Raw:
    """What one event says, as JSON: far more different labels than any bound has room for."""
    names = """journey step intent case_id session_id conversation_id device agent_id team release language
    segment queue where field reason result kind to_channel from_team to_team priority prefers scale"""
    data: dict[str, Any] = {name: long_text(rng, 120) for name in names.split() if rng.random() < 0.8}
    data |= {
        "channel": rng.choice(sorted(CHANNELS)),
        "actor": rng.choice(["customer", "company", "machine"]),
        "wait_s": 1e8 * rng.random(),
        "announced_wait_s": 1e8 * rng.random(),
        "emotion": rng.uniform(-1, 1),
        "risk": rng.random(),
        "engagement": {"financial": rng.random()},
        "amount": rng.uniform(-1e15, 1e15),
    }
    if rng.random() < 0.5:
        data["result"] = rng.choice(["resolved", "left", "handed_over"])
    if rng.random() < 0.7:
        del data["actor"]
    return msgspec.Raw(msgspec.json.encode(data))


def adversarial(rng: random.Random, time: int, kinds: list[str], data: msgspec.Raw) -> bytes:
    return msgspec.json.encode(
        {
            "specversion": "1.0",
            "id": long_text(rng, 128),
            "source": long_text(rng, 200),
            "type": rng.choice(kinds),
            "time": rfc3339(time + rng.randrange(-50_000, 50_000)),
            "subject": "漢" * 256,
            "tenant": "漢" * 64,
            "data": data,
        }
    )


def test_very_many_events_of_every_kind() -> None:
    """At most 8 KiB at every moment looked at."""
    rng = random.Random(1)
    # The longest that a reference can be: 256 letters of four bytes, sealed and in base64.
    log = LogFold(0, default(), lambda *_: "p" * 32, lambda *_: "r" * ((256 * 4 + 16) * 4 // 3 + 2))
    kinds = [kind for kind in TYPES if kind != "survey.response"] + ["own.type"]
    # Making them anew for each event would take a third of the time.
    said = [adversarial_data(rng) for _ in range(2_000)]
    largest = uncompressed = 0
    state: Customer | None = None
    for number in range(EVENTS):
        out = Findings()
        time = MONDAY + number * 20_000
        assert log.record(adversarial(rng, time, kinds, rng.choice(said)), time, number, out) == "event"
        if number % 97 == 0 or number < 200:
            (key,) = log.fold.known.keys()
            state = log.fold.known.get(key)
            assert state is not None
            largest = max(largest, len(pack(state)))
            uncompressed = max(uncompressed, len(plain(pack(state))))
    assert state is not None
    counts = log.fold.counts
    # Half of them are out of order, more than a bounded ring has room for: the rest counts as late.
    assert counts.scored + counts.late + counts.unknown == counts.accepted == EVENTS
    assert counts.scored > EVENTS / 2
    assert counts.overflows > EVENTS / 100
    assert 3_000 < largest <= MOST
    assert uncompressed <= 24 * 1024, "in memory, too, it is bounded"
    assert len(state.seen) == MOST_SEEN * SEEN_BYTES
    assert len(log.fold._timers) < 10
    assert pack(unpack(pack(state))) == pack(state)


EPISODES: dict[str, list[str]] = {
    "web": [
        "session.start",
        "page_view",
        "page_view",
        "step.entered",
        "form_start",
        "form_change",
        "form_error",
        "form_change",
        "form_submit",
        "step.completed",
        "checkout_step",
        "rage_click",
        "session.end",
    ],
    "chat": [
        "conversation.started",
        "message.sent",
        "conversation.enqueued",
        "conversation.assigned",
        "message.received",
        "message.sent",
        "message.received",
        "conversation.ended",
    ],
    "phone": ["ivr.enter", "ivr.exit", "call.queued", "call.connected", "call.transferred", "call.ended"],
}


@pytest.mark.parametrize("seed", range(20))
def test_a_typical_active_customer(seed: int) -> None:
    """60 events in visits, chats and calls about two journeys within a week: at most 2 KiB after each.

    Ids and names are of the kind and length that real systems use; some episodes break off.
    """
    rng = random.Random(seed)
    story = Story()
    at = told = visits = 0
    while told < 60:
        visits += 1
        channel = rng.choices(["web", "chat", "phone"], [4, 1, 1])[0]
        named = "session_id" if channel == "web" else "conversation_id"
        about = {
            "channel": channel,
            "journey": rng.choice(["checkout", "returns"]),
            "step": rng.choice(["basket", "delivery-address", "payment"]),
            "intent": rng.choice(["", "where_is_my_order", "refund"]),
            "release": "2024.05.1",
            "language": "en",
            "segment": "consumer",
            "device": "desktop",
            "field": rng.choice(["email", "street"]),
            "result": "queue",
            named: f"{rng.getrandbits(32):08x}-4f5e-4d3c-9b2a-1a2b3c4d5e6f",
        }
        episode = EPISODES[channel]
        for kind in episode[: rng.choice([len(episode), len(episode), len(episode) // 2])]:
            at += rng.randrange(1_000, 60_000)
            told += 1
            story.tell(kind, at, about, subject="jane", source="web/shop", id=f"{told:032x}")
            assert len(pack(story.jane)) <= TYPICAL
        at += minutes(rng.randrange(10, 3_000))
    assert len(story.jane.journeys) == 2
    assert len(story.jane.seen) == MOST_SEEN * SEEN_BYTES
