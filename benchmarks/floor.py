"""The floor: what decode, fold and blocks cost with no broker at all, and state packing beside them.

The real events lane's code (:class:`streams.events_lane.EventsFold`) is given what its lanes would give it:
chunks of at most ``chunk_records`` of one partition, the partitions in turn, and a checkpoint of a partition
after ``checkpoint_s`` or ``checkpoint_records`` (:class:`streams.lanes.LaneOptions`). Full default policy,
all detectors. Times are CPU seconds of this thread, so that a busy machine distorts them less.

``events_s`` is decode + fold + blocks; packing the state for the changelog is apart, being a cost of moving
and not of deciding. ``python -m benchmarks.floor --events 200000 --profile`` shows where the time goes.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
from collections.abc import Sequence
from time import thread_time
from typing import NamedTuple

from benchmarks.workload import STAMP, records
from benchmarks.workload import partitioned as by_partition
from detectors.decode import Decoder
from detectors.policy import Policy, default
from streams.clock import monotonic
from streams.events_lane import EventsFold
from streams.identity import Pseudonyms
from streams.lanes.api import Record
from streams.lanes.options import LaneOptions
from streams.topics import TopicNames

__all__ = ["Floor", "decode_s", "load", "measure"]

KEY = b"benchmark-key-0123456789"


class Floor(NamedTuple):
    """CPU seconds of one run over ``events`` events, and what came of it."""

    events: int
    decode_s: float
    apply_s: float
    flush_s: float
    state_s: float
    outputs: int
    blocks: int
    block_bytes: int
    keys: int
    state_bytes: int

    @property
    def events_s(self) -> float:
        """Events a second of decode + fold + blocks."""
        return self.events / (self.apply_s + self.flush_s)


def load(events: int, partitions: int, *, scattered: bool = False) -> list[list[Record]]:
    """The workload as each partition's log has it."""
    logs: list[list[Record]] = [[] for _ in range(partitions)]
    for partition, raw in by_partition(records(events, scattered=scattered), partitions):
        log = logs[partition]
        log.append(Record(len(log), STAMP, raw.key, raw.value))
    return logs


def decode_s(logs: Sequence[Sequence[Record]], policy: Policy) -> float:
    """CPU seconds of decoding alone, pseudonyms included."""
    names = Pseudonyms(KEY, KEY)
    decode = Decoder(names.pseudonym, policy.floor, policy.document.time.ahead).decode
    began = thread_time()
    for log in logs:
        for record in log:
            decode(record.value, record.stamp)
    return thread_time() - began


def measure(logs: Sequence[Sequence[Record]], options: LaneOptions | None = None) -> Floor:
    """One run over the partitions' logs, decoding once more by itself before."""
    options, policy = options or LaneOptions(), default()
    decoding = decode_s(logs, policy)
    names, topics = Pseudonyms(KEY, KEY), TopicNames("bench")
    folds = [EventsFold(number, len(logs), topics, policy, names) for number in range(len(logs))]
    for fold in folds:
        fold.ready()
    places, since = [0] * len(logs), [0] * len(logs)
    checked = [monotonic()] * len(logs)
    applying = flushing = packing = 0.0
    counts = dict.fromkeys(("outputs", "blocks", "block_bytes", "keys", "state_bytes"), 0)

    def checkpoint(number: int) -> None:
        nonlocal flushing, packing
        began = thread_time()
        flushed = folds[number].flush()
        between = thread_time()
        changed = list(folds[number].changed())
        ended = thread_time()
        flushing += between - began
        packing += ended - between
        counts["blocks"] += len(flushed)
        counts["block_bytes"] += sum(len(output.value or b"") for output in flushed)
        counts["keys"] += len(changed)
        counts["state_bytes"] += sum(len(value or b"") for _, value in changed)
        checked[number], since[number] = monotonic(), 0

    open_ones = [number for number, log in enumerate(logs) if log]
    while open_ones:
        for number in open_ones:
            chunk = logs[number][places[number] : places[number] + options.chunk_records]
            began = thread_time()
            outputs = folds[number].apply(chunk)
            applying += thread_time() - began
            counts["outputs"] += len(outputs)
            places[number] += len(chunk)
            since[number] += len(chunk)
            late = monotonic() - checked[number] >= options.checkpoint_s
            if late or since[number] >= options.checkpoint_records:
                checkpoint(number)
        open_ones = [number for number in open_ones if places[number] < len(logs[number])]
    for number in range(len(logs)):
        checkpoint(number)
    events = sum(record.key is not None for log in logs for record in log)
    return Floor(events, decoding, applying, flushing, packing, **counts)


def report(floor: Floor) -> str:
    """A table in microseconds of CPU an event."""
    parts = {
        "decode": floor.decode_s,
        "fold": floor.apply_s - floor.decode_s,
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
        if profile:
            profile.enable()
        floor = measure(logs)
        if profile:
            profile.disable()
        print(json.dumps(floor._asdict() | {"events_s": floor.events_s}) if options.json else report(floor))
    if profile and options.profile_out:
        profile.dump_stats(options.profile_out)
    if profile and options.profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(options.top)


if __name__ == "__main__":
    main()
