"""Where a worker's time goes: ``rehuman worker`` with a clock of its own CPU time that strikes.

At each strike (``SIGPROF``, every two milliseconds of the process's CPU time at most) the main thread's
function is noted, which is where the lanes live; a strike that finds it waiting was another thread's time.
A sampler in a thread of its own would see the main one mostly where it lets go of the interpreter's lock.
Compiled code has no frames: its time is its caller's.
``python -m benchmarks.pipeline --profile`` runs one.
"""

from __future__ import annotations

import signal
import sys
from collections import Counter
from pathlib import Path
from time import process_time, thread_time
from types import FrameType

from streams.cli import main as rehuman

__all__ = ["Strikes"]

BEAT_S = 0.002
TOP = 25
# What a function of these modules works for; the first that fits, from the innermost frame outwards.
PARTS = (
    ("detectors/decode", "decode"),
    ("detectors/envelope", "decode"),
    ("detectors/state", "state packing"),
    ("streams/identity", "pseudonyms"),
    ("streams/blocks", "blocks"),
    ("streams/row_blocks", "blocks"),
    ("detectors/", "fold"),
    ("streams/events_lane", "events lane"),
    ("streams/lanes/producer", "producer"),
    ("aiokafka/producer", "producer"),
    ("aiokafka/", "other of the clients"),
    ("streams/lanes/", "lanes"),
    ("selectors", "waiting, or other threads"),
    ("asyncio/", "event loop"),
    ("importlib", "imports"),
)


class Strikes:
    """Counts the main thread's functions by CPU time."""

    def __init__(self) -> None:
        self.parts: Counter[str] = Counter()
        self.functions: Counter[str] = Counter()

    def start(self) -> None:
        """Strike until :meth:`stop`."""
        signal.signal(signal.SIGPROF, self._strike)
        signal.setitimer(signal.ITIMER_PROF, BEAT_S, BEAT_S)

    def _strike(self, _: int, frame: FrameType | None) -> None:
        if frame is not None:
            self.functions[f"{_place(frame)}:{frame.f_code.co_name}"] += 1
            self.parts[_part(frame)] += 1

    def stop(self) -> str:
        """End, and say what was seen."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        main, whole = thread_time(), process_time()
        lines = [f"{whole:.1f} CPU seconds, {main:.1f} of them the main thread's"]
        total = max(1, self.parts.total())
        for title, counts in (("main thread, by part", self.parts), ("by function", self.functions)):
            lines.append(f"{title}, of {total} strikes:")
            lines += [f"  {100 * count / total:5.1f} %  {what}" for what, count in counts.most_common(TOP)]
        return "\n".join(lines)


def _place(frame: FrameType) -> str:
    return "/".join(Path(frame.f_code.co_filename).parts[-3:]).removesuffix(".py")


def _part(frame: FrameType | None) -> str:
    while frame is not None:
        place = _place(frame)
        for piece, part in PARTS:
            if piece in place:
                return part
        frame = frame.f_back
    return "other"


def main() -> None:
    """``python -m benchmarks.sampled FILE LANES``, under the environment of an installation."""
    file, lanes = sys.argv[1:]
    strikes = Strikes()
    sys.argv[1:] = ["worker", "--lanes", lanes]
    strikes.start()
    try:
        rehuman()
    finally:
        Path(file).write_text(strikes.stop() + "\n")


if __name__ == "__main__":
    main()
