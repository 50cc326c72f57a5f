"""Whether all is there, once and right: what is stored, asked for and kept, against the fold of the log.

The topic of events as it lies in Kafka, each partition folded from its beginning by the pure fold, is what a
back-test would be of it. One partition at a time is held in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from detectors.clock import Slots as Clocks
from detectors.events import Rejected
from detectors.log import LogFold
from detectors.moment import Findings
from detectors.packed import pack, unpack
from detectors.tables import PROVENANCE, TABLES
from streams import blocks, policies
from streams.desk_lane import DeskFold, Said
from streams.identity import Pseudonyms
from streams.kafka import admin, urls
from streams.kafka.lag import group_lag
from streams.kafka.partitioner import partition_of
from streams.lanes.api import Output
from streams.lanes.changelog import Merge
from streams.lanes.chunk import Place
from streams.lanes.restore import read_changelogs
from streams.reconcile.reader import Reader
from streams.settings import Settings
from streams.warehouse.client import connect
from tests.support.world import World

__all__ = ["Best", "Proof", "compare", "log_fold", "prove", "said_of", "told"]

# Of each kind of difference, this many are told.
TOLD = 10
Row = tuple[Any, ...]


@dataclass
class Proof:
    """What was compared, and what differs, in words."""

    wrong: list[str] = field(default_factory=list)
    #: Facts compared, by table.
    facts: dict[str, int] = field(default_factory=dict)
    records: int = 0
    events: int = 0
    duplicates: int = 0
    late: int = 0
    candidates: int = 0
    customers: int = 0
    #: Messages on the desk's topic that repeat one that was there.
    repeated: int = 0

    def tell(self, found: Iterable[str]) -> None:
        """Note differences, the first few."""
        self.wrong += list(found)[:TOLD]


class Best:
    """The row of the highest version of each fact, by table, as what it says."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, tuple[int, int, Row]]] = {table: {} for table in TABLES}

    def add(self, table: str, rows: Iterable[Row]) -> None:
        names, best = TABLES[table].names, self.rows[table]
        fact, ver, retracted = (names.index(name) for name in ("fact_id", "ver", "retracted"))
        kept = [place for place, name in enumerate(names) if name not in PROVENANCE]
        for row in rows:
            known = best.get(row[fact])
            if known is None or row[ver] >= known[0]:
                best[row[fact]] = (row[ver], row[retracted], tuple(row[place] for place in kept))

    def found(self, findings: Findings) -> None:
        """All rows of a fold's findings."""
        for table, rows in findings.rows.items():
            self.add(table, rows)

    def sent(self, outputs: Iterable[Output]) -> None:
        """All rows of blocks of facts."""
        for output in outputs:
            block = blocks.decode(output.value or b"")
            self.add(block.table, zip(*block.columns, strict=True))


def log_fold(settings: Settings, partition: int) -> LogFold:
    """The pure fold of one partition, as a worker of that installation has it."""
    names, count = Pseudonyms.of(settings), settings.partitions
    return LogFold(
        partition,
        policies.configured(settings),
        names.pseudonym,
        names.reference,
        lambda subject: partition_of(subject.encode(), count),
    )


async def prove(world: World) -> Proof:
    """Compare everything. The workers have ended, or have nothing to do."""
    proof = Proof()
    client = connect(world.settings.clickhouse_url)
    try:
        async with Reader(world.settings.kafka_url) as reader:
            asked = await _desk(world, reader, client, proof)
            wanted: set[bytes] = set()
            for partition in range(world.settings.partitions):
                wanted |= await _partition(world, reader, client, partition, proof)
    finally:
        client.disconnect()
    proof.candidates = len(wanted)
    proof.tell(f"asked of the desk and not found by the fold: {one!r}" for one in asked - wanted)
    proof.tell(f"found by the fold and not asked of the desk: {one!r}" for one in wanted - asked)
    return proof


async def _partition(world: World, reader: Reader, client: Any, partition: int, proof: Proof) -> set[bytes]:
    """Fold one partition, compare its facts and its state; what the desk is to be asked."""
    topic, fold = world.settings.topics.events, log_fold(world.settings, partition)
    ends = _ends(world, topic)
    best, wanted, findings = Best(), set[bytes](), Findings()
    end = ends[partition]
    async for records in reader.records(topic, partition, [(0, end)]):
        for record in records:
            outcome = fold.record(record.value, record.stamp, record.offset, findings)
            if isinstance(outcome, Rejected):
                fold.reject(topic, outcome, record.value, record.stamp, record.offset, findings)
        best.found(findings)
        wanted.update(map(told, findings.desk))
        findings = Findings()
        proof.records += len(records)
    counts = fold.fold.counts
    proof.events += counts.accepted - counts.duplicates
    proof.duplicates += counts.duplicates
    proof.late += counts.late
    del best.rows["alerts"]  # the desk's
    compare(client, f"partition = {partition}", best, proof)
    changelog = Place(world.settings.topics.changelog(topic), partition)
    merge = await _merge(world, changelog, end, proof)
    proof.tell(_states(dict(fold.fold.changed()), dict(merge.states()), fold.fold.watermark, end, proof))
    return wanted


async def _desk(world: World, reader: Reader, client: Any, proof: Proof) -> set[bytes]:
    """Compare the alerts with what the desk makes of its topic; everything that it was asked."""
    topics, asked, count, best = world.settings.topics, set[bytes](), 0, Best()
    ends = _ends(world, topics.desk)
    for partition in range(world.settings.partitions):
        fold = DeskFold(partition, topics)
        end = ends[partition]
        async for records in reader.records(topics.desk, partition, [(0, end)]):
            count += len(records)
            asked.update(told(msgspec.json.decode(record.value or b"")) for record in records)
            fold.apply(records)
            best.sent(fold.flush())
        merge = await _merge(world, Place(topics.changelog(topics.desk), partition), end, proof)
        proof.tell(_alerts(dict(fold.changed()), dict(merge.states())))
    # Their partition is the customer's, so that all come together.
    compare(client, "1", best, proof, ["alerts"])
    proof.repeated = count - len(asked)
    return asked


def _ends(world: World, topic: str) -> dict[int, int]:
    with admin.connect(world.settings.kafka_url) as client:
        lags = group_lag(client, world.settings.group, [topic])
    return {partition: lag.end for (_, partition), lag in lags.items()}


def _alerts(expected: Mapping[bytes, bytes | None], found: Mapping[bytes, bytes]) -> Iterable[str]:
    for key in sorted(expected.keys() | found.keys()):
        wanted, have = _alert(expected.get(key)), _alert(found.get(key))
        if wanted != have:
            yield f"alert {key.decode()} in the changelog: {have!r}, by the desk's fold {wanted!r}"


def _alert(raw: bytes | None) -> Said | None:
    """An alert's record, of one that has ended without its briefs: which are still kept is no matter."""
    if raw is None:
        return None
    said = msgspec.msgpack.decode(raw, type=Said)
    if said.ended:
        said.brief, said.earlier = b"", {}
    return said


def told(message: Mapping[str, Any]) -> bytes:
    """A message to the desk by what it says, its id first."""
    said = {name: value for name, value in message.items() if name not in ("partition", "offset")}
    return str(message["id"]).encode() + b" " + msgspec.json.encode(said, order="sorted")


def compare(client: Any, where: str, best: Best, proof: Proof, tables: Iterable[str] | None = None) -> None:
    """What is stored ``where`` that is so, against what is best known of it."""
    for table in tables or best.rows:
        expected = {fact: said for fact, (_, gone, said) in best.rows[table].items() if not gone}
        proof.facts[table] = proof.facts.get(table, 0) + len(expected)
        proof.tell(_differences(client, table, where, expected))


def _differences(client: Any, table: str, where: str, expected: dict[str, Row]) -> Iterable[str]:
    columns = [column for column in TABLES[table].columns if column.name not in PROVENANCE]
    names = [column.name for column in columns]
    shown = ", ".join(
        f"toUnixTimestamp64Milli(`{column.name}`)" if column.kind in ("ms", "msn") else f"`{column.name}`"
        for column in columns
    )
    fact, seen = names.index("fact_id"), set[str]()
    for row in client.execute_iter(f"SELECT {shown} FROM `{table}_exact` WHERE {where}"):
        said = expected.get(row[fact])
        if row[fact] in seen:
            yield f"{table} {row[fact]} is stored twice"
        elif said is None:
            yield f"{table} {row[fact]} is stored and nothing says so"
        elif said != row:
            for name, value, other in zip(names, said, row, strict=True):
                if value != other:
                    yield f"{table} {row[fact]} {name}: {other!r} stored, {value!r} found by the fold"
        seen.add(row[fact])
    for missing in expected.keys() - seen:
        yield f"{table} {missing} is not stored"


async def _merge(world: World, changelog: Place, end: int, proof: Proof) -> Merge:
    """A changelog as a restore reads it."""
    client = urls.parse(world.settings.kafka_url).client()
    async for _, merge in read_changelogs(client, [changelog]):
        if merge.regressed():
            proof.wrong.append(f"{changelog}: {len(merge.regressed())} keys went back and stayed so")
        # A partition of the desk to which nothing ever came has no mark.
        if (merge.mark or 0) != end:
            proof.wrong.append(f"{changelog}: the mark is at {merge.mark}, the log ends at {end}")
        return merge
    raise AssertionError(f"{changelog} cannot be read")


def _states(
    expected: Mapping[bytes, bytes | None],
    found: Mapping[bytes, bytes],
    watermark: int,
    end: int,
    proof: Proof,
) -> Iterable[str]:
    """Every customer's record, by what it says, and the clock."""
    clocks = {name: Clocks() for name in ("found", "expected")}
    for name, records in (("found", found), ("expected", expected)):
        for key, raw in records.items():
            if key.startswith(b"\0") and raw is not None:
                clocks[name].load(key, raw)
    if clocks["found"].at(end) != clocks["expected"].at(end):
        yield f"the clock is {clocks['found'].at(end)}, by the fold {clocks['expected'].at(end)}"
    for key, raw in expected.items():
        if key.startswith(b"\0") or raw is None:
            continue
        proof.customers += 1
        have = found.get(key)
        if have is None:
            yield "a customer is missing in the changelog"
        elif have != raw and said_of(have, watermark) != said_of(raw, watermark):
            yield "a customer's record in the changelog says something else"
    wanted = {key for key, raw in expected.items() if raw is not None}
    for key in found.keys() - wanted:
        if not key.startswith(b"\0"):
            yield "a customer in the changelog is not known to the fold"


def said_of(raw: bytes, watermark: int) -> bytes:
    """A customer's record without what can only be put in another order while it is not settled."""
    state = unpack(raw)
    if state.ring is not None and state.ring.settled(watermark):
        state.ring = None
    return pack(state)
