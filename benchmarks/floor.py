"""The floor: what decode, fold and blocks cost with no broker at all, and state packing beside them.

The real events lane's code (:class:`streams.events_lane.EventsFold`) is given what its lanes would give it:
chunks of at most ``chunk_records`` of one partition, the partitions in turn, and a checkpoint of a partition
after ``checkpoint_s`` or ``checkpoint_records`` (:class:`streams.lanes.LaneOptions`). Full default policy,
all detectors. The table is in CPU seconds of this thread, which a busy machine distorts less; ``floor_eps``
is by the clock on the wall, as a worker's rate is.

The floor is decode + fold + blocks; packing the state for the changelog is apart, being a cost of moving
and not of deciding. ``python -m benchmarks.floor --events 200000 --profile`` shows where the time goes.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from time import thread_time
from typing import NamedTuple

from benchmarks.workload import STAMP, records
from benchmarks.workload import partitioned as by_partition
from detectors.decode import Decoder
from detectors.policy import Policy, default
from streams import collector
from streams.clock import monotonic
from streams.events_lane import EventsFold
from streams.identity import Pseudonyms
from streams.lanes.api import Record
from streams.lanes.options import LaneOptions
from streams.topics import TopicNames

__all__ = ["Floor", "decode_s", "folds", "load", "measure"]

KEY = b"benchmark-key-0123456789"


class Floor(NamedTuple):
    """One run over ``events`` events: CPU seconds of each part, and what came of it.

    ``wall_s`` are the seconds on the wall of ``apply_s`` + ``flush_s``.
    """

    events: int
    apply_s: float
    flush_s: float
    state_s: float
    wall_s: float
    outputs: int
    blocks: int
    block_bytes: int
    keys: int
    state_bytes: int

    @property
    def eps(self) -> float:
        """Events a second of decode + fold + blocks, by the wall."""
        return self.events / self.wall_s


def load(events: int, partitions: int, *, scattered: bool = False) -> list[list[Record]]:
    """The workload as each partition's log has it."""
    logs: list[list[Record]] = [[] for _ in range(partitions)]
    for partition, raw in by_partition(records(events, scattered=scattered), partitions):
        log = logs[partition]
        log.append(Record(len(log), STAMP, raw.key, raw.value))
    return logs


def folds(partitions: int) -> list[EventsFold]:
    """The events lanes' folds of one worker, under the default policy, ready for records."""
    names, topics, policy = Pseudonyms(KEY, KEY), TopicNames("bench"), default()
    made = [EventsFold(number, partitions, topics, policy, names) for number in range(partitions)]
    for fold in made:
        fold.ready()
    return made


def decode_s(logs: Sequence[Sequence[Record]], policy: Policy) -> float:
    """CPU seconds of decoding alone, pseudonyms included."""
    names = Pseudonyms(KEY, KEY)
    decode = Decoder(names.pseudonym, policy.floor, policy.document.time.ahead).decode
    began = thread_time()
    for log in logs:
        for record in log:
            decode(record.value, record.stamp)
    return thread_time() - began


def measure(logs: Sequence[Sequence[Record]], *, warm: int = 0, options: LaneOptions | None = None) -> Floor:
    """One run over the partitions' logs; the first ``warm`` records are folded and not counted."""
    options = options or LaneOptions()
    collector.settle()  # as a worker does
    run = _Run(logs, options)
    left = [number for number, log in enumerate(logs) if log]
    counted = events = 0
    while left:
        for number in left:
            if counted >= warm and not run.counting:
                run.begin_to_count()
            chunk = run.chunk(number)
            counted += len(chunk)
            if run.counting:
                events += sum(record.key is not None for record in chunk)
        left = [number for number in left if run.places[number] < len(logs[number])]
    for number in range(len(logs)):
        run.checkpoint(number)
    spent = run.spent
    return Floor(events, spent["apply_s"], spent["flush_s"], spent["state_s"], spent["wall_s"], **run.counts)


class _Run:
    """All partitions of one worker, and what they have cost."""

    def __init__(self, logs: Sequence[Sequence[Record]], options: LaneOptions) -> None:
        self.folds = folds(len(logs))
        self.places = [0] * len(logs)
        self._logs, self._options = logs, options
        self._since = [0] * len(logs)
        self._checked = [monotonic()] * len(logs)
        self.counting = False
        self.spent: dict[str, float] = {}
        self.counts: dict[str, int] = {}
        self._clear()

    def begin_to_count(self) -> None:
        """Forget what the first records have cost."""
        self.counting = True
        self._clear()

    def _clear(self) -> None:
        self.spent = dict.fromkeys(("apply_s", "flush_s", "state_s", "wall_s"), 0.0)
        self.counts = dict.fromkeys(("outputs", "blocks", "block_bytes", "keys", "state_bytes"), 0)

    def chunk(self, number: int) -> Sequence[Record]:
        """Fold a partition's next chunk, and checkpoint where that is due."""
        options, place = self._options, self.places[number]
        chunk = self._logs[number][place : place + options.chunk_records]
        wall, cpu = monotonic(), thread_time()
        outputs = self.folds[number].apply(chunk)
        self.spent["apply_s"] += thread_time() - cpu
        self.spent["wall_s"] += monotonic() - wall
        self.counts["outputs"] += len(outputs)
        self.places[number] += len(chunk)
        self._since[number] += len(chunk)
        late = monotonic() - self._checked[number] >= options.checkpoint_s
        if late or self._since[number] >= options.checkpoint_records:
            self.checkpoint(number)
        return chunk

    def checkpoint(self, number: int) -> None:
        """Blocks and changed states, which go nowhere."""
        fold = self.folds[number]
        wall, cpu = monotonic(), thread_time()
        flushed = fold.flush()
        self.spent["flush_s"] += thread_time() - cpu
        self.spent["wall_s"] += monotonic() - wall
        cpu = thread_time()
        changed = list(fold.changed())
        self.spent["state_s"] += thread_time() - cpu
        self.counts["blocks"] += len(flushed)
        self.counts["block_bytes"] += sum(len(output.value or b"") for output in flushed)
        self.counts["keys"] += len(changed)
        self.counts["state_bytes"] += sum(len(value or b"") for _, value in changed)
        self._checked[number], self._since[number] = monotonic(), 0


def report(floor: Floor, decoding: float) -> str:
    """A table in microseconds of CPU an event; ``decoding`` is that of decoding alone, in seconds."""
    decoded = decoding * floor.events
    parts = {
        "decode": decoded,
        "fold": floor.apply_s - decoded,
        "rows and blocks": floor.flush_s,
        "= floor": floor.apply_s + floor.flush_s,
        "state packing": floor.state_s,
        "= with state": floor.apply_s + floor.flush_s + floor.state_s,
    }
    lines = [f"{'':16} {'us/event':>9} {'events/s':>10}"]
    for name, seconds in parts.items():
        rate = floor.events / seconds if seconds > 0 else 0
        lines.append(f"{name:16} {1e6 * seconds / floor.events:9.2f} {rate:10,.0f}")
    lines.append(
        f"{floor.events} events; {floor.outputs} outputs, {floor.blocks} blocks of "
        f"{floor.block_bytes / max(1, floor.blocks):,.0f} bytes, {floor.keys} states of "
        f"{floor.state_bytes / max(1, floor.keys):,.0f} bytes"
    )
    return "\n".join(lines)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.floor", description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--partitions", type=int, default=8)
    parser.add_argument("--warm", type=int, default=0, help="records that are folded and not counted")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--scattered", action="store_true", help="draw the customer anew for each event")
    parser.add_argument("--profile", action="store_true", help="cProfile; times are then not the floor's")
    parser.add_argument("--profile-out", metavar="FILE", help="write the profile for pstats or snakeviz")
    parser.add_argument("--top", type=int, default=45, help="lines of the profile")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    logs = load(options.events, options.partitions, scattered=options.scattered)
    profile = cProfile.Profile() if options.profile or options.profile_out else None
    for _ in range(options.rounds):
        decoding = decode_s(logs, default()) / sum(map(len, logs))
        if profile:
            profile.enable()
        floor = measure(logs, warm=options.warm)
        if profile:
            profile.disable()
        found = floor._asdict() | {"floor_eps": floor.eps, "decode_s": decoding * floor.events}
        print(json.dumps(found) if options.json else report(floor, decoding))
    if profile and options.profile_out:
        profile.dump_stats(options.profile_out)
    if profile and options.profile:
        stats = pstats.Stats(profile).sort_stats("tottime")
        stats.print_stats(options.top)
        print(by_module(stats))


def by_module(stats: pstats.Stats) -> str:
    """Each module's own time of a profile, in percent."""
    spent: Counter[str] = Counter()
    for (file, _, _), (_, _, own, _, _) in stats.stats.items():  # type: ignore[attr-defined]  # typeshed
        spent["/".join(Path(file).parts[-2:])] += own
    total = spent.total() or 1.0
    return "\n".join(f"{100 * own / total:5.1f} %  {module}" for module, own in spent.most_common(20))


if __name__ == "__main__":
    main()
