"""Whatever bytes come, no lane ends, and each record is accounted for; ``benchmarks.fuzz`` runs longer."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from benchmarks.fuzz import main
from detectors.decode import MAX_BYTES, Decoder
from detectors.policy import PolicyError, default, parse
from streams import blocks
from streams.desk_lane import DeskFold
from streams.events_lane import EventsFold
from streams.fits import misfit
from streams.identity import Pseudonyms
from streams.lanes.api import Record
from streams.sources.api import cloud_event
from streams.topics import TopicNames
from tests.fuzz.account import run
from tests.fuzz.oddities import POLICIES, STAMP
from tests.fuzz.records import Fuzz

TOPICS = TopicNames("fuzz")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_record_is_accounted_for(seed: int) -> None:
    account = run(seed, 300_000)
    assert account.wrong == []
    assert account.accounted == account.sent
    assert account.letters == account.tally.outcomes["dead_letter"]
    # It reaches all of what there is.
    assert {"event", "duplicate", "tick", "dead_letter"} <= set(+account.tally.outcomes)
    assert len(account.reasons) > 8
    assert account.rows > account.letters


def test_a_seed_is_a_record_for_ever() -> None:
    first, second = (Fuzz(5).records() for _ in range(2))
    assert [next(first) for _ in range(300)] == [next(second) for _ in range(300)]


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--bytes", "20000", "--seed", "9", "--seeds", "2", "--json"])
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [run["seed"] for run in found] == [9, 10]
    assert all(run["records"] == run["accounted"] for run in found)
    # What a record costs is the machine's, too: here nothing is said about it.
    assert code in (0, 1)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 33 + b'"' + b'\\"' * 32_000,  # a quarter of a minute, once
        b"[" * 33 + b'"' + b"\\" * 60_000,
        b'{"a":' * 33 + b'""' * 30_000,
        b"[]" * 32_000,
    ],
    ids=["open string", "backslashes", "strings", "brackets"],
)
def test_nests_and_strings_are_read_in_one_go(raw: bytes) -> None:
    """Forty times each: in quadratic time that would be ten minutes."""
    decoder = Decoder(lambda tenant, subject: "p", 0, 0)
    assert len(raw) <= MAX_BYTES
    for _ in range(40):
        assert decoder.decode(raw, STAMP).reason in ("too_deep", "not_an_object")  # type: ignore[union-attr]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("text", POLICIES[4:], ids=range(len(POLICIES) - 4))
def test_a_policy_that_cannot_be_read_is_refused(text: str) -> None:
    for _ in range(10):
        with pytest.raises(PolicyError):
            parse(text)


def test_long_names_are_not_remembered() -> None:
    """Caches are bounded in bytes: thousands of sessions with names of 60 KiB must not stay in memory."""
    names = Pseudonyms(b"0123456789abcdef", b"fedcba9876543210")
    seen: list[str] = []

    class Watched(Pseudonyms):
        def __init__(self) -> None:
            super().__init__(b"0123456789abcdef", b"fedcba9876543210")

            def pseudonym(tenant: str, subject: str) -> str:
                seen.append(subject)
                return names.pseudonym(tenant, subject)

            self.pseudonym = pseudonym

    lane = EventsFold(0, 1, TOPICS, default(), Watched())
    for n in range(3):
        long = f"{n}" + "x" * 60_000
        raw = json.loads(cloud_event("page_view", STAMP, "web", str(n), "", {"session_id": long}).value)
        raw.pop("subject", None)
        assert lane.apply([Record(n, STAMP, None, json.dumps(raw).encode())]) == []
    assert len(set(seen)) == 3
    assert max(map(len, seen)) < 200
    assert len(lane.log.fold.known) == 3


def test_the_desk_takes_whatever_comes() -> None:
    draw = random.Random(3)
    fuzz = Fuzz(4)
    desk = DeskFold(0, TOPICS)
    sent = letters = alerts = 0
    for n in range(4_000):
        message: dict[str, Any] = {
            "type": draw.choice(("candidate.raised", "candidate.updated", "candidate.completed")),
            "id": f"a{draw.randrange(50)}",
            "ver": n,
            "time": STAMP,
            "tenant": "default",
            "customer": "p",
            "partition": 0,
            "offset": n,
            "data": {"alert_id": "a", "level": "watch", "effort": 1.0, "trigger_event": {"id": "1"}},
        }
        for _ in range(draw.choice((0, 1, 1, 2))):
            within = draw.choice((message, message["data"])) if isinstance(message["data"], dict) else message
            within[draw.choice(list(within) or ["ver"])] = fuzz._anything(2)
        raw = json.dumps(message, ensure_ascii=False).encode("utf-8", "surrogatepass")
        if draw.random() < 0.1:
            raw = fuzz._bytes()
        outputs = desk.apply([Record(n, STAMP, b"default", raw)])
        assert len(outputs) <= 1
        sent += 1
        letters += sum(output.topic == TOPICS.dead_letters for output in outputs)
        alerts += sum(output.topic == TOPICS.alerts for output in outputs)
        if n % 500 == 499:
            for output in desk.flush():
                block = blocks.decode(output.value or b"")
                assert not any(misfit(block.table, row) for row in zip(*block.columns, strict=True))
            again = DeskFold(0, TOPICS)
            for key, state in desk.changed():
                assert state is not None
                again.load(key, state)
    assert letters > 500
    assert alerts > 500
    assert letters + alerts <= sent
