"""Runs records through the lanes' own code and accounts for each; what must never be is told by its seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from time import thread_time

from detectors.events import Rejected
from detectors.partition import Counts
from detectors.policy import Policy, default
from detectors.tables import TABLES
from streams import blocks
from streams.accounts import Accepted
from streams.events_lane import EventsFold
from streams.fits import fits
from streams.identity import Pseudonyms
from streams.lanes.api import Output, Record
from streams.topics import TopicNames
from tests.fuzz.records import Fuzz, Fuzzed

__all__ = ["Account", "run"]

TOPICS = TopicNames("fuzz")
NAMES = Pseudonyms(b"a fuzzing key, not a secret", b"another fuzzing key, no secret")
# Then a new lane is restored from what the old one wrote, as after a restart.
CHECKPOINT_EVERY = 200
RESTART_EVERY = 700
# State and watermark begin anew, or most of a long run would be late for its furthest tick.
FRESH_EVERY = 2_000
# A record of this size is charged with its own checkpoint.
HEAVY_BYTES = 16 * 1024


class Tally(Accepted):
    """What the lane says became of its records."""

    def __init__(self) -> None:
        super().__init__(0)
        self.outcomes: Counter[str] = Counter()

    def took(self, outcome: str | Rejected) -> None:
        self.outcomes["dead_letter" if isinstance(outcome, Rejected) else outcome] += 1

    def folded(self, now: Counts, before: Counts) -> None:
        duplicates = now.duplicates - before.duplicates
        self.outcomes["event"] += now.accepted - before.accepted - duplicates
        self.outcomes["duplicate"] += duplicates
        self.outcomes["repeated"] += now.skipped - before.skipped


class Account:
    """What was sent and what became of it; ``slowest`` are CPU milliseconds, kind and place of a record."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.sent = self.bytes = self.letters = self.rows = 0
        self.cpu_s = 0.0
        self.tally = Tally()
        self.reasons: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.slowest: list[tuple[float, str, int]] = []
        # What must not be, in words: where, and what.
        self.wrong: list[str] = []

    @property
    def accounted(self) -> int:
        """Records of which it is known what became of them."""
        return sum(self.tally.outcomes.values())

    def charge(self, seconds: float, drawn: Fuzzed, place: int) -> None:
        """Remember the records that cost most."""
        self.slowest.append((seconds * 1_000, drawn.kind, place))
        if len(self.slowest) > 1_000:
            self.slowest = sorted(self.slowest, reverse=True)[:20]

    def again(self, other: Account, over_ms: float) -> None:
        """What cost more than that here, and less in another run of the same seed, costs the less."""
        there = {place: ms for ms, _, place in other.slowest}
        self.slowest = [
            (min(ms, there.get(place, 0.0)) if ms > over_ms else ms, kind, place)
            for ms, kind, place in self.slowest
        ]

    def fail(self, place: int, what: str) -> None:
        """Something that must never be; a few are enough."""
        if len(self.wrong) < 20:
            self.wrong.append(f"seed {self.seed}, record {place}: {what}")


def run(seed: int, size: int, policy: Policy | None = None) -> Account:
    """Give a lane fuzzed records of ``size`` bytes in all."""
    account, drawn = Account(seed), Fuzz(seed).records()
    lane = _lane(account, policy or default())
    kept: dict[bytes, bytes] = {}
    while account.bytes < size:
        place = account.sent
        if place and place % FRESH_EVERY == 0:
            lane, kept = _lane(account, policy or default()), {}
        elif place and place % RESTART_EVERY == 0:
            lane = _lane(account, policy or default())
            for key, state in kept.items():
                lane.load(key, state)
            lane.ready()
        _one(account, lane, next(drawn), place, kept)
    _checkpoint(account, lane, account.sent, kept)
    return account


def _lane(account: Account, policy: Policy) -> EventsFold:
    # Now and then half of the customers are another partition's.
    partitions = 2 if account.sent // FRESH_EVERY % 4 == 3 else 1
    return EventsFold(0, partitions, TOPICS, policy, NAMES, account.tally)


def _one(account: Account, lane: EventsFold, drawn: Fuzzed, place: int, kept: dict[bytes, bytes]) -> None:
    account.sent += 1
    account.bytes += len(drawn.value or b"")
    account.kinds[drawn.kind] += 1
    began = thread_time()
    try:
        outputs = lane.apply([Record(place, drawn.stamp, b"key", drawn.value)])
    except Exception as error:
        account.fail(place, f"{drawn.kind}: apply raised {type(error).__name__}: {error}")
        raise
    spent = thread_time() - began
    for output in outputs:
        if output.topic == TOPICS.dead_letters:
            _letter(account, place, drawn, output)
    heavy = len(drawn.value or b"") >= HEAVY_BYTES
    if heavy or account.sent % CHECKPOINT_EVERY == 0 or account.sent % RESTART_EVERY == 0:
        cost = _checkpoint(account, lane, place, kept)
        account.cpu_s += cost
        spent += cost if heavy else 0.0
    account.charge(spent, drawn, place)
    account.cpu_s += spent


def _letter(account: Account, place: int, drawn: Fuzzed, output: Output) -> None:
    account.letters += 1
    reason = dict(output.headers)["reason"].decode()
    account.reasons[reason.partition(":")[0]] += 1
    if reason.startswith(("fold_failed", "output_failed", "row_failed", "state_failed")):
        account.fail(place, f"{drawn.kind}: {reason}")
    if output.value != drawn.value:
        account.fail(place, f"{drawn.kind}: the dead letter has other bytes")


def _checkpoint(account: Account, lane: EventsFold, place: int, kept: dict[bytes, bytes]) -> float:
    """CPU seconds of a checkpoint; what it wrote is looked at afterwards."""
    began = thread_time()
    outputs = lane.flush()
    changed = list(lane.changed())
    spent = thread_time() - began
    for key, state in changed:
        if state is None:
            kept.pop(key, None)
        else:
            kept[key] = state
    for output in outputs:
        if output.topic != TOPICS.facts:
            account.fail(place, f"at a checkpoint: {dict(output.headers)['reason'].decode()}")
            continue
        for what in _unfit(output.value or b""):
            account.fail(place, what)
        account.rows += blocks.decode(output.value or b"").count
    return spent


def _unfit(raw: bytes) -> Iterator[str]:
    """What ClickHouse would not take."""
    block = blocks.decode(raw)
    kinds = {column.name: column.kind for column in TABLES[block.table].columns}
    for name, values in zip(block.names, block.columns, strict=True):
        for value in values:
            if not fits(kinds[name], value):
                yield f"{block.table}.{name} does not fit: {type(value).__name__}"
                break
